import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluate } from './curve.ts'
import { fitCurve, straightLine } from './fit.ts'

const near = (got: number | null | undefined, wanted: number, by = 1e-6): void =>
  assert.ok(Math.abs((got ?? NaN) - wanted) <= by, `${got} is not ${wanted}`)
const points = (xs: readonly number[], f: (x: number) => number) =>
  xs.map((x) => ({ inputs: [x], value: f(x) }))

test("Anscombe's quartet: four different clouds with one line and one R²", () => {
  const xs = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
  const ys = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
  const { curve, rSquared, residuals } = fitCurve(
    xs.map((x, n) => ({ inputs: [x], value: ys[n] ?? NaN })),
    { kind: 'linear' },
  )
  assert.equal(curve.kind, 'linear')
  if (curve.kind !== 'linear') return
  near(curve.slope, 0.50009, 1e-5)
  near(curve.offset, 3.00009, 1e-5)
  near(rSquared, 0.66654, 1e-5)
  near(
    residuals.reduce((sum, one) => sum + one, 0),
    0,
  )
})

test("NIST's Wampler1: a polynomial of degree 5 over 0 to 20 gives back its six ones", () => {
  const xs = Array.from({ length: 21 }, (_none, n) => n)
  const fit = fitCurve(
    points(xs, (x) => 1 + x + x ** 2 + x ** 3 + x ** 4 + x ** 5),
    { kind: 'polynomial', degree: 5 },
  )
  assert.ok(fit.curve.kind === 'polynomial')
  for (const coefficient of fit.curve.coefficients) near(coefficient, 1, 1e-7)
  near(fit.rSquared, 1)
})

test("clay_golem's 36 duties give back the coefficients of its PPFD model", () => {
  const coefficients = [6.11918934, 5.72541582, 5.49188308, 0.00870387, -0.01768939, 0.0090811]
  const duties = [0, 20, 40, 60, 80, 100]
  const measured = duties.flatMap((red) =>
    duties.map((white) => ({
      inputs: [red, white],
      value: evaluate({ kind: 'surface', coefficients }, [red, white]),
    })),
  )
  const { curve, rSquared, rmsd, range } = fitCurve(measured, { kind: 'surface' })
  assert.ok(curve.kind === 'surface')
  for (const [n, wanted] of coefficients.entries()) near(curve.coefficients[n], wanted, 1e-10)
  near(rSquared, 1)
  near(rmsd, 0)
  assert.deepEqual(range, [
    [0, 100],
    [0, 100],
  ])
})

test('R², root mean square and residuals of a fit that misses', () => {
  const { rSquared, rmsd, residuals } = fitCurve(
    [0, 1, 2, 3].map((x) => ({ inputs: [x], value: [0, 1, 1, 2][x] ?? 0 })),
    { kind: 'linear' },
  )
  near(rSquared, 0.9)
  near(rmsd, Math.sqrt(0.2 / 4))
  assert.deepEqual(
    residuals.map((one) => Math.round(one * 10) / 10),
    [-0.1, 0.3, -0.3, 0.1],
  )
})

test('a table takes the mean of points at one input', () => {
  const { curve } = fitCurve(
    [
      [1, 10],
      [0, 1],
      [0, 3],
    ].map(([x = 0, value = 0]) => ({ inputs: [x], value })),
    { kind: 'table' },
  )
  assert.deepEqual(curve, {
    kind: 'table',
    points: [
      [0, 2],
      [1, 10],
    ],
  })
})

test('points that do not determine a curve are refused', () => {
  const same = points([5, 5, 5], () => 1)
  assert.throws(() => fitCurve(same, { kind: 'linear' }), /do not determine/)
  assert.throws(() => fitCurve(same, { kind: 'table' }), /two different inputs/)
  assert.throws(
    () =>
      fitCurve(
        points([1], () => 1),
        { kind: 'linear' },
      ),
    /takes 2 points at least, and there are 1/,
  )
  // Only red was varied: what white does is not known.
  const red = [0, 10, 20, 30, 40, 50].map((x) => ({ inputs: [x, 0], value: x }))
  assert.throws(() => fitCurve(red, { kind: 'surface' }), /do not determine/)
  assert.throws(() => fitCurve(red, { kind: 'linear' }), /one input/)
  assert.throws(
    () =>
      fitCurve(
        points([1, 2, NaN], () => 1),
        { kind: 'linear' },
      ),
    /one input and a value/,
  )
  assert.throws(
    () =>
      fitCurve(
        points([1, 2], () => 1),
        { kind: 'polynomial', degree: 40 },
      ),
    /1 to 6/,
  )
  assert.equal(
    fitCurve(
      points([1, 2, 3], () => 7),
      { kind: 'linear' },
    ).rSquared,
    null,
  )
})

test('a straight line through points in time, far from the beginning of time', () => {
  const start = 1.8e12
  const line = straightLine([0, 1, 2, 3, 4].map((n) => [start + n * 1000, 400 - 2 * n] as const))
  near((line?.slope ?? 0) * 60_000, -120, 1e-6)
  near(line?.rSquared, 1)
  assert.equal(
    straightLine([
      [1, 1],
      [1, 2],
    ]),
    null,
  )
})
