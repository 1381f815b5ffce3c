import type { GapReason, SampleEntry, SampledReading, Value } from '@golem/core'
import type { Batch, GapRow, Series } from '../batch.ts'
import { type Cause, GapBook } from './gap-book.ts'
import { HOUR_MS, MINUTE_MS, Rollups } from './rollups.ts'

/** Which readings of a series are stored singly. */
export interface StoreRule {
  /** A value that differs from the stored one by no more counts as unchanged. */
  deadband: number
  /** A value that stays is stored so often all the same, in ms. */
  heartbeatMs: number
}

/** What a series needs to be told of before its first reading. */
export interface KnownSeries {
  series: Series
  rule: StoreRule
  /** The newest one that the archive has. */
  gap: GapRow | null
}

/** What is expected of a series that is silent. */
export interface Expectation extends Cause {
  /** A silence of up to this length is none, in ms; what its entries have said counts more. */
  staleAfterMs: number
}

/** What comes of readings: those parts of a batch. */
export type Recorded = Pick<Batch, 'samples' | 'minutes' | 'hours' | 'gaps' | 'series'>

interface Track {
  series: Series
  readonly rule: StoreRule
  readonly gaps: GapBook
  /** The value of its last reading; undefined: not known after a restart. */
  lastValue: number | string | undefined
  staleAfterMs: number | undefined
  /** Why readings may be missing before the next one. */
  doubt: Cause | undefined
}

/** A reading that is so far ahead of the clock is of a time when that was wrong, in ms. */
const AHEAD_MS = 60_000
/** Later ones count more: what is known to be lost explains a silence better than a worker that was gone. */
const DOUBTS: readonly GapReason[] = ['worker', 'redis', 'behind']
/** The reason of a gap, where the instrument's condition is one. */
const CONDITION_REASONS: Readonly<Partial<Record<SampleEntry['condition'], GapReason>>> = {
  connecting: 'worker',
  lost: 'link',
  stopped: 'stopped',
}

/**
 * Makes of readings what the archive keeps of them. Without I/O and without a clock: the same entries give the same
 * result.
 *
 * Stored singly are the first reading, those that differ from the stored one, one for each heartbeat, and the last one
 * before a change or a gap, so that a line through them does not lie. Of several at the same millisecond only the first
 * is stored singly. Minutes and hours are gathered from all readings.
 */
export class Recorder {
  readonly #tracks = new Map<string, Track>()
  readonly #minutes = new Rollups(MINUTE_MS)
  readonly #hours = new Rollups(HOUR_MS)
  #samples: { series: number; t: number; value: number | string }[] = []
  #gaps = new Map<string, GapRow>()
  #changed = new Set<Track>()

  /** Makes a series known; readings of others are not taken. */
  know({ series, rule, gap }: KnownSeries): void {
    const { id, instrument, parameter, keptAt, lastAt, keptValue } = series
    const write = (row: GapRow): void => {
      this.#gaps.set(`${row.series} ${row.from}`, row)
    }
    // What was not stored before a restart was equal to what was: only with a dead-band it is not known exactly.
    const isKnown = keptValue !== null && (keptAt === lastAt || rule.deadband === 0)
    this.#tracks.set(`${instrument}.${parameter}`, {
      series: { ...series },
      rule,
      gaps: new GapBook(id, gap, write),
      lastValue: isKnown ? keptValue : undefined,
      staleAfterMs: undefined,
      doubt: undefined,
    })
  }

  knows(instrument: string, parameter: string): boolean {
    return this.#tracks.has(`${instrument}.${parameter}`)
  }

  /** It is called otherwise, or has another unit, from now on. */
  describe(instrument: string, parameter: string, what: Pick<Series, 'type' | 'label' | 'unit'>): void {
    const track = this.#tracks.get(`${instrument}.${parameter}`)
    if (!track) return
    const { type, label, unit } = track.series
    if (type === what.type && label === what.label && unit === what.unit) return
    Object.assign(track.series, what)
    this.#changed.add(track)
  }

  /** From here on readings may be missing, for a reason; where there is no silence nothing was. */
  doubt(cause: Cause): void {
    for (const track of this.#tracks.values()) {
      const before = track.doubt ? DOUBTS.indexOf(track.doubt.reason) : -1
      if (DOUBTS.indexOf(cause.reason) >= before) track.doubt = cause
    }
  }

  /** Takes what is new of an instrument. Also late: then all of it is stored, and gaps are filled by it. */
  take(entry: SampleEntry): void {
    if (entry.lost)
      this.doubt({ reason: 'redis', message: `${entry.lost} entries did not fit into its worker.` })
    for (const [parameter, reading] of Object.entries(entry.readings)) {
      const track = this.#tracks.get(`${entry.instrument}.${parameter}`)
      if (!track) continue
      track.staleAfterMs = entry.staleAfterMsOf?.[parameter] ?? entry.staleAfterMs
      this.#takeOne(track, reading, entry)
    }
  }

  /**
   * Everything that was sent up to a time has been taken: who was silent for too long has a gap.
   *
   * @param upTo - ms since 1970
   * @param expect - what is to be expected of a series, and why it may be silent
   */
  silence(upTo: number, expect: (series: Series) => Expectation): void {
    for (const track of this.#tracks.values()) {
      const { lastAt } = track.series
      if (lastAt !== null && lastAt - upTo > AHEAD_MS) this.#setBack(track, upTo)
      if (lastAt === null || track.gaps.isOpen || upTo <= lastAt) continue
      if (track.staleAfterMs !== undefined && upTo - lastAt <= track.staleAfterMs) continue
      const { staleAfterMs, ...cause } = expect(track.series)
      if (upTo - lastAt <= (track.staleAfterMs ?? staleAfterMs)) continue
      this.#openGap(track, lastAt, upTo, track.doubt ?? cause)
    }
  }

  /** What has come of it since the last time. */
  recorded(): Recorded {
    const samples = this.#samples
    const gaps = [...this.#gaps.values()]
    const series = [...this.#changed].map((track) => ({ ...track.series }))
    this.#samples = []
    this.#gaps = new Map()
    this.#changed = new Set()
    return { samples, minutes: this.#minutes.take(), hours: this.#hours.take(), gaps, series }
  }

  /** The clock was ahead and is right again: what comes now is not late. */
  #setBack(track: Track, upTo: number): void {
    Object.assign(track.series, { lastAt: upTo, keptAt: null, keptValue: null })
    track.lastValue = undefined
    this.#changed.add(track)
  }

  #takeOne(track: Track, reading: SampledReading, { condition, message }: SampleEntry): void {
    const [at, value, quality, why] = reading
    if (!Number.isFinite(at)) return
    if (value !== null) {
      const stored = storedValue(value)
      if (stored !== undefined) this.#read(track, at, stored)
      return
    }
    const reason = quality === 'bad' ? 'bad' : (CONDITION_REASONS[condition] ?? 'stale')
    this.#ended(track, at, { reason, message: why ?? message })
  }

  #read(track: Track, at: number, value: number | string): void {
    const { series, gaps, rule } = track
    const { lastAt, keptAt, keptValue } = series
    if (at === lastAt && (value === track.lastValue || track.lastValue === undefined)) return
    const usual = track.staleAfterMs ?? 0
    const wasOpen = gaps.isOpen
    gaps.filledAt(at, usual)
    if (typeof value === 'number') {
      this.#minutes.add(series.id, at, value)
      this.#hours.add(series.id, at, value)
    }
    this.#changed.add(track)
    series.firstAt = Math.min(series.firstAt ?? at, at)
    if (lastAt !== null && at <= lastAt) {
      if (at < lastAt) this.#samples.push({ series: series.id, t: at, value })
      return
    }
    const isAfterSilence = lastAt !== null && at - lastAt > usual
    if (isAfterSilence && !wasOpen) {
      gaps.add(lastAt, at, track.doubt ?? { reason: 'stale', message: 'It told nothing new for too long.' })
    }
    track.doubt = undefined
    const isChange = isAfterSilence || wasOpen || differs(value, keptValue, rule.deadband)
    if (isChange) this.#keepLast(track)
    if (isChange || keptAt === null || at - keptAt >= rule.heartbeatMs) this.#keep(track, at, value)
    track.lastValue = value
    series.lastAt = at
  }

  #ended(track: Track, at: number, cause: Cause): void {
    const { lastAt } = track.series
    // Somebody else has read it since.
    if (lastAt !== null && at < lastAt) return
    const isLate = lastAt !== null && at - lastAt > (track.staleAfterMs ?? 0)
    if (isLate && track.doubt && !track.gaps.isOpen) track.gaps.open(lastAt, at, track.doubt)
    this.#openGap(track, cause.reason === 'bad' && !isLate ? at : (lastAt ?? at), at, cause)
  }

  #openGap(track: Track, from: number, at: number, cause: Cause): void {
    this.#keepLast(track)
    track.gaps.open(from, at, cause)
    this.#changed.add(track)
  }

  /** The last reading is stored, too: the value did not change before it. */
  #keepLast(track: Track): void {
    const { lastAt, keptAt } = track.series
    if (lastAt !== null && keptAt !== null && lastAt > keptAt && track.lastValue !== undefined) {
      this.#keep(track, lastAt, track.lastValue)
    }
  }

  #keep({ series }: Track, at: number, value: number | string): void {
    this.#samples.push({ series: series.id, t: at, value })
    series.keptAt = at
    series.keptValue = value
  }
}

/** @returns undefined: lists of numbers are not archived, and what is no number neither */
function storedValue(value: Value): number | string | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function differs(value: number | string, kept: number | string | null, deadband: number): boolean {
  if (typeof value !== 'number' || typeof kept !== 'number') return value !== kept
  return Math.abs(value - kept) > deadband
}
