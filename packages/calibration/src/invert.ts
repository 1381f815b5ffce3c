import { type Curve, GolemError } from '@golem/core'
import { evaluate, horner, inputsOf, spanOf } from './curve.ts'

/** So far beyond its ends a value is still the end's: what rounding in arithmetic makes of it. */
const ROUNDING = 1e-9
/** Halvings of an interval; after those it is as narrow as numbers are. */
const HALVINGS = 200

export type Interval = readonly [number, number]

/**
 * The parts of an interval on which a polynomial only rises or only falls: its bounds and the places where its slope
 * changes sign, from the lowest on.
 */
function turningPoints(coefficients: readonly number[], [low, high]: Interval): number[] {
  const slope = coefficients.slice(1).map((coefficient, n) => coefficient * (n + 1))
  if (slope.every((coefficient) => coefficient === 0)) return [low, high]
  const roots: number[] = []
  const parts = slope.length === 1 ? [low, high] : turningPoints(slope, [low, high])
  for (let n = 0; n + 1 < parts.length; n++) {
    const [from = low, to = high] = [parts[n], parts[n + 1]]
    const [atFrom, atTo] = [horner(slope, from), horner(slope, to)]
    if (atFrom * atTo < 0) roots.push(bisect((x) => horner(slope, x), [from, to], 0))
  }
  return [low, ...roots, high]
}

/** Where a function that only rises or only falls has a value. */
function bisect(f: (x: number) => number, [from, to]: Interval, value: number): number {
  let [low, high] = [from, to]
  const rises = f(high) >= f(low)
  for (let n = 0; n < HALVINGS; n++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (f(middle) < value === rises) low = middle
    else high = middle
  }
  return Math.abs(f(low) - value) <= Math.abs(f(high) - value) ? low : high
}

/** Narrows an interval to where the curve is known by itself. */
function within(curve: Curve, [low, high]: Interval): Interval {
  const [from = -Infinity, to = Infinity] = spanOf(curve)[0] ?? []
  return [Math.max(low, from), Math.min(high, to)]
}

/**
 * Why no set value can be turned back by this curve, as a sentence; null: it can.
 *
 * @param domain - what the raw value may be
 */
export function inverseFault(curve: Curve, domain: Interval): string | null {
  if (inputsOf(curve) !== 1)
    return 'A calibration of two inputs can not be turned back: many pairs give the same value.'
  const [low, high] = within(curve, domain)
  if (!(low < high)) return 'Nothing of what the raw value may be lies where the calibration holds.'
  if (curve.kind === 'linear') return curve.slope === 0 ? FLAT : null
  if (!Number.isFinite(low) || !Number.isFinite(high)) {
    return 'It can only be turned back between limits: give the raw parameter a lowest and a highest value, or the calibration a range.'
  }
  const values = corners(curve, [low, high]).map((x) => evaluate(curve, [x]))
  const steps = values.slice(1).map((value, n) => value - (values[n] ?? 0))
  if (steps.every((step) => step === 0)) return FLAT
  if (steps.every((step) => step > 0) || steps.every((step) => step < 0)) return null
  return `It does not only rise or only fall between ${low} and ${high}: one value would have several raw ones.`
}

const FLAT = 'It gives the same value everywhere.'

/** Places between which the curve only rises or only falls. */
function corners(curve: Curve, [low, high]: Interval): number[] {
  if (curve.kind === 'polynomial') return turningPoints(curve.coefficients, [low, high])
  if (curve.kind === 'table') {
    const xs = curve.points.map(([x]) => x).filter((x) => x > low && x < high)
    return [low, ...xs.sort((a, b) => a - b), high]
  }
  return [low, high]
}

/**
 * The values that can be set, lowest and highest.
 *
 * @param domain - what the raw value may be
 * @returns null when it can't be turned back there
 */
export function settableRange(curve: Curve, domain: Interval): Interval | null {
  if (inverseFault(curve, domain) !== null) return null
  const [a, b] = within(curve, domain).map((x) => evaluateAt(curve, x)) as [number, number]
  return a <= b ? [a, b] : [b, a]
}

/** The same at the ends of an open domain. */
function evaluateAt(curve: Curve, x: number): number {
  return Number.isFinite(x) ? evaluate(curve, [x]) : x * Math.sign(curve.kind === 'linear' ? curve.slope : 1)
}

/**
 * The raw value that gives a calibrated one.
 *
 * @param domain - what the raw value may be
 * @throws NOT_WRITABLE when the curve can't be turned back there; OUT_OF_RANGE when no raw value gives this
 */
export function invert(curve: Curve, value: number, domain: Interval): number {
  const fault = inverseFault(curve, domain)
  if (fault !== null) throw new GolemError('NOT_WRITABLE', `The calibration can't be turned back. ${fault}`)
  const [lowest, highest] = settableRange(curve, domain) ?? [NaN, NaN]
  const slack = ROUNDING * Math.max(1, Math.abs(value))
  if (!(value >= lowest - slack && value <= highest + slack)) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `${value} can't be reached: the calibration gives ${rounded(lowest)} to ${rounded(highest)}.`,
      { field: '/value' },
    )
  }
  if (curve.kind === 'linear') return (value - curve.offset) / curve.slope
  return bisect((x) => evaluate(curve, [x]), within(curve, domain), value)
}

function rounded(value: number): number {
  return Number(value.toPrecision(6))
}
