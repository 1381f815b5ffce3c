import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf } from './figures.ts'

const BOARDS = 8
const WAITING = 32
const ROUNDS = 20
/** How long a board takes for a command, so that the queues stay full, in ms. */
const SLOW_MS = 300

/** From the request to the last safe value received by a board, while each queue is full and each board is busy. */
export async function measureEmergencyStop(): Promise<Figure[]> {
  const names = Array.from({ length: BOARDS }, (_, n) => `board-${n}`)
  const stand = await startStand({
    devices: relayBoards(BOARDS),
    pollEveryMs: 60_000,
  })
  try {
    const taken: number[] = []
    for (let round = 0; round < ROUNDS; round++) taken.push(await oneStop(stand, names))
    const { p50, p99 } = spreadOf(taken)
    return [
      {
        what: `emergency stop, ${BOARDS} boards, ${WAITING} commands waiting for each, to the last byte, p50 / p99`,
        value: `${inMs(p50)} / ${inMs(p99)}`,
        aim: 'p99 below 100 ms',
      },
    ]
  } finally {
    await stand.close()
  }
}

async function oneStop(stand: Stand, names: readonly string[]): Promise<number> {
  await Promise.all(names.map((name) => stand.sim.device(name).setFault({ kind: 'delay', ms: SLOW_MS })))
  await Promise.all(
    names.flatMap((name) =>
      Array.from({ length: WAITING }, (_, n) =>
        stand.command(name, { parameter: 'relay0', value: n % 2 === 0 }, { wait: 0 }),
      ),
    ),
  )
  await eventually(
    () =>
      names.every((name) =>
        stand.sim
          .device(name)
          .requests()
          .some(({ acted }) => acted),
      ),
    {
      what: 'each board is busy',
    },
  )
  const begunAt = Date.now()
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'measured' } })
  const safe = await eventually(
    () => {
      const last = names.map((name) => lastWriteAt(stand, name))
      return last.every((at) => at >= begunAt) ? Math.max(...last) : undefined
    },
    { what: 'each board has received its safe values', everyMs: 5 },
  )
  await Promise.all(names.map((name) => stand.sim.device(name).setFault(null)))
  await eventually(async () => (await waiting(stand)).length === 0, { what: 'nothing waits any more' })
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  for (const name of names) stand.sim.device(name).resetCounters()
  return safe - begunAt
}

/** When a board last received something that was not a question, in ms since 1970; 0 when it never did. */
function lastWriteAt(stand: Stand, name: string): number {
  const last = stand.sim
    .device(name)
    .requests()
    .filter(({ method }) => method === 'POST')
    .at(-1)
  return last ? Date.parse(last.at) : 0
}

async function waiting(stand: Stand): Promise<CommandRecord[]> {
  const { body: records } = await stand.api<CommandRecord[]>('/api/commands?limit=500')
  return records.filter(({ state }) => state !== 'ended')
}
