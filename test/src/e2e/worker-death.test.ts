import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { WRITE, nextValue, slowWrites, submit, timesWritten, valveEntries, valves, written } from './valve.ts'

const VALVES = 4

/** Waits until living workers poll all valves; starts one when there is none. */
const ready = async (stand: Stand): Promise<void> => {
  if (!stand.workers.some(({ alive }) => alive)) await stand.addWorker()
  const living = new Set(stand.workers.filter(({ alive }) => alive).map(({ name }) => name))
  await eventually(
    async () =>
      Object.values((await stand.state()).instruments).every(
        ({ owner, condition }) => owner !== null && living.has(owner) && condition === 'ok',
      ),
    { what: 'living workers poll all valves', timeoutMs: 20_000 },
  )
}

/** Waits until that many workers have a share of the valves. */
const shared = (stand: Stand, workers: number): Promise<boolean> =>
  eventually(
    async () => {
      const owners = Object.values((await stand.state()).instruments).map(({ owner }) => owner)
      return new Set(owners).size === workers && !owners.includes(null)
    },
    { what: `${workers} workers share the valves`, timeoutMs: 20_000 },
  )

/** The worker that owns a valve, and all the valves it owns. */
const owner = async (stand: Stand): Promise<{ worker: NodeProcess; owned: string[] }> => {
  const { instruments } = await stand.state()
  const name = instruments['valve-0']?.owner
  const worker = stand.workers.find((each) => each.name === name)
  assert.ok(worker, `valve-0 is owned by ${name}`)
  return { worker, owned: Object.keys(instruments).filter((id) => instruments[id]?.owner === name) }
}

interface Interrupted {
  valve: string
  value: number
  id: string
  acted: boolean
}

/** Kills the owner of some valves when they have received a command each and do not answer; every other one acts. */
const killInTheMiddle = async (stand: Stand): Promise<Interrupted[]> => {
  const { worker, owned } = await owner(stand)
  assert.ok(owned.length >= 2)
  const interrupted: Interrupted[] = []
  for (const [n, valve] of owned.entries()) {
    const acted = n % 2 === 0
    await stand.sim.device(valve).setFault({ kind: 'silence', act: acted, times: 1, match: WRITE })
    const value = nextValue()
    const { id } = await submit(stand, value, { valve })
    interrupted.push({ valve, value, id, acted })
  }
  await eventually(
    () => interrupted.every(({ valve, value }) => timesWritten(stand.sim.device(valve), value) === 1),
    { what: 'all valves have received their commands' },
  )
  await worker.kill()
  return interrupted
}

/** Each is unknown, was sent once, and what became of it has been read back. */
const areSettled = async (stand: Stand, interrupted: readonly Interrupted[]): Promise<void> => {
  for (const { valve, value, id, acted } of interrupted) {
    const record = await stand.ended(id, 30_000)
    assert.equal(record.outcome, 'unknown', JSON.stringify(record))
    assert.equal(record.effect, 'unknown')
    assert.equal(record.code, 'WORKER_LOST')
    const settled = await eventually(async () => (await stand.record(id)).settled, {
      what: 'the unknown outcome is settled',
    })
    assert.equal(settled.effect, acted ? 'done' : 'none', JSON.stringify(settled))
    assert.equal(settled.value === value, acted)
    // The ledger may know of the new owner a moment before the web process does.
    await stand.until(valve, ({ condition }) => condition === 'ok', `${valve} is polled again`)
    const next = nextValue()
    const { body } = await stand.command(valve, { parameter: 'flow', value: next })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
    assert.equal(timesWritten(stand.sim.device(valve), value), 1, 'it was never sent again')
    assert.equal(timesWritten(stand.sim.device(valve), next), 1)
  }
}

describe('a worker that is killed', () => {
  let stand: Stand
  before(async () => {
    stand = await startStand({ devices: valves(VALVES), instruments: valveEntries(VALVES) })
  })
  after(() => stand.close())

  test('in the middle of exchanges: one started after it finds out what the devices did, and sends nothing again', async () => {
    await ready(stand)
    const interrupted = await killInTheMiddle(stand)
    await stand.addWorker()
    await areSettled(stand, interrupted)
  })

  test('in the middle of exchanges: one that stood by on the same machine does the same', async () => {
    await ready(stand)
    await stand.addWorker()
    await shared(stand, 2)
    await areSettled(stand, await killInTheMiddle(stand))
  })

  test('in the middle of exchanges: one on another machine, without its journal, does the same', async () => {
    await ready(stand)
    const interrupted = await killInTheMiddle(stand)
    await stand.addWorker({ ownDisk: true })
    await areSettled(stand, interrupted)
  })

  test('again and again under load: what was not begun is done in order, and nothing is sent twice', async () => {
    const valve = stand.sim.device('valve-0')
    await ready(stand)
    const given = new Map<string, number>()
    const kills = 3
    for (let n = 0; n < kills; n++) {
      await stand.addWorker()
      await ready(stand)
      for (let more = 0; more < 8; more++) {
        const value = nextValue()
        given.set((await submit(stand, value)).id, value)
      }
      await sleep(Math.random() * 150)
      await (await owner(stand)).worker.kill()
    }
    let undone = 0
    for (const [id, value] of given) {
      const record = await stand.ended(id, 60_000)
      const times = timesWritten(valve, value)
      if (record.outcome === 'done') assert.equal(times, 1, JSON.stringify(record))
      else {
        undone += 1
        assert.equal(record.code, 'WORKER_LOST', JSON.stringify(record))
        assert.ok(times <= (record.outcome === 'unknown' ? 1 : 0), JSON.stringify(record))
      }
    }
    assert.ok(undone <= kills, `${undone} commands were not done after ${kills} kills`)
    const values = new Set(given.values())
    const order = written(valve).filter((value) => values.has(value))
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  })

  test('loses nothing that waits: what it had just taken off the queue is done first, what is too old by then is refused', async () => {
    const valve = stand.sim.device('valve-0')
    await Promise.all(stand.workers.map((worker) => worker.kill()))
    await ready(stand)
    await (await owner(stand)).worker.kill()
    const [first, late, last] = [nextValue(), nextValue(), nextValue()]
    const taken = await submit(stand, first)
    const expired = await submit(stand, late, { validForMs: 100 })
    const valid = await submit(stand, last)
    // What BullMQ's worker leaves when it dies right after it has fetched a job.
    const bull = '{golem:test}:bull:valve-0'
    assert.equal(await stand.redis.call('rpoplpush', `${bull}:wait`, `${bull}:active`), taken.id)
    await sleep(Date.parse(expired.validUntil) - Date.parse(expired.submittedAt))
    await stand.addWorker()
    for (const { id } of [taken, valid]) {
      const record = await stand.ended(id, 20_000)
      assert.equal(record.outcome, 'done', JSON.stringify(record))
    }
    const refused = await stand.ended(expired.id)
    assert.equal(refused.outcome, 'refused')
    assert.equal(refused.effect, 'none')
    assert.equal(refused.code, 'COMMAND_EXPIRED')
    assert.deepEqual(written(valve).slice(-2), [first, last])
    assert.equal(timesWritten(valve, late), 0)
  })
})

describe('a worker that is stopped in an orderly way', () => {
  let stand: Stand
  before(async () => {
    // Longer than any test waits: whoever takes over in time did not wait for the lease to run out.
    stand = await startStand({ devices: valves(1), instruments: valveEntries(1), leaseMs: 60_000 })
  })
  after(() => stand.close())

  test('finishes what runs, and the next one takes over at once and does what waits', async () => {
    const valve = stand.sim.device('valve-0')
    const { worker: victim } = await owner(stand)
    await valve.setFault(slowWrites(1_500))
    const values = Array.from({ length: 5 }, nextValue)
    const ids: string[] = []
    for (const value of values) ids.push((await submit(stand, value)).id)
    await eventually(() => written(valve).includes(values[0] ?? 0), {
      what: 'the first is being carried out',
    })
    const ending = victim.kill('SIGTERM')
    await stand.addWorker()
    await ending
    for (const id of ids) {
      const record = await stand.ended(id, 20_000)
      assert.equal(record.outcome, 'done', JSON.stringify(record))
    }
    assert.deepEqual(written(valve), values)
    assert.equal((await stand.record(ids[0] ?? '')).worker, 'worker-0')
    assert.equal((await stand.record(ids[4] ?? '')).worker, 'worker-1')
  })
})
