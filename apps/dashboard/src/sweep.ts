import type { InstrumentDescription, MeasuredPoint } from '@golem/core'

/** How one input is swept. */
export interface SweepRange {
  from: number
  to: number
  step: number
}

/** More than this nobody reads off a meter. */
export const MAX_SET_POINTS = 200

/** The values of one input, both ends included. */
export function valuesOf({ from, to, step }: SweepRange): number[] {
  if (!(step > 0) || !Number.isFinite(from) || !Number.isFinite(to)) return []
  const count = Math.floor(Math.abs(to - from) / step + 1e-9)
  if (count > MAX_SET_POINTS) return []
  const values = Array.from({ length: count + 1 }, (_none, n) => {
    const value = from + Math.sign(to - from) * n * step
    return Number(value.toPrecision(12))
  })
  if (values.at(-1) !== to) values.push(to)
  return values
}

/** Every combination, the last input swept for each value of those before it. */
export function setPoints(ranges: readonly SweepRange[]): number[][] {
  return ranges.reduce<number[][]>(
    (points, range) => points.flatMap((point) => valuesOf(range).map((value) => [...point, value])),
    [[]],
  )
}

/** What has to be measured still. */
export function leftOf(points: readonly number[][], measured: readonly MeasuredPoint[]): number[][] {
  const done = new Set(measured.map(({ inputs }) => JSON.stringify(inputs)))
  return points.filter((point) => !done.has(JSON.stringify(point)))
}

/** From limit to limit in five steps, as far as an input has limits. */
export function usualRange({ parameters }: InstrumentDescription, name: string): SweepRange {
  const { min = 0, max = 100, type } = parameters[name] ?? {}
  const step = (max - min) / 5
  return { from: min, to: max, step: type === 'integer' ? Math.max(1, Math.round(step)) : step }
}
