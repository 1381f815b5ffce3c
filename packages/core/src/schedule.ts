import type { RunEnd } from './run.ts'

/** What became of one planned start, or of several that were skipped for the same reason. Times are ISO 8601 UTC. */
export interface PlannedStart {
  schedule: string
  plannedAt: string
  /** The run it started; absent when it was skipped. */
  run?: string
  startedAt?: string
  finishedAt?: string
  /** How its run ended. */
  end?: RunEnd
  /** How much later than planned it started, in ms. */
  lateMs?: number
  /** Why it was not started, as a sentence. */
  skipped?: string
  /** It stands for so many, up to the one planned for `until`. */
  count?: number
  until?: string
}

/** A schedule and what it will do next, as the HTTP API shows it. */
export interface ScheduleState {
  id: string
  label: string
  recipe: string
  /** When it starts, in words, e.g. `every 10 min from the top of the hour` or `daily at 06:00 (Europe/Berlin)`. */
  when: string
  missed: 'skip' | 'once' | 'catch-up'
  enabled: boolean
  /** The next planned starts, ISO 8601 UTC. */
  next: readonly string[]
  /** Why none is planned, as a sentence: switched off, clock not trusted, none to come; empty: nothing is amiss. */
  message: string
  last: PlannedStart | null
}
