import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf } from './figures.ts'

const ROUNDS = 30
const POLL_MS = 200

/**
 * From the change at the watched board to the write at the board that is tripped. The change is a command here, after
 * which golem reads at once; one that nobody has commanded is seen at the next poll.
 */
export async function measureInterlock(): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [where, hosts] of [
    ['watched by the same worker', ['one', 'one']],
    ['watched by another worker', ['one', 'two']],
  ] as const) {
    const stand = await startStand({
      workers: 0,
      devices: [relayBoard('door'), relayBoard('oven')],
      instruments: (address) => [
        { id: 'door', model: 'esp32-relay', address: address('door'), host: hosts[0] },
        { id: 'oven', model: 'esp32-relay', address: address('oven'), host: hosts[1] },
      ],
      pollEveryMs: POLL_MS,
      site: {
        interlocks: [
          {
            name: 'door',
            watch: { reading: 'door.relay0', equals: true },
            trip: { 'oven.relay1': false },
            latch: false,
          },
        ],
      },
    })
    try {
      for (const host of new Set(hosts)) await stand.addWorker({ host })
      const taken: number[] = []
      for (let round = 0; round < ROUNDS; round++) taken.push(await oneTrip(stand))
      const { p50, max } = spreadOf(taken)
      figures.push({
        what: `interlock, ${where}: from the change to the write, p50 / max of ${ROUNDS}`,
        value: `${inMs(p50)} / ${inMs(max)}`,
        aim: `below one poll (${POLL_MS} ms)`,
      })
    } finally {
      await stand.close()
    }
  }
  return figures
}

async function oneTrip(stand: Stand): Promise<number> {
  await set(stand, 'door', 0, false)
  await stand.until(
    'oven',
    ({ interlocks = [] }) =>
      interlocks.every(({ condition }) => condition === 'clear') && interlocks.length > 0,
    'clear',
    30_000,
  )
  await set(stand, 'oven', 1, true)
  for (const name of ['door', 'oven']) stand.sim.device(name).resetCounters()
  await set(stand, 'door', 0, true)
  const trippedAt = await eventually(() => writtenAt(stand, 'oven'), { what: 'it has tripped', everyMs: 2 })
  return trippedAt - (writtenAt(stand, 'door') ?? NaN)
}

function writtenAt(stand: Stand, board: string): number | undefined {
  const at = stand.sim
    .device(board)
    .requests()
    .find(({ method }) => method === 'POST')?.at
  return at === undefined ? undefined : Date.parse(at)
}

async function set(stand: Stand, board: string, relay: number, value: boolean): Promise<void> {
  const give = async (): Promise<boolean> => {
    const { body } = await stand.command(board, { parameter: `relay${relay}`, value })
    if (body.outcome !== 'done') throw new Error(JSON.stringify(body))
    return true
  }
  await eventually(give, { what: `${board}.relay${relay} is set`, timeoutMs: 30_000 })
}
