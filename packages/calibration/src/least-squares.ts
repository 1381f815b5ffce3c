import { GolemError } from '@golem/core'

/** A column that is so much smaller after what the others explain was taken out says nothing of its own. */
const DEPENDENT = 1e-10

/**
 * Coefficients c for which rows·c is nearest to values, by least squares (Householder's QR; columns are scaled first,
 * so that 100⁵ beside 1 does no harm).
 *
 * @throws INVALID_REQUEST when the rows don't determine them
 */
export function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const width = rows[0]?.length ?? 0
  const scales = Array.from(
    { length: width },
    (_none, k) => Math.hypot(...rows.map((row) => row[k] ?? 0)) || 1,
  )
  const a = rows.map((row) => row.map((entry, k) => entry / (scales[k] ?? 1)))
  const b = [...values]
  for (let k = 0; k < width; k++) reflect(a, b, k)
  const found = Array.from({ length: width }, () => 0)
  for (let k = width - 1; k >= 0; k--) {
    const row = a[k] ?? []
    let rest = b[k] ?? 0
    for (let j = k + 1; j < width; j++) rest -= (row[j] ?? 0) * (found[j] ?? 0)
    found[k] = rest / (row[k] ?? 1)
  }
  return found.map((coefficient, k) => coefficient / (scales[k] ?? 1))
}

/** Turns column k so that only its first k + 1 entries are not zero, and everything else with it. */
function reflect(a: number[][], b: number[], k: number): void {
  const column = a.slice(k).map((row) => row[k] ?? 0)
  const length = Math.hypot(...column)
  if (!(length > DEPENDENT)) {
    throw new GolemError(
      'INVALID_REQUEST',
      'The points do not determine such a curve: too few of them are different. Measure at more set points, or take a simpler curve.',
    )
  }
  const first = column[0] ?? 0
  const v = [...column]
  v[0] = first + (first >= 0 ? length : -length)
  const square = v.reduce((sum, entry) => sum + entry * entry, 0)
  const turn = (get: (row: number) => number, set: (row: number, value: number) => void): void => {
    const dot = v.reduce((sum, entry, n) => sum + entry * get(n + k), 0)
    for (const [n, entry] of v.entries()) set(n + k, get(n + k) - (2 * dot * entry) / square)
  }
  for (let j = k; j < (a[0]?.length ?? 0); j++) {
    turn(
      (row) => a[row]?.[j] ?? 0,
      (row, value) => {
        const whole = a[row]
        if (whole) whole[j] = value
      },
    )
  }
  turn(
    (row) => b[row] ?? 0,
    (row, value) => {
      b[row] = value
    },
  )
}

/** How well a model fits: R² = 1 − SSres/SStot (null when the values are all the same), and the root mean square. */
export function fitQuality(
  values: readonly number[],
  fitted: readonly number[],
): { rSquared: number | null; rmsd: number; residuals: number[] } {
  const residuals = values.map((value, n) => value - (fitted[n] ?? 0))
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = (list: readonly number[]): number => list.reduce((sum, one) => sum + one * one, 0)
  const total = squares(values.map((value) => value - mean))
  const rest = squares(residuals)
  return {
    rSquared: total === 0 ? null : 1 - rest / total,
    rmsd: Math.sqrt(rest / values.length),
    residuals,
  }
}
