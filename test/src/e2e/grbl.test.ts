import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, StopState } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const ACCELERATION = 200
const TRAVEL = { x: [0, 200], y: [0, 200], z: [0, 50] }
/** The same stage by serial port and by TCP. */
const STAGES = ['stage', 'net-stage'] as const
type StageName = (typeof STAGES)[number]

let stand: Stand
before(async () => {
  const stage = { kind: 'grbl', acceleration: ACCELERATION, homingSeconds: 0.3, dropStatusEvery: 7 } as const
  stand = await startStand({
    leaseMs: 10_000,
    devices: [
      { ...stage, name: 'stage' },
      { ...stage, name: 'net-stage', line: 'tcp' },
    ],
    instruments: (address) =>
      STAGES.map((id) => ({
        id,
        model: 'grbl',
        address: address(id),
        options: { travel: TRAVEL, feed: 1200, maxSpindle: 10_000 },
      })),
    // It does not know where it stands at first, which is not `ok`.
    settled: false,
  })
})
after(() => stand.close())
beforeEach(async () => {
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  for (const id of STAGES) {
    await stand.sim.device(id).setFault(null)
    await stand.sim.device(id).replug()
    await stand.until(id, ({ readings }) => readings['state']?.quality === 'good', `${id} reports`, 30_000)
    await home(id)
    stand.sim.device(id).resetCounters()
  }
})

interface Truth {
  state: string
  position: [number, number, number]
  moving: boolean
  spindle: number
  stopped: { at: [number, number, number]; speed: number } | null
  mostOutstanding: number
}
const truth = (id: StageName): Truth => stand.sim.device(id).state() as unknown as Truth
const sent = (id: StageName, body: string | RegExp): number =>
  stand.sim
    .device(id)
    .requests()
    .filter((request) => (typeof body === 'string' ? request.body === body : body.test(request.body))).length

async function done(id: StageName, body: Record<string, unknown>): Promise<CommandRecord> {
  const { body: record } = await stand.command(id, body, { wait: 20 })
  assert.equal(record.outcome, 'done', JSON.stringify(record))
  return record
}

async function home(id: StageName): Promise<void> {
  await done(id, { action: 'home' })
  await stand.until(id, ({ condition }) => condition === 'ok', `${id} knows its position`)
}

/** Starts a long way and waits until it is in the middle of it. @returns the id of the command */
async function underWay(id: StageName): Promise<string> {
  const { body } = await stand.command(id, { parameter: 'x', value: 180 }, { wait: 0 })
  await eventually(() => truth(id).position[0] > 10, { what: `${id} moves` })
  return body.id
}

const stopAll = (): Promise<{ body: StopState }> =>
  stand.api<StopState>('/api/stop', { method: 'POST', body: { reason: 'smoke' } })

for (const id of STAGES) {
  test(`${id}: a movement ends when the stage has arrived, and is seen on the way`, async () => {
    const seen = new Set<unknown>()
    const moving = done(id, { parameter: 'x', value: 20 })
    let over = false
    const watch = (async () => {
      while (!over) {
        const { readings } = (await stand.state()).instruments[id] ?? {}
        if (readings?.['state']?.value === 'Run') seen.add(readings['x']?.value)
        await sleep(50)
      }
    })()
    await moving
    assert.deepEqual([truth(id).position[0], truth(id).state], [20, 'Idle'])
    over = true
    await watch
    assert.ok(seen.size >= 2, `seen on the way: ${[...seen].join(', ')}`)
    assert.equal(sent(id, /^G21/), 1)
    assert.equal(truth(id).mostOutstanding, 1)
    await stand.until(id, ({ readings }) => readings['x']?.value === 20, 'its position is read')
  })

  test(`${id}: a stop in the middle of a movement freezes it, ends the spindle, and the position is not known`, async () => {
    await done(id, { parameter: 'spindle', value: 5000 })
    const moving = await underWay(id)
    const began = performance.now()
    await stopAll()
    await eventually(() => !truth(id).moving, { what: 'it stands', timeoutMs: 5_000 })
    const took = performance.now() - began
    const { position, stopped, state, spindle } = truth(id)
    assert.ok(stopped)
    const way = position[0] - stopped.at[0]
    const allowed = stopped.speed ** 2 / (2 * ACCELERATION)
    assert.ok(way >= 0 && way <= allowed + 0.01, `${way} mm after the stop, ${allowed} mm allowed`)
    assert.ok(took < 2_000, `it took ${took} ms`)
    assert.deepEqual([state, spindle], ['Alarm', 0])
    const record = await stand.ended(moving)
    assert.deepEqual([record.outcome, record.code], ['unknown', 'INTERRUPTED'])

    const { readings } = await stand.until(
      id,
      (now) => now.readings['positionKnown']?.value === false && now.readings['state']?.value === 'Alarm',
      'it says that it does not know its position',
    )
    assert.match(readings['x']?.error ?? '', /not known/)
    const { length: before } = stand.sim
      .device(id)
      .requests()
      .filter(({ method }) => method === 'G2')
    await stand.api('/api/stop/release', { method: 'POST', body: {} })
    await sleep(500)
    assert.deepEqual(truth(id).position, position, 'release moves nothing')
    const { body: refused } = await stand.command(id, { parameter: 'x', value: 5 })
    assert.match(refused.message ?? '', /not known/)
    assert.equal(
      stand.sim
        .device(id)
        .requests()
        .filter(({ method }) => method === 'G2').length,
      before,
    )
    await home(id)
    await done(id, { parameter: 'x', value: 5 })
  })
}

test('a stop goes out while the stage finds its home, and while an ok is outstanding', async () => {
  const { body: homing } = await stand.command('stage', { action: 'home' }, { wait: 0 })
  await eventually(() => truth('stage').state === 'Home', { what: 'it goes home' })
  await stopAll()
  await eventually(() => truth('stage').state === 'Alarm', { what: 'going home has ended' })
  assert.equal((await stand.ended(homing.id)).outcome, 'unknown')
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  await home('stage')

  await stand.sim.device('stage').setFault({ kind: 'silence', match: { method: 'G2' } })
  const { body: unanswered } = await stand.command('stage', { parameter: 'x', value: 150 }, { wait: 0 })
  await eventually(() => truth('stage').moving, { what: 'it moves' })
  await stopAll()
  await eventually(() => !truth('stage').moving, { what: 'it stands', timeoutMs: 2_000 })
  assert.ok(truth('stage').position[0] < 150)
  assert.equal((await stand.ended(unanswered.id)).outcome, 'unknown')
})

test('a target outside the travel is refused before anything is sent; an alarm ends a movement with its reason', async () => {
  const { status, body } = await stand.command('stage', { parameter: 'x', value: 201 })
  assert.deepEqual([status, body.code], [422, 'OUT_OF_RANGE'])
  assert.equal(sent('stage', /^G21/), 0)
  const moving = await underWay('stage')
  const device = stand.sim.device('stage') as unknown as { alarm: (number: number) => void }
  device.alarm(1)
  const record = await stand.ended(moving)
  assert.deepEqual([record.outcome, record.effect], ['unknown', 'unknown'])
  assert.match(record.message ?? '', /limit switch/)
  await stand.until(
    'stage',
    ({ readings }) => /limit switch/.test(String(readings['alarm']?.value)),
    'the alarm is shown',
  )
})

test('a hold without waiting stops it with its position, and it goes on after that', async () => {
  await done('stage', { action: 'move', arguments: { x: 60, y: 0, z: 0, feed: 1200, wait: false } })
  await eventually(() => truth('stage').position[0] > 5, { what: 'it moves' })
  await done('stage', { action: 'hold' })
  await eventually(() => !truth('stage').moving, { what: 'it holds' })
  const { readings } = await stand.until(
    'stage',
    (now) => now.readings['state']?.value === 'Hold',
    'it says so',
  )
  assert.equal(readings['positionKnown']?.value, true)
  await done('stage', { parameter: 'feedOverride', value: 150 })
  await done('stage', { action: 'resume' })
  await eventually(() => truth('stage').position[0] === 60, { what: 'it arrives', timeoutMs: 10_000 })
})

test('the cable is pulled out while it moves: the command is unknown at once, nothing is repeated, and it has to go home', async () => {
  const moving = await underWay('stage')
  await stand.sim.device('stage').unplug()
  const record = await stand.ended(moving)
  assert.deepEqual([record.outcome, record.effect], ['unknown', 'unknown'], JSON.stringify(record))
  await stand.until('stage', ({ condition }) => condition === 'lost', 'it is lost', 30_000)
  await stand.sim.device('stage').replug()
  await stand.until(
    'stage',
    ({ readings }) => readings['positionKnown']?.value === false,
    'it is back',
    30_000,
  )
  assert.equal(sent('stage', /^G21/), 1)
  // It went on: nobody could tell it otherwise.
  await eventually(() => truth('stage').state === 'Idle', {
    what: 'it has come to its end',
    timeoutMs: 20_000,
  })
  const { body } = await stand.command('stage', { parameter: 'x', value: 5 })
  assert.match(body.message ?? '', /not known/)
  await home('stage')
})

test('a stop that comes while the cable is out is sent when it is plugged in again', async () => {
  await underWay('stage')
  await stand.sim.device('stage').unplug()
  await stopAll()
  await stand.sim.device('stage').replug()
  await eventually(() => sent('stage', '0x18') > 0, { what: 'the reset has come', timeoutMs: 20_000 })
  await eventually(() => !truth('stage').moving, { what: 'it stands', timeoutMs: 5_000 })
})

test('a controller that boots in the middle is noticed, and does not know its position any more', async () => {
  const moving = await underWay('stage')
  await stand.sim.device('stage').setFault({ kind: 'reboot', seconds: 0.5 })
  assert.equal((await stand.ended(moving)).outcome, 'unknown')
  await stand.until(
    'stage',
    ({ readings }) => readings['positionKnown']?.value === false,
    'it says so',
    20_000,
  )
  await home('stage')
})

test('garbage, halves, doubles and late answers: no wrong position, no movement twice', async () => {
  for (const kind of ['garbage', 'cut', 'duplicate', 'late'] as const) {
    await stand.sim.device('stage').setFault({ kind, times: 1, match: { method: '?' } })
    await done('stage', { parameter: 'y', value: kind.length })
    assert.equal(truth('stage').position[1], kind.length)
  }
  assert.equal(sent('stage', /^G21/), 4)
  for (const [n, kind] of (['cut', 'garbage', 'late'] as const).entries()) {
    await stand.sim.device('stage').setFault({ kind, times: 1, match: { method: 'G2' } })
    const { body } = await stand.command('stage', { parameter: 'y', value: 20 + n }, { wait: 20 })
    assert.equal(body.outcome, 'unknown', `${kind}: ${JSON.stringify(body)}`)
    assert.equal(sent('stage', new RegExp(`Y${20 + n}\\.`)), 1, kind)
    await eventually(() => truth('stage').state === 'Idle', { what: 'it stands' })
    await stand.until(
      'stage',
      ({ readings }) => readings['positionKnown']?.value === false,
      'it does not know',
    )
    await home('stage')
  }
})
