import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newestOf } from '@golem/calibration'
import { describeInstrument } from './describe.ts'
import { loadSite } from './load-site.ts'
import { SiteFaults } from './site-faults.ts'
import { heater, inFolder, models } from './testing.ts'
import type { Site } from './site.ts'

const HEAD = 'site: lab\ninstruments:\n  - id: oven\n    model: heater\n    address: http://10.0.0.5\n'
const FLUX = `unit: W/m²
versions:
  - { at: 2026-01-01, by: anna, linear: { slope: 2, offset: 10 } }
  - { at: "2026-03-01T12:30Z", by: berta, linear: { slope: 3, offset: 0 }, range: [[0, 50]], note: New element. }
  - { at: 2026-02-01, by: carl, table: [[0, 0], [100, 1]], points: [[0, 0], [100, 1]], rSquared: 1 }
`

function load(site: string, files: Record<string, string> = {}): Site {
  return inFolder((folder) => {
    mkdirSync(join(folder, 'calibrations'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'calibrations', name), text)
    writeFileSync(join(folder, 'site.yaml'), site)
    return loadSite(join(folder, 'site.yaml'), { env: {}, models })
  })
}

/** The faults as `line: message`. */
function faultsIn(site: string, files: Record<string, string> = {}): string[] {
  try {
    load(site, files)
    return []
  } catch (error) {
    if (!(error instanceof SiteFaults)) throw error
    return error.faults.map(({ file, line, message }) => `${file.replace(/^.*\//, '')}:${line} ${message}`)
  }
}

test('a calibrated parameter stands beside the raw one, with unit, source and what can be set', () => {
  const site = load(
    `${HEAD}    parameters: { flux: { label: Heat flux, decimals: 1, alarms: { high: { at: 100 } } }, power: { max: 40 } }
    calibrations: { flux: { from: [power], use: flux, writable: true } }\n`,
    { 'flux.yaml': FLUX },
  )
  const [oven] = site.instruments
  assert.ok(oven)
  const { parameters } = describeInstrument(oven, heater, heater.create({}), newestOf(site.calibrations))
  assert.deepEqual(parameters['flux'], {
    label: 'Heat flux',
    type: 'number',
    unit: 'W/m²',
    min: 0,
    max: 120,
    decimals: 1,
    readable: true,
    writable: true,
    calibration: {
      name: 'flux',
      from: ['power'],
      version: newestOf(site.calibrations).get('flux')?.version,
      at: '2026-03-01T12:30:00.000Z',
      by: 'berta',
    },
  })
  assert.equal(parameters['power']?.max, 40)
  assert.equal(site.calibrations.length, 3)
  assert.equal(oven.parameters['flux']?.alarms?.length, 1)
  // Without any version yet it is there all the same, to be calibrated.
  const { parameters: without } = describeInstrument(oven, heater, heater.create({}))
  assert.deepEqual(without['flux']?.calibration, { name: 'flux', from: ['power'] })
})

test('faults of calibration files, each with its line', () => {
  const site = 'site: lab\ninstruments: []\n'
  const faulty: [string, string, RegExp][] = [
    ['one.yaml', 'versions: []', /^one.yaml:1 .*at least|one.yaml:1 /],
    [
      'one.yaml',
      'versions:\n  - { at: 2026-13-40, by: a, polynomial: [1] }',
      /^one.yaml:2 2026-13-40 is no day/,
    ],
    ['one.yaml', 'versions:\n  - { at: yesterday, by: a, polynomial: [1] }', /^one.yaml:2 /],
    ['one.yaml', 'versions:\n  - at: 2026-01-01\n    by: a', /^one.yaml:2 /],
    [
      'one.yaml',
      'versions:\n  - at: 2026-01-01\n    by: a\n    polynomial: [1]\n    linear: { slope: 1, offset: 0 }',
      /^one.yaml:2 It has linear and polynomial/,
    ],
    ['one.yaml', 'versions:\n  - { at: 2026-01-01, by: a, table: [[0, 1], [0, 2]] }', /two points at 0/],
    ['one.yaml', 'versions:\n  - { at: 2026-01-01, by: a, surface: [1, 2] }', /^one.yaml:2 /],
    [
      'one.yaml',
      'versions:\n  - { at: 2026-01-01, by: a, polynomial: [1], range: [[5, 1]] }',
      /5 is not below 1/,
    ],
    [
      'one.yaml',
      'versions:\n  - { at: 2026-01-01, by: a, polynomial: [1] }\n  - { at: 2026-01-01, by: b, polynomial: [2] }',
      /^one.yaml:3 versions\[0\] is of the same moment/,
    ],
    [
      'one.yaml',
      'versions:\n  - { at: 2026-01-01, by: a, polynomial: [1], points: [[1, 2, 3]] }',
      /A point of this curve has 2 numbers/,
    ],
    ['One!.yaml', FLUX, /name of the file/],
    ['one.yaml', 'versions: [', /YAML/],
    ['one.yaml', '- 1', /instead of a table with "versions"/],
  ]
  for (const [name, text, words] of faulty) {
    const found = faultsIn(site, { [name]: text })
    assert.ok(
      found.some((fault) => words.test(fault)),
      `${text}: ${found.join(' | ')}`,
    )
  }
})

test('faults of parameters that use calibrations', () => {
  const faulty: [string, RegExp][] = [
    ['power: { from: [fan], use: flux }', /has a parameter "power" already/],
    ['flux: { from: [pover], use: flux }', /no parameter "pover". Did you mean "power"/],
    ['flux: { from: [fan], use: flux }', /fan is no number \(boolean\)/],
    ['flux: { from: [target], use: flux }', /target can't be read/],
    ['flux: { from: [temperature], use: flux, writable: true }', /temperature can only be read/],
    ['flux: { from: [power, temperature], use: none, writable: true }', /many pairs/],
    ['flux: { from: [power, temperature], use: flux }', /takes 1 parameter, not 2/],
    ['flux: { use: flux }', /from/],
  ]
  for (const [calibration, words] of faulty) {
    const found = faultsIn(`${HEAD}    calibrations: { ${calibration} }\n`, { 'flux.yaml': FLUX })
    assert.ok(
      found.some((fault) => words.test(fault)),
      `${calibration}: ${found.join(' | ')}`,
    )
  }
})

const derived = (parameters: string): string =>
  `${HEAD}    calibrations: { flux: { from: [power], use: flux } }\nderived:\n  - id: balance\n    parameters:\n      one: { ${parameters} }\n`

test('derived readings: what they are made of has to be there; calibrated ones and derived ones above count', () => {
  const text = `${derived('ratio: [oven.flux, oven.temperature], unit: "%", factor: 100')}      two: { rate: balance.one, window: 5 min, per: 1 s, points: 10, alarms: { low: { at: -1 } } }\n`
  const [balance] = load(text).derived
  assert.deepEqual(balance?.parameters['two']?.derivation, {
    kind: 'rate',
    windowMs: 300_000,
    minPoints: 10,
    perMs: 1000,
  })
  assert.deepEqual(balance?.parameters['two']?.from, [{ instrument: 'balance', parameter: 'one' }])
  assert.equal(balance?.parameters['one']?.factor, 100)
  assert.equal(balance?.parameters['two']?.alarms?.[0]?.kind, 'low')
})

test('faults of derived readings', () => {
  const faulty: [string, RegExp][] = [
    ['difference: [oven.temperature, ofen.temperature]', /no instrument "ofen". Did you mean "oven"/],
    [
      'difference: [oven.temperature, oven.temprature]',
      /no reading "temprature". Did you mean "temperature"/,
    ],
    ['difference: [oven.temperature]', /^site.yaml:/],
    ['mean: oven.temperature', /write "window" too/],
    ['sum: [oven.flux, oven.flux], window: 5 min', /"window" says nothing of a sum/],
    ['mean: oven.flux, window: 5 min, per: 1 s', /"per" says nothing of a mean/],
    ['mean: oven.flux, window: 5 ms', /out of bounds/],
    ['mean: oven.flux, rate: oven.flux, window: 5 s', /It has mean and rate/],
    ['label: Nothing', /difference, ratio, sum/],
    ['mean: balance.one, window: 5 s', /balance has no reading "one"/],
    ['mean: oven.flux, window: 5 s, alarms: { high: { at: 1 }, highHigh: { at: 0 } }', /not above/],
  ]
  for (const [parameter, words] of faulty) {
    const found = faultsIn(derived(parameter))
    assert.ok(
      found.some((fault) => words.test(fault)),
      `${parameter}: ${found.join(' | ')}`,
    )
  }
  assert.match(
    faultsIn(derived('mean: oven.flux, window: 5 s').replace('id: balance', 'id: oven')).join(),
    /an instrument "oven" already/,
  )
})
