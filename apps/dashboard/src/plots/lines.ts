import type { Gap, HistorySeries } from '@golem/core'
import type { Point } from '../history.ts'

/** The stretch of time that is drawn, in ms: since 1970, or since the start of runs that are compared. */
export interface View {
  from: number
  to: number
}

/** One series as it is drawn. */
export interface PlotLine {
  /** Unique in the plot. */
  key: string
  label: string
  unit: string
  /** Which of the colours, from 0. */
  colour: number
  /** The second of two runs. */
  isDashed: boolean
  data: HistorySeries
  /** What is taken from its times, in ms: the start of its run; 0: nothing. */
  shift: number
  /** Readings of the last moments, which the archive may not have yet. */
  tail: readonly Point[]
  decimals: number | undefined
}

/** Columns to be drawn; null breaks the line. */
export interface Columns {
  x: number[]
  mean: (number | null)[]
  min: (number | null)[]
  max: (number | null)[]
}

/** A stretch without readings, in the time of the drawing. */
export interface DrawnGap {
  from: number
  to: number
  gap: Gap
}

/** A stretch with one text. */
export interface Stretch {
  from: number
  to: number
  text: string
}

/** Is it drawn as a row of stretches with words? */
export function isText({ data }: PlotLine): boolean {
  return data.type === 'choice' || data.type === 'text'
}

/** Does it stay as it is between two points, instead of going from one to the other? */
export function isStepped({ data }: PlotLine): boolean {
  return data.type === 'boolean'
}

/** Gaps of a line. @param now - up to when those last that have not ended */
export function gapsOf({ data, shift }: PlotLine, now: number): DrawnGap[] {
  return data.gaps.map((gap) => ({
    from: Date.parse(gap.from) - shift,
    to: (gap.to === null ? Math.max(now, Date.parse(gap.from)) : Date.parse(gap.to)) - shift,
    gap,
  }))
}

/** The stretches in which at least one of these is: shading lies on no other shading. */
export function united(stretches: readonly View[]): View[] {
  const found: View[] = []
  for (const { from, to } of stretches.toSorted((a, b) => a.from - b.from)) {
    const last = found.at(-1)
    if (last && from <= last.to) last.to = Math.max(last.to, to)
    else found.push({ from, to })
  }
  return found
}

/** The columns of a number or a switch, with the last readings at their end and a break at each gap. */
export function columnsOf(line: PlotLine, now: number): Columns {
  const { data, shift } = line
  const { bucketMs, times, until } = data
  const rows = times.map((t, index): [number, number, number, number] => [
    // The middle of what a point stands for; a single reading before the first bucket stays where it is.
    t - shift + (isBucket(data, index) ? bucketMs / 2 : 0),
    data.mean[index] ?? NaN,
    data.min[index] ?? NaN,
    data.max[index] ?? NaN,
  ])
  const last = rows.at(-1)
  if (last && until !== null && bucketMs === 0 && until - shift > last[0]) {
    rows.push([until - shift, last[1], last[2], last[3]])
  }
  const columns: Columns = { x: [], mean: [], min: [], max: [] }
  const put = (x: number, mean: number | null, min: number | null, max: number | null): void => {
    columns.x.push(x)
    columns.mean.push(mean)
    columns.min.push(min)
    columns.max.push(max)
  }
  const breaks = gapsOf(line, now).flatMap((gap) => breakOf(gap, bucketMs))
  let next = 0
  for (const [x, mean, min, max] of rows) {
    for (let at = breaks[next]; at !== undefined && at < x; at = breaks[next]) {
      put(at, null, null, null)
      next += 1
    }
    put(x, mean, min, max)
  }
  for (const at of breaks.slice(next)) put(at, null, null, null)
  addTail(line, columns)
  return columns
}

function isBucket({ bucketMs, count, times }: HistorySeries, index: number): boolean {
  if (bucketMs === 0) return false
  // Only what lies before all buckets is not aligned.
  return index > 0 || (count[0] ?? 0) > 1 || (times[0] ?? 0) % bucketMs === 0
}

/** Where a gap breaks the line: behind the bucket in which it begins. One that is shorter than a bucket breaks nothing. */
function breakOf({ from, to }: DrawnGap, bucketMs: number): number[] {
  if (bucketMs === 0) return [from + 0.5]
  return to - from > bucketMs ? [(Math.floor(from / bucketMs) + 1) * bucketMs] : []
}

/** What this page has heard since: the archive gets it a moment later. */
function addTail({ data: { until }, shift, tail }: PlotLine, columns: Columns): void {
  if (until === null && columns.x.length > 0) return
  let last = columns.x.at(-1) ?? -Infinity
  for (const { at, value } of tail) {
    const x = at - shift
    if (x <= last || (until !== null && at <= until)) continue
    columns.x.push(x)
    for (const column of [columns.mean, columns.min, columns.max]) column.push(value)
    last = x
  }
}

/**
 * Lowest and highest of what is seen of a line, with what it has at the edges of the view, between two points; null: there
 * is nothing to be seen.
 */
export function extentIn({ x, min, max, mean }: Columns, { from, to }: View): [number, number] | null {
  let [low, high] = [Infinity, -Infinity]
  const take = (least: number | null | undefined, most: number | null | undefined): void => {
    if (typeof least === 'number') low = Math.min(low, least)
    if (typeof most === 'number') high = Math.max(high, most)
  }
  const [first, end] = [indexAt(x, from), indexAt(x, to)]
  for (let index = Math.max(0, first + 1); index <= end; index += 1) take(min[index], max[index])
  for (const [index, edge] of [
    [first, from],
    [end, to],
  ] as const) {
    const [a, b] = [mean[index], mean[index + 1]]
    const [at, next] = [x[index], x[index + 1]]
    if (typeof a !== 'number' || typeof b !== 'number' || at === undefined || next === undefined) continue
    const there = a + ((b - a) * (edge - at)) / (next - at)
    take(there, there)
  }
  return low <= high ? [low, high] : null
}

/** The stretches of a choice or a text. @param now - up to when the last value holds, if nothing else is known */
export function stretchesOf(line: PlotLine, now: number): Stretch[] {
  const { data, shift } = line
  const texts = data.texts ?? []
  const gaps = gapsOf(line, now)
  const end = (data.until ?? now) - shift
  return data.times.flatMap((t, index) => {
    const from = t - shift
    const next = data.times[index + 1]
    let to = next === undefined ? Math.max(end, from) : next - shift
    for (const gap of gaps) if (gap.from >= from && gap.from < to) to = Math.max(from, gap.from)
    return [{ from, to, text: texts[index] ?? '' }]
  })
}

/** What a line was at a time: a value, a gap with its reason, or nothing known. */
export type Found =
  | { kind: 'value'; mean: number; min: number; max: number }
  | { kind: 'text'; text: string }
  | { kind: 'gap'; gap: Gap }
  | null

export function findAt(line: PlotLine, columns: Columns | null, at: number, now: number): Found {
  const gap = gapsOf(line, now).find(
    ({ from, to, gap: { to: end } }) => at > from && (at < to || (end === null && at === to)),
  )
  if (columns === null) {
    const stretch = stretchesOf(line, now).findLast(({ from }) => from <= at)
    if (stretch && at <= stretch.to) return { kind: 'text', text: stretch.text }
    return gap ? { kind: 'gap', gap: gap.gap } : null
  }
  if (gap && gap.to - gap.from > line.data.bucketMs) return { kind: 'gap', gap: gap.gap }
  const index = indexAt(columns.x, at + line.data.bucketMs / 2)
  const [mean, min, max] = [columns.mean[index], columns.min[index], columns.max[index]]
  if (typeof mean === 'number' && typeof min === 'number' && typeof max === 'number') {
    const isLast = index === columns.x.length - 1
    const isBeyond = isLast && at > Math.max(columns.x[index] ?? 0, now - line.shift) + line.data.bucketMs
    return isBeyond ? null : { kind: 'value', mean, min, max }
  }
  return gap ? { kind: 'gap', gap: gap.gap } : null
}

/** The last that is not later; -1: there is none. */
function indexAt(x: readonly number[], at: number): number {
  let [low, high] = [0, x.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((x[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}
