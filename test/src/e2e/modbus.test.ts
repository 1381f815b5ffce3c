import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { StopState } from '@golem/core'
import type { SimulatedDevice } from '@golem/simulator'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** Two controllers behind one TCP connection, two more on one serial line. */
const UNITS = [
  ['tcp-1', 'tcp', 1],
  ['tcp-2', 'tcp', 2],
  ['line-1', 'line', 1],
  ['line-2', 'line', 2],
] as const
const LINES = [
  ['tcp', 'tcp-1', 'tcp-2'],
  ['line', 'line-1', 'line-2'],
] as const

let stand: Stand
before(async () => {
  stand = await startStand({
    leaseMs: 5_000,
    devices: [
      { name: 'tcp', kind: 'modbus', units: [1, 2] },
      { name: 'line', kind: 'modbus', line: 'rtu', units: [1, 2] },
    ],
    instruments: (address) =>
      UNITS.map(([id, device, unit]) => ({
        id,
        model: 'modbus-temperature-controller',
        address: address(device).replace(/\/1$/, `/${unit}`).replace('unit=1', `unit=${unit}`),
      })),
  })
})
after(() => stand.close())
beforeEach(async () => {
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  for (const [device] of LINES) {
    await sim(device).setFault(null)
    sim(device).resetCounters()
  }
  for (const [id] of UNITS) await answers(id)
})

const sim = (device: string): SimulatedDevice => stand.sim.device(device)
const answers = (id: string) =>
  stand.until(id, ({ condition }) => condition === 'ok', `${id} answers`, 30_000)
/** What a controller really has. */
const really = (device: string, unit: number): { setPoint: number; runs: boolean } =>
  (sim(device).state()['units'] as Record<number, { setPoint: number; runs: boolean }>)[unit] ?? assert.fail()
/** How often a register was written. */
const written = (device: string, unit: number, register: number): number =>
  sim(device).counters()[`6 /${unit}/${register}`] ?? 0

test('a set-point is written once to its own unit, is read back and shown', async () => {
  for (const [device, first, second] of LINES) {
    const [one, two] = await Promise.all([
      stand.command(first, { parameter: 'setpoint', value: 81.5 }),
      stand.command(second, { parameter: 'setpoint', value: 42 }),
    ])
    for (const { body } of [one, two])
      assert.deepEqual([body.outcome, body.effect], ['done', 'done'], JSON.stringify(body))
    assert.deepEqual([really(device, 1).setPoint, really(device, 2).setPoint], [81.5, 42])
    assert.deepEqual([written(device, 1, 1), written(device, 2, 1)], [1, 1])
    await stand.until(first, ({ readings }) => readings['setpoint']?.value === 81.5, 'it is shown')
    await stand.until(second, ({ readings }) => readings['setpoint']?.value === 42, 'it is shown')
    assert.deepEqual([sim(device).state()['overlaps'], sim(device).state()['clientFaults']], [0, 0])
  }
})

test('texts, floats and actions go the same way; what is out of the limits is not sent', async () => {
  const name = await stand.command('tcp-1', { parameter: 'name', value: 'left oven' })
  assert.equal(name.body.outcome, 'done', JSON.stringify(name.body))
  const go = await stand.command('tcp-1', { action: 'start', arguments: { setpoint: 60.5, ramp: 12.5 } })
  assert.equal(go.body.outcome, 'done', JSON.stringify(go.body))
  await stand.until(
    'tcp-1',
    ({ readings }) =>
      readings['name']?.value === 'left oven' &&
      readings['ramp']?.value === 12.5 &&
      readings['mode']?.value === 'run' &&
      readings['running']?.value === true &&
      Number(readings['power']?.value) > 0,
    'it shows',
  )
  sim('tcp').resetCounters()
  const tooHot = await stand.command('tcp-1', { parameter: 'setpoint', value: 301 })
  assert.deepEqual([tooHot.status, tooHot.body.code], [422, 'OUT_OF_RANGE'])
  assert.equal(written('tcp', 1, 1), 0)
})

test('a controller that takes a value and does not keep it: failed, and done something', async () => {
  for (const [device, id] of LINES) {
    const before = really(device, 1).setPoint
    await sim(device).setFault({ kind: 'stuck', match: { method: '6', path: '/1/1' }, times: 1 })
    const { body } = await stand.command(id, { parameter: 'setpoint', value: before + 5 })
    assert.deepEqual([body.outcome, body.code], ['failed', 'READBACK_MISMATCH'], JSON.stringify(body))
    assert.equal(written(device, 1, 1), 1)
  }
})

test('an exception is a refusal with its name; one that leaves it open is unknown and is settled by reading', async () => {
  for (const [device, id] of LINES) {
    await sim(device).setFault({
      kind: 'exception',
      value: 3,
      match: { method: '6', path: '/1/1' },
      times: 1,
    })
    const refused = await stand.command(id, { parameter: 'setpoint', value: 33 })
    assert.deepEqual(
      [refused.body.outcome, refused.body.effect, refused.body.code],
      ['failed', 'none', 'INSTRUMENT_REFUSED'],
    )
    assert.match(refused.body.message ?? '', /illegal data value/)
    await sim(device).setFault({
      kind: 'exception',
      value: 5,
      match: { method: '6', path: '/1/1' },
      times: 1,
    })
    const open = await stand.command(id, { parameter: 'setpoint', value: 34 })
    assert.equal(open.body.outcome, 'unknown', JSON.stringify(open.body))
    await eventually(async () => (await stand.record(open.body.id)).settled?.effect === 'none', {
      what: 'it is settled',
    })
    assert.equal(written(device, 1, 1), 2)
  }
})

test('a write without an answer is unknown, is sent once, and the unit beside it is not held up', async () => {
  for (const [device, first, second] of LINES) {
    await sim(device).setFault({ kind: 'silence', match: { method: '6', path: '/1/1' }, times: 1 })
    const value = device === 'tcp' ? 71 : 72
    const lost = await stand.command(first, { parameter: 'setpoint', value })
    assert.deepEqual(
      [lost.body.outcome, lost.body.code],
      ['unknown', 'REPLY_TIMEOUT'],
      JSON.stringify(lost.body),
    )
    const beside = await stand.command(second, { parameter: 'setpoint', value })
    assert.equal(beside.body.outcome, 'done', JSON.stringify(beside.body))
    await eventually(async () => (await stand.record(lost.body.id)).settled?.effect === 'done', {
      what: 'it is settled by reading',
    })
    assert.equal(written(device, 1, 1), 1)
  }
})

test('a broken sensor is no temperature', async () => {
  await sim('tcp').setFault({ kind: 'sensorMissing' })
  const { readings } = await stand.until(
    'tcp-1',
    (state) => state.readings['temperature']?.quality === 'bad',
    'the temperature is bad',
  )
  assert.match(readings['temperature']?.error ?? '', /sensor is broken/)
  assert.equal(readings['setpoint']?.quality, 'good')
})

test('pulled out and plugged in again: lost with a sentence, nothing is sent, and back by itself', async () => {
  for (const [device, first, second] of LINES) {
    await sim(device).unplug()
    for (const id of [first, second]) {
      await stand.until(id, ({ condition }) => condition === 'lost', `${id} is lost`, 30_000)
    }
    const { body } = await stand.command(first, { parameter: 'setpoint', value: 20 })
    assert.deepEqual([body.outcome, body.effect, body.code], ['refused', 'none', 'LINK_DOWN'])
    await sim(device).replug()
    for (const id of [first, second]) await answers(id)
    const back = await stand.command(first, { parameter: 'setpoint', value: 21 })
    assert.equal(back.body.outcome, 'done', JSON.stringify(back.body))
  }
})

test('the emergency stop stops all of them, also one that has just been asked something else', async () => {
  for (const [id] of UNITS) {
    const { body } = await stand.command(id, { parameter: 'mode', value: 'run' })
    assert.equal(body.outcome, 'done', JSON.stringify(body))
  }
  for (const [device] of LINES) {
    await sim(device).setFault({ kind: 'delay', ms: 300, match: { method: '6', path: '/1/1' } })
  }
  const asked = await Promise.all(
    LINES.map(([, first]) => stand.command(first, { parameter: 'setpoint', value: 90 }, { wait: 0 })),
  )
  await eventually(() => LINES.every(([device]) => written(device, 1, 1) === 1), { what: 'they were sent' })
  const stop = await stand.api<StopState>('/api/stop', { method: 'POST', body: {} })
  assert.equal(stop.status, 200)
  await eventually(() => LINES.every(([device]) => [1, 2].every((unit) => !really(device, unit).runs)), {
    what: 'all of them are stopped',
    timeoutMs: 5_000,
  })
  for (const { body } of asked) assert.equal((await stand.ended(body.id)).outcome, 'unknown')
  const refused = await stand.command('line-2', { parameter: 'mode', value: 'run' })
  assert.equal(refused.body.code, 'STOPPED')
  for (const [id] of UNITS) {
    await stand.until(id, ({ readings }) => readings['mode']?.value === 'stop', `${id} shows it`)
  }
})
