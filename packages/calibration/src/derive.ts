import type { Reading } from '@golem/core'
import { straightLine } from './fit.ts'
import { combine, type Input, resultOf } from './quality.ts'

/** How a derived reading is made. Windows are in ms. */
export type Derivation =
  | { kind: 'difference' | 'ratio' | 'sum' | 'product' }
  /** Arithmetic mean of what was read within the window. */
  | { kind: 'mean'; windowMs: number; minPoints: number }
  /** Slope of the straight line nearest to what was read within the window, per so many ms. */
  | { kind: 'rate'; windowMs: number; minPoints: number; perMs: number }
  /** R² of that line. */
  | { kind: 'rSquared'; windowMs: number; minPoints: number }

type Windowed = Extract<Derivation, { windowMs: number }>

/** A window counts when what was read spans so much of it: a slope over its first seconds would be noise. */
const FILLED = 0.5
/** The most points that are kept of one window: what is read more often than that is brought together by its mean. */
const MAX_POINTS = 1_000

/** Time and value; `count` readings within a moment are brought together in it. */
interface Point {
  at: number
  value: number
  count: number
  /** Of the first of them. */
  from: number
}

/**
 * One derived reading: takes the readings of its sources as they come, and says what it is. It keeps the points of its
 * window itself; one begun anew has to gather them again.
 */
export class Deriver {
  readonly #derivation: Derivation
  readonly #factor: number
  #points: Point[] = []
  /** Time of the reading that was gathered last. */
  #gathered = NaN
  #last: Reading | undefined
  #isFilling = false

  /** @param factor - the result is multiplied by it, e.g. −1: uptake is what CO2 falls by */
  constructor(derivation: Derivation, factor = 1) {
    this.#derivation = derivation
    this.#factor = factor
  }

  /** Its sources are well, but its window has not had enough of them yet. */
  get isFilling(): boolean {
    return this.#isFilling
  }

  /**
   * What it is now.
   *
   * @param inputs - its sources, as old as they may honestly be said to be
   */
  read(inputs: readonly Input[]): Reading {
    const combined = combine(inputs)
    const derivation = this.#derivation
    if ('windowMs' in derivation && combined.ok && combined.stale === undefined) {
      this.#gather(Date.parse(combined.at), combined.values[0] ?? NaN, derivation.windowMs)
    }
    this.#isFilling = false
    const next = resultOf(combined, this.#last, (values) => {
      const value =
        'windowMs' in derivation ? this.#overWindow(derivation) : combineValues(derivation, values)
      return typeof value === 'number' ? value * this.#factor : value
    })
    this.#last = next
    return next
  }

  #gather(at: number, value: number, windowMs: number): void {
    if (at === this.#gathered) return
    this.#gathered = at
    const newest = this.#points.at(-1)
    // The clock was set back: points of a time to come would stay for ever.
    if (newest && at < newest.from) this.#points = []
    if (newest && at >= newest.from && at - newest.from < windowMs / MAX_POINTS) {
      const count = newest.count + 1
      newest.value += (value - newest.value) / count
      newest.at += (at - newest.at) / count
      newest.count = count
    } else {
      this.#points.push({ at, value, count: 1, from: at })
    }
    const first = this.#points.findIndex((point) => point.at >= at - windowMs)
    if (first > 0) this.#points.splice(0, first)
  }

  #overWindow(derivation: Windowed): number | { fault: string } {
    const points = this.#points
    if (points.length < derivation.minPoints) {
      this.#isFilling = true
      return { fault: `Too few points: ${points.length} of at least ${derivation.minPoints}.` }
    }
    const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0]
    if (last - first < derivation.windowMs * FILLED) {
      this.#isFilling = true
      const [has, wants] = [last - first, derivation.windowMs].map((ms) => Math.round(ms / 100) / 10)
      return { fault: `Too few points: they span ${has} s of a window of ${wants} s, less than half of it.` }
    }
    if (derivation.kind === 'mean') return meanOf(points)
    // From the first one on: milliseconds since 1970 would leave few digits for the rest.
    const line = straightLine(points.map(({ at, value }) => [at - first, value]))
    if (!line) return { fault: 'Too few points: all are of one moment.' }
    if (derivation.kind === 'rate') return line.slope * derivation.perMs
    return line.rSquared ?? { fault: 'Nothing has changed within the window, so there is nothing to fit.' }
  }
}

function meanOf(points: readonly Point[]): number {
  const count = points.reduce((sum, one) => sum + one.count, 0)
  return points.reduce((sum, one) => sum + one.value * one.count, 0) / count
}

function combineValues(
  { kind }: Exclude<Derivation, Windowed>,
  values: readonly number[],
): number | { fault: string } {
  const [first = NaN, ...rest] = values
  switch (kind) {
    case 'sum':
      return rest.reduce((sum, value) => sum + value, first)
    case 'difference':
      return rest.reduce((left, value) => left - value, first)
    case 'product':
      return rest.reduce((product, value) => product * value, first)
    case 'ratio': {
      const divisor = rest[0] ?? NaN
      return divisor === 0 ? { fault: 'It would be divided by zero.' } : first / divisor
    }
  }
}
