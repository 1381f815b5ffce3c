import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withVersion } from '@golem/calibration'
import type { InstrumentConfig } from '@golem/config'
import type { Calibration, Curve, InstrumentDescription, ParameterDescription, Reading } from '@golem/core'
import type { WorkerClient } from '@golem/queue'
import { CalibratedParameters } from './calibrated.ts'
import { Calibrations } from './calibrations.ts'

const made = (name: string, curve: Curve, at = '2026-01-01T00:00:00.000Z'): Calibration =>
  withVersion({ name, at, by: 'anna', source: at > '2026-05' ? 'site' : 'file', curve })
const CONFIG = {
  id: 'lamp',
  calibrations: {
    flux: { from: ['white'], use: 'flux', writable: true },
    both: { from: ['red', 'white'], use: 'both', writable: false },
  },
} as unknown as InstrumentConfig
const number = (more: Partial<ParameterDescription>): ParameterDescription => ({
  label: '',
  type: 'number',
  readable: true,
  writable: true,
  ...more,
})
const DESCRIPTION = {
  parameters: {
    red: number({}),
    white: number({ type: 'integer', min: 0, max: 80 }),
    flux: number({ max: 500 }),
    both: number({ writable: false }),
  },
} as unknown as InstrumentDescription
const FILES = [made('flux', { kind: 'linear', slope: 5, offset: 10 })]
const set = (value: unknown) => ({ parameter: 'flux', value: value as number })

test('a set value becomes the raw one, a whole number where that is one; others pass as they are', () => {
  const calibrated = new CalibratedParameters(CONFIG, new Calibrations(FILES))
  assert.deepEqual(calibrated.toRaw(set(160), DESCRIPTION), { parameter: 'white', value: 30 })
  assert.deepEqual(calibrated.toRaw(set(162.4), DESCRIPTION), { parameter: 'white', value: 30 })
  const red = { parameter: 'red', value: 5 }
  assert.equal(calibrated.toRaw(red, DESCRIPTION), red)
  const reset = { action: 'reset', arguments: {} }
  assert.equal(calibrated.toRaw(reset, DESCRIPTION), reset)
})

test('what can not be turned back is refused with its reason', () => {
  const calibrated = new CalibratedParameters(CONFIG, new Calibrations(FILES))
  const refused: [CalibratedParameters, unknown, RegExp][] = [
    [calibrated, 501, /at most 500/],
    [calibrated, 450, /gives 10 to 410/],
    [calibrated, 'much', /takes a number/],
    [new CalibratedParameters(CONFIG, new Calibrations([])), 100, /no calibration flux yet/],
    [
      new CalibratedParameters(
        CONFIG,
        new Calibrations([made('flux', { kind: 'polynomial', coefficients: [0, -40, 1] })]),
      ),
      100,
      /not only rise or only fall/,
    ],
  ]
  for (const [one, value, words] of refused) assert.throws(() => one.toRaw(set(value), DESCRIPTION), words)
  assert.throws(() => calibrated.toRaw({ parameter: 'both', value: 1 }, DESCRIPTION), /can only be read/)
})

test('readings are as good as the worst of the raw ones and as old as the oldest', () => {
  const surface: Curve = { kind: 'surface', coefficients: [1, 2, 3, 0, 0, 0] }
  const calibrated = new CalibratedParameters(CONFIG, new Calibrations([...FILES, made('both', surface)]))
  const reading = (value: number, second: number, quality: Reading['quality'] = 'good'): Reading => ({
    value,
    at: `2026-01-01T00:00:0${second}.000Z`,
    quality,
  })
  const good = calibrated.readings({ red: reading(10, 5), white: reading(20, 3) })
  assert.deepEqual(good['both'], reading(81, 3))
  assert.deepEqual(good['flux'], reading(110, 3))
  const later = { ...good, red: reading(11, 6, 'stale'), white: reading(20, 3) }
  assert.deepEqual(
    [calibrated.readings(later)['both']?.quality, calibrated.readings(later)['flux']?.quality],
    ['stale', 'good'],
  )
  const bad = calibrated.readings({ ...good, red: reading(11, 6, 'bad'), white: reading(20, 3) })
  assert.deepEqual([bad['both']?.quality, bad['both']?.value], ['bad', 81])
})

test('the newest by date counts, of files and of Redis; while Redis does not answer it stays to be asked', async () => {
  const calibrations = new Calibrations(FILES)
  const away = { calibrations: () => Promise.reject(new Error('no answer')) } as unknown as WorkerClient
  await assert.rejects(calibrations.load(away))
  assert.equal(calibrations.isDue, true)
  assert.equal(calibrations.newest.get('flux'), FILES[0])
  const newer = made('flux', { kind: 'linear', slope: 6, offset: 0 }, '2026-06-01T00:00:00.000Z')
  const there = { calibrations: () => Promise.resolve([newer]) } as unknown as WorkerClient
  assert.equal(await calibrations.load(there), true)
  assert.equal(calibrations.newest.get('flux'), newer)
  assert.deepEqual([await calibrations.load(there), calibrations.isDue], [false, false])
})
