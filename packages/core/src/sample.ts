import type { Value } from './description.ts'
import type { Condition } from './reading.ts'

/**
 * What the archive is told of one parameter: `[time, value]` when it was read well, `[time, null, quality, why]` when
 * from then on it is stale or bad. Times in ms since 1970, by the site's clock.
 */
export type SampledReading =
  | readonly [at: number, value: Value]
  | readonly [at: number, value: null, quality: 'stale' | 'bad', why: string]

/** Readings of one instrument on their way to the archive: one entry of the `samples` stream. */
export interface SampleEntry {
  instrument: string
  condition: Condition
  /** A sentence about the condition. */
  message: string
  /** A reading after a silence longer than this is one after a gap, in ms. */
  staleAfterMs: number
  /** The same for parameters that the site reads at a period of their own. */
  staleAfterMsOf?: Readonly<Record<string, number>>
  /** Those that are new since the entry before. */
  readings: Readonly<Record<string, SampledReading>>
  /** So many entries before this one were lost at the worker, because Redis was away for too long. */
  lost?: number
}

/**
 * Why the archive has no readings for a time.
 *
 * - `link`: the instrument did not answer
 * - `bad`: it answered, and what it said is no value
 * - `stale`: it told nothing new for longer than it should
 * - `worker`: no worker process was in charge of it
 * - `stopped`: its worker was stopped in an orderly way
 * - `redis`: Redis was away for longer than the worker could keep readings
 * - `behind`: the archiver was away for longer than the stream could keep them
 * - `hidden`: the site does not show the parameter any more
 */
export const GAP_REASONS = ['link', 'bad', 'stale', 'worker', 'stopped', 'redis', 'behind', 'hidden'] as const

export type GapReason = (typeof GAP_REASONS)[number]

/** A time without readings. Times are ISO 8601 UTC. */
export interface Gap {
  from: string
  /** null: it lasts. */
  to: string | null
  reason: GapReason
  /** As a sentence. */
  message: string
}

/**
 * One series in the answer of `GET /api/history`. Its columns are equally long; of choices and texts there are `texts`
 * in place of min, max and mean, which are empty.
 */
export interface HistorySeries {
  /** `instrument.parameter` */
  series: string
  label: string
  unit?: string
  /** As in the instrument's description: number, integer, boolean (0 and 1), choice, text. */
  type: string
  /** Where the points come from. raw: readings that were stored singly; minute, hour: all readings, gathered. */
  level: 'raw' | 'minute' | 'hour'
  /**
   * How long one point lasts, in ms, counted from multiples of it. 0: points are single readings, and min, max and mean
   * are the same; of what is no number only changes. The first point may then lie before the asked time: the value
   * that still held when it began.
   */
  bucketMs: number
  /** Begin of each point, ms since 1970, ascending. */
  times: readonly number[]
  min: readonly number[]
  max: readonly number[]
  /** Over all readings behind the point, each counting the same. */
  mean: readonly number[]
  /** The value; of a point that lasts, its last one. */
  texts?: readonly string[]
  /** Readings behind each point. */
  count: readonly number[]
  /** The value of the last point held at least until here, ms since 1970; null: nothing was archived. */
  until: number | null
  gaps: readonly Gap[]
  /** Share of the asked time without gap, 0 to 1, as far as it is archived; null: nothing was archived before its end. */
  completeness: number | null
}

/** The answer of `GET /api/history`. Times are ISO 8601 UTC. */
export interface HistoryDocument {
  from: string
  to: string
  /** The site's time when it was answered. */
  at: string
  /** In the order in which they were asked for. */
  series: readonly HistorySeries[]
}

/** What is archived of one parameter: an entry of the answer of `GET /api/series`. Times are ISO 8601 UTC. */
export interface ArchivedSeries {
  /** `instrument.parameter` */
  series: string
  instrument: string
  parameter: string
  type: string
  label: string
  unit?: string
  firstAt: string | null
  lastAt: string | null
  /** Share of the asked time without gap, 0 to 1, as in HistorySeries. */
  completeness: number | null
}
