import type { Curve } from '@golem/core'

/** How many inputs it takes. */
export function inputsOf(curve: Curve): number {
  return curve.kind === 'surface' ? 2 : 1
}

/** Where it holds by itself, for each input. */
export function spanOf(curve: Curve): (readonly [number, number])[] {
  if (curve.kind !== 'table') return Array.from({ length: inputsOf(curve) }, () => [-Infinity, Infinity])
  const xs = curve.points.map(([x]) => x)
  return [[Math.min(...xs), Math.max(...xs)]]
}

/** What is wrong with a curve, as a sentence; null: nothing. */
export function curveFault(curve: Curve): string | null {
  const numbers =
    curve.kind === 'linear'
      ? [curve.slope, curve.offset]
      : curve.kind === 'table'
        ? curve.points.flat()
        : curve.coefficients
  if (!numbers.every((number) => Number.isFinite(number))) return 'Its numbers have to be finite.'
  switch (curve.kind) {
    case 'linear':
      return null
    case 'polynomial':
      return curve.coefficients.length > 0 ? null : 'A polynomial has one coefficient at least.'
    case 'surface':
      return curve.coefficients.length === 6
        ? null
        : 'A polynomial of two inputs has six coefficients: those of 1, x, y, x², xy and y².'
    case 'table': {
      if (curve.points.length < 2) return 'A table has two points at least.'
      const xs = curve.points.map(([x]) => x).sort((a, b) => a - b)
      const twice = xs.find((x, n) => x === xs[n + 1])
      return twice === undefined ? null : `The table has two points at ${twice}.`
    }
  }
}

/**
 * The calibrated value.
 *
 * @param inputs - as many as `inputsOf` says
 * @returns NaN outside of a table
 */
export function evaluate(curve: Curve, inputs: readonly number[]): number {
  const [x = NaN, y = NaN] = inputs
  switch (curve.kind) {
    case 'linear':
      return curve.slope * x + curve.offset
    case 'polynomial':
      return horner(curve.coefficients, x)
    case 'surface':
      return surfaceTerms(x, y).reduce((sum, term, n) => sum + term * (curve.coefficients[n] ?? 0), 0)
    case 'table':
      return betweenPoints(curve.points, x)
  }
}

/** The terms of a polynomial of two inputs, in the order of its coefficients. */
export function surfaceTerms(x: number, y: number): number[] {
  return [1, x, y, x * x, x * y, y * y]
}

export function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0)
}

function betweenPoints(points: readonly (readonly [number, number])[], x: number): number {
  const sorted = [...points].sort((a, b) => a[0] - b[0])
  for (const [n, [x1, y1]] of sorted.entries()) {
    if (x === x1) return y1
    const next = sorted[n + 1]
    if (!next || x < x1 || x > next[0]) continue
    const [x2, y2] = next
    return y1 + ((y2 - y1) * (x - x1)) / (x2 - x1)
  }
  return NaN
}
