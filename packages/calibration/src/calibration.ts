import { type Calibration, type Curve, GolemError } from '@golem/core'
import { createHash } from 'node:crypto'
import { curveFault, evaluate, inputsOf } from './curve.ts'
import { type Interval, invert, settableRange } from './invert.ts'

/** So much beyond its range, as a part of its width, is still in it: what arithmetic and counting steps make of a bound. */
const SLACK = 1e-6

/** Completes a calibration by its version. @throws INVALID_REQUEST when its curve or range is none */
export function withVersion(calibration: Omit<Calibration, 'version'>): Calibration {
  const { name, at, by, curve, range } = calibration
  const fault = curveFault(curve) ?? rangeFault(curve, range)
  if (fault !== null) throw new GolemError('INVALID_REQUEST', fault, { field: '/curve' })
  const text = JSON.stringify([name, at, by, curveNumbers(curve), range ?? null])
  return { ...calibration, version: createHash('sha256').update(text).digest('hex').slice(0, 8) }
}

/** In an order that does not depend on how somebody wrote the keys. */
function curveNumbers(curve: Curve): unknown[] {
  switch (curve.kind) {
    case 'linear':
      return ['linear', curve.slope, curve.offset]
    case 'table':
      return ['table', curve.points]
    default:
      return [curve.kind, curve.coefficients]
  }
}

/** What is wrong with the range of a calibration, as a sentence; null: nothing. */
export function rangeFault(curve: Curve, range: Calibration['range']): string | null {
  if (range === undefined) return null
  const wanted = inputsOf(curve)
  if (range.length !== wanted) {
    return `The range has ${range.length} pairs, and the curve takes ${wanted === 1 ? 'one input' : `${wanted} inputs`}.`
  }
  const wrong = range.find(([low, high]) => !(low < high))
  return wrong === undefined ? null : `In the range ${wrong[0]} is not below ${wrong[1]}.`
}

/** Of each name the version that counts: the newest by its date; of two of one moment, that of the site. */
export function newestOf(calibrations: Iterable<Calibration>): Map<string, Calibration> {
  const newest = new Map<string, Calibration>()
  for (const one of calibrations) {
    const known = newest.get(one.name)
    if (!known || isNewer(one, known)) newest.set(one.name, one)
  }
  return newest
}

function isNewer(one: Calibration, other: Calibration): boolean {
  const difference = Date.parse(one.at) - Date.parse(other.at)
  if (difference !== 0) return difference > 0
  if (one.source !== other.source) return one.source === 'site'
  return one.version > other.version
}

/**
 * The calibrated value.
 *
 * @param inputs - the raw values, in the unit of their parameters
 * @returns a fault, as a sentence, where the calibration says nothing of these
 */
export function applyCalibration(
  { curve, range, name }: Calibration,
  inputs: readonly number[],
): number | { fault: string } {
  const wanted = inputsOf(curve)
  if (inputs.length !== wanted) {
    return { fault: `The calibration ${name} takes ${wanted} inputs, and here it is given ${inputs.length}.` }
  }
  for (const [n, [low, high]] of (range ?? []).entries()) {
    const x = inputs[n] ?? NaN
    const slack = SLACK * (high - low)
    if (x >= low - slack && x <= high + slack) continue
    return { fault: `${x} is outside of what the calibration ${name} was made for (${low} to ${high}).` }
  }
  const value = evaluate(curve, inputs)
  return Number.isFinite(value)
    ? value
    : { fault: `The calibration ${name} says nothing of ${inputs.join(', ')}.` }
}

/** What may be set of the raw value: its own limits, as far as the calibration holds. */
function domainOf({ range }: Calibration, limits: { min?: number; max?: number }): Interval {
  const [low = -Infinity, high = Infinity] = range?.[0] ?? []
  return [Math.max(low, limits.min ?? -Infinity), Math.min(high, limits.max ?? Infinity)]
}

/**
 * The raw value to set for a calibrated one.
 *
 * @param limits - of the raw parameter
 * @throws NOT_WRITABLE when the calibration can't be turned back; OUT_OF_RANGE when no raw value gives this
 */
export function invertCalibration(
  calibration: Calibration,
  value: number,
  limits: { min?: number; max?: number },
): number {
  return invert(calibration.curve, value, domainOf(calibration, limits))
}

/** The lowest and highest calibrated value that can be set; null: none, the calibration can't be turned back. */
export function settableOf(
  calibration: Calibration,
  limits: { min?: number; max?: number },
): Interval | null {
  return settableRange(calibration.curve, domainOf(calibration, limits))
}
