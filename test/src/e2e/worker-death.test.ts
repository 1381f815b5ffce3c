import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, type WorkerPlace, startStand } from '../kit/stand.ts'
import { WRITE, nextValue, slowWrites, timesWritten, valveEntries, valves, written } from './valve.ts'

const KEY = '{golem:test}'

/** Hands a command to the valve over without waiting for its outcome. */
const submit = async (stand: Stand, value: number, validForMs = 60_000): Promise<CommandRecord> => {
  const { status, body } = await stand.command(
    'valve-0',
    { parameter: 'flow', value, validForMs },
    { wait: 0 },
  )
  assert.equal(status, 202, JSON.stringify(body))
  return body
}

/** The worker that owns the valve now, by the lease in Redis. */
const owner = async (stand: Stand): Promise<NodeProcess> => {
  const { host } = new URL(stand.sim.device('valve-0').address)
  return eventually(
    async () => {
      const lease = await stand.redis.call('get', `${KEY}:lease:http:${host}`)
      return stand.workers[Number(/^worker-(\d+) /.exec(lease)?.[1])]
    },
    { what: 'the valve has an owner' },
  )
}

/** Kills every worker, starts one, and waits until it has the valve. */
const onlyOne = async (stand: Stand): Promise<NodeProcess> => {
  await Promise.all(stand.workers.map((worker) => worker.kill()))
  const worker = await stand.addWorker()
  const name = `worker-${stand.workers.length - 1}`
  await stand.until(
    'valve-0',
    (state) => state.owner === name && state.condition === 'ok',
    `${name} polls it`,
  )
  return worker
}

/** Gives a command and kills the valve's owner when the valve has received it and does not answer. */
const killInTheMiddle = async (stand: Stand, act: boolean): Promise<{ id: string; value: number }> => {
  const valve = stand.sim.device('valve-0')
  const victim = await owner(stand)
  await valve.setFault({ kind: 'silence', act, times: 1, match: WRITE })
  const value = nextValue()
  const { id } = await submit(stand, value)
  await eventually(() => timesWritten(valve, value) === 1, { what: 'the valve has received the command' })
  await victim.kill()
  return { id, value }
}

/** The command is unknown, was sent once, and what became of it has been read back. */
const isSettled = async (stand: Stand, id: string, value: number, effect: 'done' | 'none') => {
  const valve = stand.sim.device('valve-0')
  const record = await stand.ended(id, 30_000)
  assert.equal(record.outcome, 'unknown', JSON.stringify(record))
  assert.equal(record.effect, 'unknown')
  assert.equal(record.code, 'WORKER_LOST')
  const settled = await eventually(async () => (await stand.record(id)).settled, {
    what: 'the unknown outcome is settled',
  })
  assert.equal(settled.effect, effect, JSON.stringify(settled))
  assert.equal(settled.value === value, effect === 'done')
  const next = nextValue()
  const { body } = await stand.command('valve-0', { parameter: 'flow', value: next })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  assert.equal(timesWritten(valve, value), 1, 'it was never sent again')
  assert.equal(timesWritten(valve, next), 1)
}

describe('a worker that is killed', () => {
  let stand: Stand
  before(async () => {
    stand = await startStand({ devices: valves(1), instruments: valveEntries(1) })
  })
  after(() => stand.close())
  afterEach(() => stand.sim.device('valve-0').setFault(null))

  const successors: [string, WorkerPlace | 'before'][] = [
    ['a worker that is started after it', {}],
    ['a worker that stood by on the same machine', 'before'],
    ['a worker on another machine', { ownDisk: true }],
  ]
  for (const [who, place] of successors) {
    for (const act of [true, false]) {
      const acted = act ? 'acted' : 'did not act'
      test(`in the middle of an exchange, when the device ${acted}: ${who} finds that out, and sends it never again`, async () => {
        await onlyOne(stand)
        if (place === 'before') await stand.addWorker()
        const { id, value } = await killInTheMiddle(stand, act)
        if (place !== 'before') await stand.addWorker(place)
        await isSettled(stand, id, value, act ? 'done' : 'none')
      })
    }
  }

  test('again and again under load leaves no command undone that was not begun, and sends none twice', async () => {
    const valve = stand.sim.device('valve-0')
    await onlyOne(stand)
    const given = new Map<string, number>()
    const kills = 5
    for (let n = 0; n < kills; n++) {
      for (let more = 0; more < 6; more++) {
        const value = nextValue()
        given.set((await submit(stand, value)).id, value)
      }
      await stand.addWorker()
      await sleep(Math.random() * 150)
      await (await owner(stand)).kill()
    }
    await stand.addWorker()
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
    const order = written(valve).filter((value) => [...given.values()].includes(value))
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  })

  test('between taking a command off the queue and beginning it loses nothing: its successor does it, in its turn', async () => {
    const valve = stand.sim.device('valve-0')
    await onlyOne(stand)
    await (await owner(stand)).kill()
    const [first, second] = [nextValue(), nextValue()]
    const ids = [(await submit(stand, first)).id, (await submit(stand, second)).id]
    // What BullMQ's worker leaves when it dies right after it has fetched a job.
    const bull = `${KEY}:bull:valve-0`
    assert.equal(await stand.redis.call('rpoplpush', `${bull}:wait`, `${bull}:active`), ids[0])
    await stand.addWorker()
    for (const id of ids) assert.equal((await stand.ended(id, 20_000)).outcome, 'done')
    assert.deepEqual(written(valve).slice(-2), [first, second])
  })

  test('and has no successor in time: what waited past its valid-until is refused, what is still valid is done', async () => {
    const valve = stand.sim.device('valve-0')
    await onlyOne(stand)
    await (await owner(stand)).kill()
    const [late, good] = [nextValue(), nextValue()]
    const expired = await submit(stand, late, 100)
    const valid = await submit(stand, good)
    await eventually(
      async () => Date.now() > Date.parse(expired.validUntil) + 100 && (await Promise.resolve(true)),
      {
        what: 'the first is too old',
      },
    )
    await stand.addWorker()
    const record = await stand.ended(expired.id)
    assert.equal(record.code, 'COMMAND_EXPIRED', JSON.stringify(record))
    assert.equal((await stand.ended(valid.id)).outcome, 'done')
    assert.equal(timesWritten(valve, late), 0)
    assert.equal(timesWritten(valve, good), 1)
  })
})

describe('a worker that is stopped in an orderly way', () => {
  let stand: Stand
  before(async () => {
    // Longer than any test waits: whoever takes over in time did not wait for the lease to run out.
    stand = await startStand({ devices: valves(2), instruments: valveEntries(2), leaseMs: 60_000 })
  })
  after(() => stand.close())

  test('finishes what runs, and the next one takes over at once and does what waits', async () => {
    const valve = stand.sim.device('valve-0')
    const victim = await owner(stand)
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
