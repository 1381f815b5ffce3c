import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { demoDevices, type DeviceSpec } from '@golem/simulator'
import { Runs } from '../kit/runs.ts'
import { type Stand, startStand } from '../kit/stand.ts'

/** The demo's devices under the names of its instruments, which are those that the recipes name. */
const NAMES: Readonly<Record<string, string>> = {
  'relay-1': 'exp-board',
  'relay-2': 'co2-board',
  'relay-3': 'control-board',
  'relay-5': 'test-board',
  'lamp-0': 'exp-lamp',
  'lamp-1': 'control-lamp',
  sba5: 'co2',
  supply: 'supply',
  meter: 'meter',
}

const CHAMBER_BOARD = ['relay2 true', 'relay3 true', 'relay0 true', 'relay1 true']
const ALL_OFF = ['relay0 false', 'relay1 false', 'relay2 false', 'relay3 false']

let stand: Stand
let runs: Runs

before(async () => {
  const devices = demoDevices().flatMap((spec): DeviceSpec[] => {
    const name = NAMES[spec.name]
    if (name === undefined) return []
    return [
      {
        ...spec,
        name,
        ...(spec.kind === 'sba5' ? { warmUpSeconds: 0.2, zeroSeconds: 0.5 } : {}),
        ...(spec.kind === 'esp32-relay' ? { sensorCycleSeconds: 0.1 } : {}),
      },
    ]
  })
  stand = await startStand({ devices, schedulers: 1, settled: false })
  runs = new Runs(stand)
})
after(() => stand.close())

/** Starts a recipe as soon as its instruments are known, and waits for its end. */
async function carriedOut(recipe: string, parameters: object, more: object = {}) {
  await runs.recipe(recipe)
  const id = await runs.start(recipe, parameters, more)
  const run = await runs.ended(id, 60_000)
  assert.equal(run.end, 'completed', run.message)
  return { id, run, written: await runs.written(id), rows: await runs.rows(id) }
}

const onBoard = (board: string, writes: readonly string[]) => writes.map((write) => `${board}.${write} done`)

test('ventilation: valves, fans, and all off again; another chamber by its role', async () => {
  const times = { duration: '1 s', valveTime: '200 ms' }
  const [experiment, control] = await Promise.all([
    carriedOut('ventilation', times),
    carriedOut('ventilation', times, { instruments: { board: 'control-board' } }),
  ])
  assert.deepEqual(experiment.written, onBoard('exp-board', [...CHAMBER_BOARD, ...ALL_OFF]))
  assert.deepEqual(control.written, onBoard('control-board', [...CHAMBER_BOARD, ...ALL_OFF]))
  assert.equal(experiment.run.progress.stages, 2)
})

test('ventilation that is stopped while the fans run switches them off and shuts the valves', async () => {
  const id = await runs.start('ventilation', { valveTime: '0 s' })
  await stand.until('exp-board', ({ readings }) => readings['relay1']?.value === true, 'the fans run')
  await runs.ask(id, 'stop')
  assert.equal((await runs.ended(id)).end, 'stopped')
  assert.deepEqual((await runs.written(id)).slice(-4), onBoard('exp-board', ALL_OFF))
})

test('relay test: one relay after the other, then all off', async () => {
  const { written } = await carriedOut('relay-test', { rest: '100 ms', each: '100 ms' })
  const on = ['relay0 true', 'relay1 true', 'relay2 true', 'relay3 true']
  assert.deepEqual(written, onBoard('test-board', [...ALL_OFF, ...on, ...ALL_OFF]))
})

test('a day of light: both colours up, steady, and down', async () => {
  const { written } = await carriedOut('day-night', {
    red: 40,
    white: 80,
    twilight: '2 s',
    day: '500 ms',
    every: '500 ms',
  })
  for (const [colour, most] of [
    ['red', 40],
    ['white', 80],
  ] as const) {
    const values = written
      .filter((line) => line.startsWith(`exp-lamp.${colour} `))
      .map((line) => Number(line.split(' ')[1]))
    const top = values.indexOf(most)
    assert.ok(top > 1, `${colour} goes up in steps: ${values.join(' ')}`)
    assert.deepEqual(
      values.slice(0, top + 1),
      values.slice(0, top + 1).toSorted((a, b) => a - b),
    )
    assert.deepEqual(
      values.slice(top),
      values.slice(top).toSorted((a, b) => b - a),
    )
    assert.equal(values.at(-1), 0)
  }
})

test('CO2 between two limits: gas below, none above, and none at the end', async () => {
  const before = (await stand.state()).instruments['co2']?.readings['co2']?.value
  const low = Number(before ?? 430) + 10
  const { written } = await carriedOut('co2-hysteresis', { low, high: low + 15, duration: '12 s' })
  assert.equal(written[0], 'co2-board.relay2 true done')
  const valve = written.filter((line) => line.startsWith('co2-board.relay3'))
  assert.deepEqual(valve.slice(0, 2), ['co2-board.relay3 true done', 'co2-board.relay3 false done'])
  assert.deepEqual(written.slice(-2), ['co2-board.relay3 false done', 'co2-board.relay2 false done'])
  const co2 = Number((await stand.state()).instruments['co2']?.readings['co2']?.value)
  assert.ok(co2 > low && co2 < low + 60, `the chamber has ${co2} ppm`)
})

test('temperature by PID: light below the set-point, darkness above it', async () => {
  await runs.recipe('pid-temperature')
  const id = await runs.start('pid-temperature', { setpoint: 30, every: '300 ms', duration: '1 h' })
  await stand.until('control-lamp', ({ readings }) => readings['white']?.value === 100, 'the lamp warms')
  await runs.change(id, { setpoint: 15 })
  await stand.until('control-lamp', ({ readings }) => Number(readings['white']?.value) <= 1, 'it is dark')
  await runs.ask(id, 'stop')
  assert.equal((await runs.ended(id)).end, 'stopped')
  assert.equal((await runs.written(id)).at(-1), 'control-lamp.white 0 done')
})

test('scan: a row for each set-point, as the meter shows it, and the output off at the end', async () => {
  const { rows, run } = await carriedOut('scan', {
    from: 1,
    to: 3,
    step: 1,
    settle: '200 ms',
    samples: 2,
  })
  assert.equal(run.rows, 3)
  assert.deepEqual(
    rows.map(({ variables, samples }) => [variables['voltage'], samples]),
    [
      [1, 2],
      [2, 2],
      [3, 2],
    ],
  )
  for (const { values, variables } of rows) {
    const wanted = Number(variables['voltage'])
    assert.ok(Math.abs(Number(values['meter.reading']) - wanted) < 0.01, JSON.stringify(values))
    assert.equal(values['supply.measuredVoltage1'], wanted)
  }
  await stand.until('supply', ({ readings }) => readings['output1']?.value === false, 'the output is off')
})

test('a zero of the analyser is begun once, and CO2 is measured before and after', async () => {
  const device = stand.sim.device('co2')
  await runs.recipe('sba5-zero')
  device.resetCounters()
  const { written, rows } = await carriedOut('sba5-zero', { settle: '100 ms' })
  assert.deepEqual(written, ['co2.zero done'])
  assert.equal(device.counters()['Z'], 1)
  assert.deepEqual(
    rows.map(({ table }) => table),
    ['before', 'after'],
  )
  assert.ok(rows.every(({ values }) => Number(values['co2.co2']) > 100))
})
