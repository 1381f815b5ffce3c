import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Calibration, type Curve, GolemError } from '@golem/core'
import { applyCalibration, invertCalibration, newestOf, settableOf, withVersion } from './calibration.ts'
import { evaluate } from './curve.ts'
import { inverseFault, invert } from './invert.ts'

/** clay_golem's PPFD of the experiment stand, point 25: x red, y white, both in percent. */
const PPFD: Curve = {
  kind: 'surface',
  coefficients: [6.11918934, 5.72541582, 5.49188308, 0.00870387, -0.01768939, 0.0090811],
}
const calibration = (curve: Curve, more: Partial<Calibration> = {}): Calibration =>
  withVersion({ name: 'one', at: '2026-01-01T00:00:00.000Z', by: 'anna', source: 'file', curve, ...more })
const code = (wanted: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GolemError)
  assert.equal(error.code, wanted)
  assert.match(error.message, words)
  return true
}

test("clay_golem's PPFD of red and white has its check values", () => {
  const checks = [
    [0, 0, 6.1192],
    [100, 0, 665.6995],
    [0, 100, 646.1185],
    [40, 40, 454.9641],
    [100, 100, 1128.8049],
  ] as const
  for (const [red, white, ppfd] of checks) {
    assert.ok(Math.abs(evaluate(PPFD, [red, white]) - ppfd) < 6e-5, `(${red}, ${white})`)
  }
})

test('each kind of curve is applied; what is outside of it is a fault, in words', () => {
  assert.equal(applyCalibration(calibration({ kind: 'linear', slope: 2, offset: -1 }), [3]), 5)
  assert.equal(applyCalibration(calibration({ kind: 'polynomial', coefficients: [1, 0, 2] }), [3]), 19)
  const table = calibration({
    kind: 'table',
    points: [
      [10, 100],
      [0, 0],
      [20, 400],
    ],
  })
  assert.equal(applyCalibration(table, [5]), 50)
  assert.equal(applyCalibration(table, [15]), 250)
  assert.equal(applyCalibration(table, [20]), 400)
  assert.deepEqual(applyCalibration(table, [20.1]), { fault: 'The calibration one says nothing of 20.1.' })
  const limited = calibration(PPFD, {
    range: [
      [0, 100],
      [0, 100],
    ],
  })
  assert.equal(typeof applyCalibration(limited, [100, 0]), 'number')
  assert.match(JSON.stringify(applyCalibration(limited, [101, 0])), /outside of what .* \(0 to 100\)/)
  assert.match(JSON.stringify(applyCalibration(limited, [1])), /takes 2 inputs, and here it is given 1/)
})

test('set values are turned back, within the limits of both', () => {
  const limits = { min: 0, max: 100 }
  const line = calibration({ kind: 'linear', slope: -2, offset: 300 })
  assert.equal(invertCalibration(line, 250, limits), 25)
  assert.deepEqual(settableOf(line, limits), [100, 300])
  const narrow = { ...line, range: [[10, 50]] as const }
  assert.deepEqual(settableOf(narrow, limits), [200, 280])
  assert.throws(() => invertCalibration(narrow, 281, limits), code('OUT_OF_RANGE', /gives 200 to 280/))
  const cubic: Curve = { kind: 'polynomial', coefficients: [6, 5.7, 0.03, -0.0001] }
  for (const x of [0, 0.5, 33.3, 100]) {
    assert.ok(Math.abs(invert(cubic, evaluate(cubic, [x]), [0, 100]) - x) < 1e-9)
  }
  const table: Curve = {
    kind: 'table',
    points: [
      [0, 400],
      [10, 100],
      [20, 0],
    ],
  }
  assert.equal(invert(table, 250, [0, 100]), 5)
  assert.equal(invert(table, 50, [0, 100]), 15)
})

test('a curve that can not be turned back says why', () => {
  const parabola: Curve = { kind: 'polynomial', coefficients: [0, -10, 1] }
  assert.throws(() => invert(parabola, 3, [0, 100]), code('NOT_WRITABLE', /not only rise or only fall/))
  // On one side of its lowest point it only rises.
  assert.ok(Math.abs(invert(parabola, 3, [5, 100]) - (5 + Math.sqrt(28))) < 1e-9)
  assert.match(inverseFault(PPFD, [0, 100]) ?? '', /two inputs/)
  assert.match(inverseFault({ kind: 'linear', slope: 0, offset: 1 }, [0, 1]) ?? '', /same value everywhere/)
  assert.match(
    inverseFault({ kind: 'polynomial', coefficients: [0, 1] }, [0, Infinity]) ?? '',
    /between limits/,
  )
  const flat: Curve = {
    kind: 'table',
    points: [
      [0, 1],
      [1, 1],
      [2, 3],
    ],
  }
  assert.match(inverseFault(flat, [0, 2]) ?? '', /not only rise/)
  assert.match(inverseFault(flat, [5, 6]) ?? '', /Nothing of what the raw value/)
  assert.throws(() => invert(parabola, NaN, [5, 100]), code('OUT_OF_RANGE', /can't be reached/))
})

test('a polynomial with narrow waves between its ends is found out', () => {
  // x⁵ − 5x³ + 5.1x falls a little near ±0.7 … and rises elsewhere.
  const wavy: Curve = { kind: 'polynomial', coefficients: [0, 2.2, 0, -5, 0, 3] }
  assert.match(inverseFault(wavy, [-2, 2]) ?? '', /not only rise/)
  assert.equal(inverseFault({ kind: 'polynomial', coefficients: [0, 0, 0, 1] }, [-2, 2]), null)
})

test('of several versions the newest date counts, wherever it is from; the version follows from what it says', () => {
  const linear = (slope: number): Curve => ({ kind: 'linear', slope, offset: 0 })
  const old = calibration(linear(1))
  const file = calibration(linear(2), { at: '2026-03-01T00:00:00.000Z' })
  const site = calibration(linear(3), { at: '2026-02-01T00:00:00.000Z', source: 'site' })
  assert.equal(newestOf([file, old, site]).get('one'), file)
  assert.equal(newestOf([old, site]).get('one'), site)
  const same = calibration(linear(4), { source: 'site' })
  assert.equal(newestOf([same, old]).get('one'), same)
  assert.equal(calibration(linear(1)).version, old.version)
  assert.match(old.version, /^[0-9a-f]{8}$/)
  assert.notEqual(calibration(linear(1), { by: 'berta' }).version, old.version)
})

test('what is no curve is refused, in words', () => {
  const faulty: [Curve, RegExp][] = [
    [{ kind: 'linear', slope: NaN, offset: 0 }, /finite/],
    [{ kind: 'surface', coefficients: [1, 2] }, /six coefficients/],
    [{ kind: 'polynomial', coefficients: [] }, /one coefficient/],
    [{ kind: 'table', points: [[0, 1]] }, /two points/],
    [
      {
        kind: 'table',
        points: [
          [0, 1],
          [0, 2],
        ],
      },
      /two points at 0/,
    ],
  ]
  for (const [curve, words] of faulty) assert.throws(() => calibration(curve), code('INVALID_REQUEST', words))
  assert.throws(() => calibration(PPFD, { range: [[0, 1]] }), code('INVALID_REQUEST', /takes 2 inputs/))
  const backwards = { range: [[1, 0]] as const }
  assert.throws(
    () => calibration({ kind: 'linear', slope: 1, offset: 0 }, backwards),
    code('INVALID_REQUEST', /not below/),
  )
})
