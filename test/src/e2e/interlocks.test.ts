import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InterlockRecord, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Answer, type Stand, relayBoard, startStand } from '../kit/stand.ts'

const LEASE_MS = 4_000
const MAX_AGE_MS = 1_500
/** What a busy machine may take on top of what is promised, in ms. */
const SLACK_MS = 1_500

/** Relay 0 of `door` stands for a switch that says "open"; relays of `oven` for a heater (1) and a fan (2). */
const INTERLOCKS = [
  {
    name: 'door',
    watch: { reading: 'door.relay0', equals: true, maxAge: `${MAX_AGE_MS} ms` },
    trip: { 'oven.relay1': false, 'oven.relay2': true },
    guidance: 'Shut the door.',
  },
  // Its reading may be old for longer than a worker without Redis may send.
  {
    name: 'slow',
    watch: { reading: 'door.relay1', equals: true, maxAge: '1 min', for: '1 min' },
    trip: { 'oven.relay3': false },
  },
  {
    name: 'quiet',
    watch: { reading: 'oven.relay3', equals: true },
    refuse: ['door.relay3'],
  },
]

const relays = (stand: Stand, board: string): number[] =>
  stand.sim.device(board).state()['relays'] as number[]

async function start(): Promise<Stand> {
  const stand = await startStand({
    workers: 0,
    devices: [relayBoard('door'), relayBoard('oven')],
    instruments: (address) => [
      { id: 'door', model: 'esp32-relay', address: address('door'), host: 'left' },
      { id: 'oven', model: 'esp32-relay', address: address('oven'), host: 'right' },
    ],
    leaseMs: LEASE_MS,
    site: { interlocks: INTERLOCKS },
  })
  await Promise.all([stand.addWorker({ host: 'left' }), stand.addWorker({ host: 'right' })])
  await ready(stand)
  return stand
}

/** Both boards answer, and nothing is tripped. */
async function ready(stand: Stand): Promise<void> {
  for (const id of ['door', 'oven']) {
    await stand.until(
      id,
      ({ condition, interlocks = [] }) =>
        condition === 'ok' && interlocks.length > 0 && interlocks.every((one) => one.condition === 'clear'),
      `${id} answers and all its interlocks are clear`,
      30_000,
    )
  }
}

const set = async (stand: Stand, board: string, relay: number, value: boolean) =>
  (await stand.command(board, { parameter: `relay${relay}`, value })).body

async function done(stand: Stand, board: string, relay: number, value: boolean): Promise<void> {
  const record = await set(stand, board, relay, value)
  assert.equal(record.outcome, 'done', JSON.stringify(record))
}

const reset = (
  stand: Stand,
  name: string,
): Promise<Answer<InterlockRecord & { code?: string; detail?: string }>> =>
  stand.api(`/api/interlocks/${name}/reset`, { method: 'POST', body: { note: 'looked at it' } })

const isHeld = (stand: Stand): boolean => relays(stand, 'oven')[1] === 0 && relays(stand, 'oven')[2] === 1

/** Heater on, fan off: the opposite of what the interlock wants. */
async function heat(stand: Stand): Promise<void> {
  await done(stand, 'oven', 2, false)
  await done(stand, 'oven', 1, true)
  assert.ok(!isHeld(stand))
}

/** The door is shut, and all that has tripped is reset. */
async function settle(stand: Stand): Promise<void> {
  await done(stand, 'door', 0, false)
  await eventually(
    async () => {
      const { interlocks } = await stand.state()
      for (const { name } of interlocks) await reset(stand, name)
      return interlocks.length === 0
    },
    { what: 'all is reset', everyMs: 200 },
  )
  await ready(stand)
}

describe('an interlock whose reading and outputs are of two workers', () => {
  let stand: Stand
  before(async () => {
    stand = await start()
  })
  after(() => stand.close())
  afterEach(async () => {
    await stand.sim.device('oven').setFault(null)
    await settle(stand)
  })

  test('trips, refuses what would undo it, and waits for a person after its cause is over', async () => {
    await heat(stand)
    await done(stand, 'door', 0, true)
    await eventually(() => isHeld(stand), { what: 'heater off, fan on', timeoutMs: 2_000, everyMs: 5 })
    const refused = await set(stand, 'oven', 1, true)
    assert.deepEqual([refused.outcome, refused.code], ['refused', 'INTERLOCKED'], JSON.stringify(refused))
    assert.match(refused.message ?? '', /"door".*door\.relay0 is true.*Shut the door/)
    await done(stand, 'oven', 1, false)
    const action = await stand.command('oven', { action: 'reset', arguments: {} })
    assert.equal(action.body.code, 'INTERLOCKED', 'nobody can tell what an action does')

    const early = await reset(stand, 'door')
    assert.deepEqual([early.status, early.body.code], [409, 'INTERLOCKED'])
    await done(stand, 'door', 0, false)
    await stand.until(
      'oven',
      ({ interlocks = [] }) => interlocks.some(({ condition }) => condition === 'latched'),
      'it waits for a person',
    )
    assert.equal((await stand.state()).interlocks[0]?.name, 'door')
    assert.equal((await set(stand, 'oven', 1, true)).code, 'INTERLOCKED')
    const { status, body } = await reset(stand, 'door')
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual([body.tripped, body.reset?.note], [null, 'looked at it'])
    await ready(stand)
    assert.deepEqual((await stand.state()).interlocks, [])
    assert.ok(isHeld(stand), 'nothing is switched back on by a reset')
    await heat(stand)
    const { body: events } = await stand.api<SiteEvent[]>('/api/events?kind=interlock')
    const told = events.map(({ message }) => message).join('\n')
    assert.match(told, /interlock door tripped: door\.relay0 is true/)
    assert.match(told, /relay1 = false, relay2 = true/)
    assert.match(told, /interlock door reset: looked at it/)
    assert.equal((await reset(stand, 'nothing')).status, 404)
  })

  test('interrupts what runs, and refuses what waits', async () => {
    await heat(stand)
    await stand.sim.device('oven').setFault({ kind: 'silence', match: { method: 'POST' }, times: 1 })
    const running = await stand.command('oven', { parameter: 'relay0', value: true }, { wait: 0 })
    const waiting = await stand.command('oven', { parameter: 'relay1', value: true }, { wait: 0 })
    await done(stand, 'door', 0, true)
    await eventually(() => isHeld(stand), { what: 'heater off, fan on', timeoutMs: 1_500 })
    assert.equal((await stand.ended(running.body.id)).code, 'INTERRUPTED')
    assert.equal((await stand.ended(waiting.body.id)).code, 'INTERLOCKED')
    assert.ok(isHeld(stand))
  })

  test('refuses, and lets the safe value through; local and remote readings alike', async () => {
    await done(stand, 'oven', 3, true)
    await stand.until(
      'door',
      ({ interlocks = [] }) => interlocks.some(({ refused }) => refused.includes('relay3')),
      'the page says what is refused',
    )
    assert.equal((await set(stand, 'door', 3, true)).code, 'INTERLOCKED')
    await done(stand, 'door', 3, false)
    await done(stand, 'oven', 3, false)
    await stand.until(
      'door',
      ({ interlocks = [] }) => interlocks.every(({ condition }) => condition === 'clear'),
      'clear',
    )
    await done(stand, 'door', 3, true)
  })

  test('what somebody switches at the bench is switched back while it holds', async () => {
    await heat(stand)
    await done(stand, 'door', 0, true)
    await eventually(() => isHeld(stand), { what: 'heater off, fan on' })
    const url = stand.sim.device('oven').address
    await fetch(new URL('/relay', url), { method: 'POST', body: JSON.stringify({ channel: 1, state: 1 }) })
    assert.ok(!isHeld(stand))
    await eventually(() => isHeld(stand), { what: 'it is off again', timeoutMs: 5_000 })
  })

  test('never fights with the emergency stop: its values hold, and those of the interlock come after its release', async () => {
    await heat(stand)
    await done(stand, 'door', 0, true)
    await eventually(() => isHeld(stand), { what: 'heater off, fan on' })
    await stand.api('/api/stop', { method: 'POST' })
    await eventually(
      async () => {
        const { body } = await stand.api<SiteEvent[]>('/api/events?kind=safe&instrument=oven')
        return body.some(({ message }) => message.includes('relay3 = false'))
      },
      { what: 'all is written' },
    )
    stand.sim.device('oven').resetCounters()
    await sleep(3_000)
    const writes = stand.sim.device('oven').counters()['POST /relay'] ?? 0
    assert.equal(writes, 0, 'nothing is written while all is as the stop wants it')
    assert.deepEqual(relays(stand, 'oven'), [0, 0, 0, 0])
    const released = await stand.api('/api/stop/release', { method: 'POST', body: {} })
    assert.equal(released.status, 200)
    await eventually(() => isHeld(stand), { what: 'the fan is on again', timeoutMs: 5_000 })
  })

  test('a worker handed over, or a second one that joins, trips nothing', async () => {
    await heat(stand)
    const [left] = stand.workers
    await stand.addWorker({ host: 'left' })
    await left?.kill('SIGTERM')
    await stand.until(
      'door',
      ({ owner, condition }) => owner === 'worker-2' && condition === 'ok',
      'handed over',
    )
    await sleep(MAX_AGE_MS + 500)
    assert.deepEqual((await stand.state()).interlocks, [], stand.log())
    assert.ok(!isHeld(stand))
  })
})

describe('an interlock fails safe', () => {
  let stand: Stand
  before(async () => {
    stand = await start()
  })
  after(() => stand.close())

  test('the worker that reads is killed: it trips when the reading is as old as it may be, and stays so', async () => {
    await heat(stand)
    const [left] = stand.workers
    const killedAt = performance.now()
    await left?.kill()
    await eventually(() => isHeld(stand), { what: 'heater off, fan on', timeoutMs: 10_000, everyMs: 10 })
    const took = performance.now() - killedAt
    assert.ok(took > MAX_AGE_MS - 500 && took < MAX_AGE_MS + SLACK_MS, `${took} ms`)
    await stand.addWorker({ host: 'left' })
    await stand.until(
      'oven',
      ({ interlocks = [] }) => interlocks.some(({ condition }) => condition === 'latched'),
      'it waits for a person though the reading is back',
      20_000,
    )
    await settle(stand)
  })

  test('Redis freezes: it trips before the worker may send no more, also what allows old readings', async () => {
    await done(stand, 'oven', 3, true)
    await heat(stand)
    stand.redis.freeze()
    const frozenAt = performance.now()
    try {
      await eventually(() => isHeld(stand), { what: 'heater off, fan on', timeoutMs: 10_000, everyMs: 10 })
      const took = performance.now() - frozenAt
      assert.ok(took < MAX_AGE_MS + SLACK_MS, `${took} ms`)
      await eventually(() => relays(stand, 'oven')[3] === 0, {
        what: 'the slow one has tripped too',
        timeoutMs: LEASE_MS,
      })
      assert.ok(performance.now() - frozenAt < LEASE_MS)
      await sleep(2_000)
    } finally {
      stand.redis.resume()
    }
    await stand.until('door', ({ condition }) => condition === 'ok', 'all is back', 30_000)
    await eventually(async () => (await stand.state()).interlocks.length === 2, {
      what: 'both trips are known to Redis',
      timeoutMs: 20_000,
    })
    assert.equal((await set(stand, 'oven', 1, true)).code, 'INTERLOCKED')
    await settle(stand)
  })

  test('a trip outlives its worker: from Redis on another machine, from the disk when Redis has lost it', async () => {
    await stand.redis.mark()
    await heat(stand)
    await done(stand, 'door', 0, true)
    await eventually(() => isHeld(stand), { what: 'heater off, fan on' })
    await done(stand, 'door', 0, false)
    await eventually(async () => (await stand.state()).interlocks.length === 1, { what: 'Redis knows of it' })

    const kill = () =>
      Promise.all(
        stand.workers.filter(({ alive, name }) => alive && name !== 'worker-2').map((one) => one.kill()),
      )
    await kill()
    await stand.addWorker({ host: 'right', ownDisk: true })
    await isLatched()
    await kill()
    await stand.redis.killAndRollBack()
    await eventually(async () => (await stand.state()).interlocks.length === 0, { what: 'Redis has lost it' })
    await stand.addWorker({ host: 'right' })
    await isLatched()
    await eventually(async () => (await stand.state()).interlocks.length === 1, {
      what: 'Redis knows of it again',
    })
    await settle(stand)

    async function isLatched(): Promise<void> {
      await stand.until(
        'oven',
        ({ condition, interlocks = [] }) =>
          condition === 'ok' &&
          interlocks.some(({ name, condition: found }) => name === 'door' && found === 'latched'),
        'it waits for a person',
        30_000,
      )
      assert.equal((await set(stand, 'oven', 1, true)).code, 'INTERLOCKED')
    }
  })
})
