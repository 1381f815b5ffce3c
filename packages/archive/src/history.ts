import { type ArchivedSeries, type Gap, type HistorySeries, isoTime } from '@golem/core'
import { type Series, allSeries, gapsOf } from './batch.ts'
import type { Database } from './database.ts'
import { type TimeSpan, boundedGaps, completenessOf } from './gaps.ts'
import { type Points, numberPoints, textPoints } from './points.ts'

/** What of a series is asked for. Times in ms since 1970. */
export interface HistoryQuery {
  series: Series
  /** Inclusive. */
  from: number
  /** Exclusive; later than `from`. */
  to: number
  /** How many points are wanted at most; at least 4. */
  points: number
  /** The site's time: how long a gap that lasts has lasted by now. */
  now: number
}

/** The fewest points that can be asked for: one before the span, and the buckets at both of its ends. */
export const FEWEST_POINTS = 4

/**
 * How a parameter went: single readings where they are few enough, otherwise gathered, so that no extreme is lost.
 *
 * What is read of the disk is bounded by the points that are asked for, whatever the span: single readings, minutes or
 * hours are gathered, whichever are fewer and still finer than the points. Long reads are cut, so that a web process
 * answers others in between.
 *
 * @throws GolemError ARCHIVE_DOWN
 */
export async function history(
  database: Database,
  { series, from, to, points, now }: HistoryQuery,
): Promise<HistorySeries> {
  const span = { from, to }
  const most = Math.max(FEWEST_POINTS, points)
  const found = await pointsOf(database, series, span, most)
  const recorded = await gapsOf(database, series.id, from, to)
  // One that ends where it begins turned out to be none.
  const gaps = recorded.filter((gap) => gap.to !== gap.from)
  return {
    series: nameOf(series),
    label: series.label,
    ...(series.unit === null ? {} : { unit: series.unit }),
    type: series.type,
    ...found,
    until: series.lastAt,
    gaps: boundedGaps(gaps, span, most),
    completeness: completenessOf(series, gaps, span, now),
  }
}

function pointsOf(database: Database, series: Series, span: TimeSpan, most: number): Promise<Points> {
  return series.type === 'choice' || series.type === 'text'
    ? textPoints(database, series, span, most)
    : numberPoints(database, series, span, most)
}

/** `instrument.parameter` */
export function nameOf({ instrument, parameter }: Pick<Series, 'instrument' | 'parameter'>): string {
  return `${instrument}.${parameter}`
}

/** All that is archived, with how much of a span is there. Times in ms since 1970. @throws GolemError ARCHIVE_DOWN */
export async function archivedSeries(
  database: Database,
  { from, to, now }: TimeSpan & { now: number },
): Promise<ArchivedSeries[]> {
  const rows = await database.query<{ series: number; t: number; until: number | null }>(
    'SELECT series, t, until FROM gap WHERE t < ? AND (until IS NULL OR until > ?) ORDER BY series, t',
    [to, from],
  )
  const gaps = new Map<number, Pick<Gap, 'from' | 'to'>[]>()
  for (const { series, t, until } of rows) {
    const own = gaps.get(series) ?? []
    own.push({ from: isoTime(t), to: until === null ? null : isoTime(until) })
    gaps.set(series, own)
  }
  return (await allSeries(database)).map((series) => ({
    series: nameOf(series),
    instrument: series.instrument,
    parameter: series.parameter,
    type: series.type,
    label: series.label,
    ...(series.unit === null ? {} : { unit: series.unit }),
    firstAt: series.firstAt === null ? null : isoTime(series.firstAt),
    lastAt: series.lastAt === null ? null : isoTime(series.lastAt),
    completeness: completenessOf(series, gaps.get(series.id) ?? [], { from, to }, now),
  }))
}
