import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoards, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf } from './figures.ts'

const BOARDS = 8
const WAITING = 32
const ROUNDS = 20
/** Each board has four relays that are switched off. */
const SAFE_WRITES = 4

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
  // The first command gets no answer: the board is busy, and the others wait.
  await Promise.all(names.map((name) => stand.sim.device(name).setFault({ kind: 'silence', times: 1 })))
  await Promise.all(names.map((name) => give(stand, name, true)))
  await eventually(() => names.every((name) => writesSince(stand, name, 0).length === 1), {
    what: 'each board is busy',
  })
  await Promise.all(
    names.flatMap((name) => Array.from({ length: WAITING }, (_, n) => give(stand, name, n % 2 === 0))),
  )
  const begunAt = Date.now()
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'measured' } })
  const lastAt = await eventually(
    () => {
      const writes = names.map((name) => writesSince(stand, name, begunAt))
      if (writes.some(({ length }) => length < SAFE_WRITES)) throw new Error(JSON.stringify(writes))
      return Math.max(...writes.flat())
    },
    { what: 'each board has received its safe values', everyMs: 5 },
  )
  await eventually(async () => (await unfinished(stand)).length === 0, { what: 'nothing waits any more' })
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  for (const name of names) stand.sim.device(name).resetCounters()
  return lastAt - begunAt
}

async function give(stand: Stand, name: string, value: boolean): Promise<void> {
  const { status, body } = await stand.command(name, { parameter: 'relay0', value }, { wait: 0 })
  if (status !== 202) throw new Error(`A command was not taken: ${status} ${JSON.stringify(body)}`)
}

/** When a board has received something that was not a question, in ms since 1970. */
function writesSince(stand: Stand, name: string, since: number): number[] {
  return stand.sim
    .device(name)
    .requests()
    .filter(({ method, at }) => method === 'POST' && Date.parse(at) >= since)
    .map(({ at }) => Date.parse(at))
}

async function unfinished(stand: Stand): Promise<CommandRecord[]> {
  const { body: records } = await stand.api<CommandRecord[]>('/api/commands?limit=500')
  return records.filter(({ state }) => state !== 'ended')
}
