import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { type Senders, assertInTurn, watchSenders } from './senders.ts'
import { WRITE, nextValue, submit, timesWritten, valveEntries, valves, written } from './valve.ts'

/** Slow enough that a burst lasts until a frozen worker's lease is over. */
const SLOWLY = { kind: 'delay', ms: 150, match: WRITE } as const

describe('workers that all may own an instrument', () => {
  let stand: Stand
  let senders: Senders
  before(async () => {
    stand = await startStand({
      workers: 0,
      devices: valves(1),
      instruments: valveEntries(1),
      pollEveryMs: 100,
    })
    senders = watchSenders(stand)
  })
  after(async () => {
    senders.stop()
    await stand.close()
  })
  afterEach(async () => {
    await stand.sim.device('valve-0').setFault(null)
    await Promise.all(stand.workers.map((worker) => worker.kill()))
  })

  const valve = () => stand.sim.device('valve-0')

  const start = async (count: number): Promise<NodeProcess[]> => {
    const started = await Promise.all(Array.from({ length: count }, () => stand.addWorker()))
    await answers()
    return started
  }

  const answers = async (): Promise<void> => {
    await stand.until(
      'valve-0',
      ({ condition, owner }) =>
        condition === 'ok' && stand.workers.some((worker) => worker.alive && worker.name === owner),
      'the valve is polled by a living worker',
      30_000,
    )
  }

  test('and are started at the same moment never speak to it at the same time', async () => {
    for (let round = 0; round < 2; round++) {
      const started = await start(3)
      const ids: string[] = []
      for (let n = 0; n < 10; n++) ids.push((await submit(stand, nextValue())).id)
      // One goes in order, the others at once, all in the middle of the work.
      await started[round % 3]?.kill('SIGTERM')
      for (const id of ids.slice(0, 5)) await stand.ended(id, 30_000)
      await Promise.all(started.map((worker) => worker.kill()))
      await assertInTurn(stand, senders)
    }
    const values = written(valve())
    assert.equal(new Set(values).size, values.length, 'no command was sent twice')
    await start(1)
  })

  test('a frozen one that wakes up after its lease has gone sends nothing more, and takes no work away', async () => {
    const [first, second] = await start(2)
    assert.ok(first && second)
    const { owner } = await stand.until('valve-0', ({ owner }) => owner, 'it has an owner')
    const frozen = owner === first.name ? first : second
    const successor = frozen === first ? second : first

    await valve().setFault(SLOWLY)
    const given = new Map<string, number>()
    for (let n = 0; n < 25; n++) {
      const value = nextValue()
      given.set((await submit(stand, value)).id, value)
    }
    const values = [...given.values()]
    await eventually(() => timesWritten(valve(), values[2] ?? 0) === 1, { what: 'the burst has begun' })
    await sleep(Math.random() * 200)
    frozen.stop()
    await eventually(async () => (await stand.state()).instruments['valve-0']?.owner === successor.name, {
      what: 'the other one takes over',
      timeoutMs: 20_000,
    })
    const before = senders.sent.length
    await eventually(
      () => written(valve()).length > 0 && senders.sent.slice(before).some(({ method }) => method === 'POST'),
      {
        what: 'the successor goes on with the burst',
      },
    )
    frozen.cont()

    let undone = 0
    for (const [id, value] of given) {
      const record = await stand.ended(id, 60_000)
      if (record.outcome !== 'done') undone += 1
      const times = timesWritten(valve(), value)
      assert.ok(record.outcome === 'refused' ? times === 0 : times === 1, JSON.stringify(record))
    }
    assert.ok(undone <= 1, `${undone} were not done; only the one under way may be so`)
    const came = written(valve()).filter((value) => values.includes(value))
    assert.deepEqual(
      came,
      came.toSorted((a, b) => a - b),
      'in the order in which they were given',
    )
    await assertInTurn(stand, senders)
  })
})

describe('a worker whose commands take longer than its lease', () => {
  const BOARDS = 4
  let stand: Stand
  let senders: Senders
  before(async () => {
    const devices = valves(BOARDS)
    stand = await startStand({ devices, instruments: valveEntries(BOARDS), leaseMs: 3_000 })
    senders = watchSenders(stand)
  })
  after(async () => {
    senders.stop()
    await stand.close()
  })

  /** Gives each valve a command that takes longer than the lease; back when all have received theirs. */
  const giveSlowOnes = async (): Promise<{ id: string; value: number; board: number }[]> => {
    const given = await Promise.all(
      Array.from({ length: BOARDS }, async (_, board) => {
        const value = nextValue()
        // It takes the value and does not show it: the driver looks ten times, each quickly answered, 5 s in all.
        await stand.sim.device(`valve-${board}`).setFault({ kind: 'delay', ms: 400, act: false })
        const { id } = await submit(stand, value, { valve: `valve-${board}` })
        return { id, value, board }
      }),
    )
    await eventually(
      () => given.every(({ value, board }) => timesWritten(stand.sim.device(`valve-${board}`), value) === 1),
      { what: 'all valves are busy', timeoutMs: 20_000 },
    )
    return given
  }

  /** Each was carried out to its end, once, and nobody else spoke to its instrument meanwhile. */
  const areDone = async (given: { id: string; value: number; board: number }[]): Promise<CommandRecord[]> => {
    const records: CommandRecord[] = []
    for (const { id, value, board } of given) {
      const record = await stand.ended(id, 20_000)
      assert.equal(record.code, 'READBACK_MISMATCH', `${JSON.stringify(record)}\n${stand.log()}`)
      assert.equal(timesWritten(stand.sim.device(`valve-${board}`), value), 1)
      await stand.sim.device(`valve-${board}`).setFault(null)
      records.push(record)
    }
    await assertInTurn(stand, senders)
    return records
  }

  test('finishes them before it hands their links to a worker that has joined, and keeps its other links', async () => {
    await stand.addWorker()
    for (const { worker } of await areDone(await giveSlowOnes())) assert.equal(worker, 'worker-0')
    await eventually(
      async () => {
        const { instruments } = await stand.state()
        const owners = Object.values(instruments).map(({ owner }) => owner)
        return ['worker-0', 'worker-1'].every((name) => owners.filter((owner) => owner === name).length === 2)
      },
      { what: 'the two workers share the valves', timeoutMs: 20_000 },
    )
    assert.doesNotMatch(stand.log(), /link lost/)
  })

  test('finishes them when it is stopped, and nobody speaks to their instruments before', async () => {
    const given = await giveSlowOnes()
    const ending = stand.workers[0]?.kill('SIGTERM')
    await areDone(given)
    await ending
    assert.doesNotMatch(stand.log(), /link lost/)
  })
})
