import { RawClient } from '../kit/raw-client.ts'
import { startSupplyStand } from '../kit/supply-stand.ts'
import { type Figure, inMs, perSecond, spreadOf, times } from './figures.ts'

const CLIENTS = 8
const SECONDS = 60
const BARE_SECONDS = 5

/** Eight clients on one instrument that golem polls ten times a second, for a minute; and the bare instrument. */
export async function measureGateway(): Promise<Figure[]> {
  const bench = await startSupplyStand()
  try {
    const bare = await asked(bench.supply.port, 1, BARE_SECONDS)
    const single = await asked(bench.port, 1, BARE_SECONDS)
    const polledBefore = polls(bench.supply.heard)
    const many = await asked(bench.port, CLIENTS, SECONDS)
    const polled = polls(bench.supply.heard) - polledBefore
    const wrong = bare.wrong + single.wrong + many.wrong
    if (wrong > 0) throw new Error(`${wrong} answers went to somebody else.`)
    const [bareSpread, singleSpread] = [spreadOf(bare.took), spreadOf(single.took)]
    return [
      {
        what: 'one client asks through the gateway, p50 / p99',
        value: `${inMs(singleSpread.p50)} / ${inMs(singleSpread.p99)}`,
        compared: `${times(singleSpread.p50, bareSpread.p50)} the bare socket (${inMs(bareSpread.p50)} / ${inMs(bareSpread.p99)})`,
      },
      {
        what: `${CLIENTS} clients for ${SECONDS} s, ${many.took.length} questions, each answer to its asker`,
        value: `${perSecond(many.took.length, SECONDS)}; golem polled ${perSecond(polled, SECONDS)}`,
        compared: `${times(many.took.length / SECONDS, bare.took.length / BARE_SECONDS)} the bare socket`,
        aim: 'none mixed up, golem goes on polling',
      },
    ]
  } finally {
    await bench.close()
  }
}

function polls(heard: readonly string[]): number {
  // Two supplies are polled; both are the same instrument.
  return heard.filter((text) => text === 'OUTP?').length / 2
}

async function asked(
  port: number,
  clients: number,
  seconds: number,
): Promise<{ took: number[]; wrong: number }> {
  const took: number[] = []
  let wrong = 0
  const until = performance.now() + seconds * 1_000
  await Promise.all(
    Array.from({ length: clients }, async (_, who) => {
      const client = await RawClient.to(port)
      for (let n = 0; performance.now() < until; n += 1) {
        const begun = performance.now()
        if ((await client.ask(`ECHO? ${who}-${n}`)) !== `${who}-${n}`) wrong += 1
        took.push(performance.now() - begun)
      }
      client.close()
    }),
  )
  return { took, wrong }
}
