import { type Curve, type CurveKind, GolemError, type MeasuredPoint } from '@golem/core'
import { evaluate, surfaceTerms } from './curve.ts'
import { fitQuality, leastSquares } from './least-squares.ts'

/** The highest power a fit may have: above, the curve swings between the points. */
export const MAX_DEGREE = 6

export interface FitRequest {
  kind: CurveKind
  /** Of a polynomial (default 2). */
  degree?: number
}

export interface Fit {
  curve: Curve
  /** null: the values are all the same, so that there is nothing to explain. */
  rSquared: number | null
  /** Root of the mean square of what the curve misses, in the unit of the result. */
  rmsd: number
  /** Measured less fitted, in the order of the points. */
  residuals: readonly number[]
  /** Between which inputs was measured. */
  range: readonly (readonly [number, number])[]
}

/**
 * The curve of a kind that lies nearest to the points, by least squares without weights. A table is the points
 * themselves, the mean where several have the same input.
 *
 * @throws INVALID_REQUEST when there are too few points, or they don't determine the curve
 */
export function fitCurve(points: readonly MeasuredPoint[], { kind, degree = 2 }: FitRequest): Fit {
  const wanted = kind === 'surface' ? 2 : 1
  if (
    points.some(({ inputs, value }) => inputs.length !== wanted || ![...inputs, value].every(Number.isFinite))
  ) {
    throw new GolemError('INVALID_REQUEST', `Each point of such a curve has ${inWords(wanted)} and a value.`)
  }
  if (kind === 'polynomial' && !(Number.isInteger(degree) && degree >= 1 && degree <= MAX_DEGREE)) {
    throw new GolemError('INVALID_REQUEST', `The degree is a whole number, 1 to ${MAX_DEGREE}.`)
  }
  const least = { linear: 2, polynomial: degree + 1, table: 2, surface: 6 }[kind]
  if (points.length < least) {
    throw new GolemError(
      'INVALID_REQUEST',
      `Such a curve takes ${least} points at least, and there are ${points.length}.`,
    )
  }
  const curve = curveThrough(points, kind, degree)
  const values = points.map(({ value }) => value)
  const fitted = points.map(({ inputs }) => evaluate(curve, inputs))
  const range = Array.from({ length: wanted }, (_none, n) => {
    const ones = points.map(({ inputs }) => inputs[n] ?? 0)
    return [Math.min(...ones), Math.max(...ones)] as const
  })
  return { curve, ...fitQuality(values, fitted), range }
}

function curveThrough(points: readonly MeasuredPoint[], kind: CurveKind, degree: number): Curve {
  const values = points.map(({ value }) => value)
  const powers = (highest: number): number[] => {
    const rows = points.map(({ inputs: [x = 0] }) =>
      Array.from({ length: highest + 1 }, (_none, n) => x ** n),
    )
    return leastSquares(rows, values)
  }
  switch (kind) {
    case 'linear': {
      const [offset = 0, slope = 0] = powers(1)
      return { kind, slope, offset }
    }
    case 'polynomial':
      return { kind, coefficients: powers(degree) }
    case 'surface': {
      const rows = points.map(({ inputs: [x = 0, y = 0] }) => surfaceTerms(x, y))
      return { kind, coefficients: leastSquares(rows, values) }
    }
    case 'table': {
      const byInput = new Map<number, number[]>()
      for (const { inputs, value } of points) {
        const x = inputs[0] ?? 0
        byInput.set(x, [...(byInput.get(x) ?? []), value])
      }
      if (byInput.size < 2)
        throw new GolemError('INVALID_REQUEST', 'A table takes two different inputs at least.')
      const means = [...byInput].map(([x, ys]) => [x, ys.reduce((sum, y) => sum + y, 0) / ys.length] as const)
      return { kind, points: means.sort((a, b) => a[0] - b[0]) }
    }
  }
}

function inWords(inputs: number): string {
  return inputs === 1 ? 'one input' : `${inputs} inputs`
}

/** A straight line through points in time. */
export interface Line {
  /** Per unit of x. */
  slope: number
  offset: number
  /** null: all values are the same. */
  rSquared: number | null
}

/** The straight line nearest to points (x, y). @returns null for fewer than two different x */
export function straightLine(points: readonly (readonly [number, number])[]): Line | null {
  const count = points.length
  const mean = (pick: 0 | 1): number => points.reduce((sum, point) => sum + point[pick], 0) / count
  const [mx, my] = [mean(0), mean(1)]
  let [sxx, sxy] = [0, 0]
  for (const [x, y] of points) {
    sxx += (x - mx) ** 2
    sxy += (x - mx) * (y - my)
  }
  if (!(sxx > 0)) return null
  const slope = sxy / sxx
  const values = points.map(([, y]) => y)
  const { rSquared } = fitQuality(
    values,
    points.map(([x]) => my + slope * (x - mx)),
  )
  return { slope, offset: my - slope * mx, rSquared }
}
