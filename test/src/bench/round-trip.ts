import { linkOf, parseAddress, type CommandRecord } from '@golem/core'
import { builtIn } from '@golem/drivers'
import { openLink } from '@golem/transports'
import { Queue, Worker } from 'bullmq'
import { type Stand, relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, type Spread, inMs, perSecond, spreadOf, times } from './figures.ts'
import { HttpClient } from './http-client.ts'

const BOARDS = 8
const ROUNDS = 1000
const WARM_UP = 200

/**
 * A command from HTTP in to outcome out, ledger and journal included; against a bare BullMQ job on the same Redis, and
 * against the exchange with the same simulated board that is in it.
 */
export async function measureRoundTrip(): Promise<Figure[]> {
  const devices = relayBoards(BOARDS)
  const stand = await startStand({ devices, pollEveryMs: 1000 })
  try {
    const exchange = await bareExchange(stand)
    const job = await bareJob(stand)
    const one = await commands(stand, 1)
    const eight = await commands(stand, BOARDS)
    const own = one.spread.p50 - exchange.p50
    return [
      { what: 'bare exchange with the board, p50 / p99', value: both(exchange) },
      { what: 'bare BullMQ job, add to completed, p50 / p99', value: both(job) },
      {
        what: 'command round trip, 1 client, p50 / p99',
        value: both(one.spread),
        compared: `${times(own, job.p50)} a bare job, exchange taken off`,
        aim: 'p50 2.3 ms; 2x a bare job',
      },
      { what: `command round trip, ${BOARDS} clients, p50 / p99`, value: both(eight.spread) },
      {
        what: `commands, ${BOARDS} clients, ${BOARDS} instruments`,
        value: perSecond(eight.count, eight.seconds),
        aim: '900/s',
      },
    ]
  } finally {
    await stand.close()
  }
}

function both({ p50, p99 }: Spread): string {
  return `${inMs(p50)} / ${inMs(p99)}`
}

/** Each client commands an instrument of its own, one command after the other. */
async function commands(
  stand: Stand,
  clients: number,
): Promise<{ spread: Spread; count: number; seconds: number }> {
  const client = new HttpClient(stand.url())
  const run = async (board: number, rounds: number): Promise<number[]> => {
    const taken: number[] = []
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now()
      const record = await client.send<CommandRecord>(
        'POST',
        `/api/instruments/board-${board}/commands`,
        { parameter: 'relay0', value: round % 2 === 0 },
        { prefer: 'wait=10' },
      )
      taken.push(performance.now() - begun)
      if (record.outcome !== 'done') throw new Error(`A command was not done: ${JSON.stringify(record)}`)
    }
    return taken
  }
  const all = (rounds: number): Promise<number[][]> =>
    Promise.all(Array.from({ length: clients }, (_, board) => run(board, rounds)))
  await all(WARM_UP / clients)
  const begun = performance.now()
  const taken = (await all(ROUNDS)).flat()
  const seconds = (performance.now() - begun) / 1000
  client.close()
  return { spread: spreadOf(taken), count: taken.length, seconds }
}

/** The same write by driver and link alone. */
async function bareExchange(stand: Stand): Promise<Spread> {
  const model = builtIn.find(({ id }) => id === 'esp32-relay')
  if (!model) throw new Error('there is no model esp32-relay')
  const driver = model.create({})
  const endpoint = parseAddress(stand.sim.device('board-0').address)
  const link = openLink({ endpoint, guard: () => undefined })
  const channel = link.attach({ driver, endpoint })
  const write = driver.transport === 'http' ? driver.parameters['relay0']?.write : undefined
  if (!write) throw new Error(`relay0 of ${linkOf(endpoint)} can't be written`)
  const taken: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const begun = performance.now()
    await channel.run('command', (io) => write(io, round % 2 === 0))
    if (round >= WARM_UP) taken.push(performance.now() - begun)
  }
  await link.close()
  return spreadOf(taken)
}

/** A job that does nothing, added and waited for by what golem is built upon. Producer and worker in one process. */
async function bareJob(stand: Stand): Promise<Spread> {
  // Options, not a client: what BullMQ opens itself it closes itself.
  const connection = { path: stand.redis.socket, maxRetriesPerRequest: null }
  const waiting = new Map<string, () => void>()
  const worker = new Worker('bare', () => Promise.resolve(null), { connection })
  worker.on('completed', (job) => waiting.get(job.id ?? '')?.())
  const queue = new Queue('bare', { connection })
  const taken: number[] = []
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const jobId = `job-${round}`
    const begun = performance.now()
    const completed = new Promise<void>((resolve) => waiting.set(jobId, resolve))
    await queue.add('nothing', {}, { jobId, removeOnComplete: 100 })
    await completed
    waiting.delete(jobId)
    if (round >= WARM_UP) taken.push(performance.now() - begun)
  }
  await worker.close()
  await queue.close()
  return spreadOf(taken)
}
