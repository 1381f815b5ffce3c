import type {
  AlarmRecord,
  BusState,
  InstrumentDescription,
  InstrumentState,
  InterlockRecord,
  Reading,
  RunRecord,
  StateDocument,
  StopState,
} from '@golem/core'

/** What the page knows of the site: the last full state with all deltas since. */
export interface SiteModel {
  cursor: string
  instruments: ReadonlyMap<string, InstrumentState>
  /** All that have not ended, and those that ended within the last hour. */
  runs: readonly RunRecord[]
  /** All that are not normal. */
  alarms: readonly AlarmRecord[]
  /** Those that have tripped and were not reset. */
  interlocks: readonly InterlockRecord[]
  stop: StopState
  bus: BusState
}

/**
 * Puts an answer of `GET /api/state` on top of what is known. Entries are whole, so a delta replaces them;
 * a full answer also removes what is no longer there.
 */
export function mergeState(known: SiteModel | null, answer: StateDocument): SiteModel {
  const instruments = new Map(answer.full ? [] : known?.instruments)
  for (const [id, state] of Object.entries(answer.instruments)) instruments.set(id, state)
  const { cursor, runs, alarms, interlocks, stop, bus } = answer
  return { cursor, instruments, runs, alarms, interlocks, stop, bus }
}

/** Whether the descriptions have to be fetched anew: an instrument is not described, or changed hands. */
export function needsDescriptions(
  descriptions: readonly InstrumentDescription[],
  before: SiteModel | null,
  after: SiteModel,
): boolean {
  const described = new Set(descriptions.map(({ id }) => id))
  for (const [id, state] of after.instruments) {
    if (!described.has(id)) return true
    const was = before?.instruments.get(id)
    if (was && was.owner !== state.owner && state.owner !== null) return true
  }
  return false
}

/** The reading of a parameter, or none: names like `constructor` find nothing. */
export function readingOf(state: InstrumentState | undefined, name: string): Reading | undefined {
  return state && Object.hasOwn(state.readings, name) ? state.readings[name] : undefined
}

/** Errors that several of these readings have in common, e.g. of all axes of a stage: they are said once. */
export function sharedErrors(state: InstrumentState | undefined, names: readonly string[]): string[] {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const name of names) {
    const error = readingOf(state, name)?.error
    if (!error) continue
    if (seen.has(error)) shared.add(error)
    seen.add(error)
  }
  return [...shared]
}

/** A server clock further back than this was set back; smaller differences are answers that took their time. */
const CLOCK_STEP_MS = 5000

/**
 * Tells the site's time from the `at` of answers and a monotonic clock. The browser's own wall clock is never
 * asked: it may be hours off, and ages must be right all the same.
 *
 * An answer's `at` can only lie before the moment it arrives, so the answer that took the shortest way gives
 * the best offset, and that one is kept.
 */
export class SiteClock {
  #offsetMs: number | null = null
  readonly #monotonicMs: () => number

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs
  }

  /** @param at - of an answer that has just arrived, ISO 8601 */
  hear(at: string): void {
    const heard = Date.parse(at)
    if (!Number.isFinite(heard)) return
    const offset = heard - this.#monotonicMs()
    const wasSetBack = this.#offsetMs !== null && offset < this.#offsetMs - CLOCK_STEP_MS
    if (this.#offsetMs === null || offset > this.#offsetMs || wasSetBack) this.#offsetMs = offset
  }

  /** The site's time in ms since 1970; null before the first answer. */
  now(): number | null {
    return this.#offsetMs === null ? null : this.#monotonicMs() + this.#offsetMs
  }
}

/** Age of a time stamp in ms, never negative; null when either is not known. */
export function ageMs(at: string | null | undefined, nowMs: number | null): number | null {
  if (!at || nowMs === null) return null
  const then = Date.parse(at)
  return Number.isFinite(then) ? Math.max(0, nowMs - then) : null
}
