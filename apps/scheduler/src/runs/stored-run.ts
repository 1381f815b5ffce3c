import { type RunRecord, isoTime } from '@golem/core'
import { type EngineState, type Now, type Program, progressOf, statusOf } from '@golem/recipes'

/** A run as the leading scheduler remembers it: everything that its successor needs. */
export interface StoredRun {
  id: string
  program: Program
  state: EngineState
  /** When `state` was written, site clock, ms since 1970. */
  savedAt: number
  /** Grows with each writing, so that a repeated one is known. */
  revision: number
  by: string
  note?: string
  /** Instruments by role, where the run bound others. */
  instruments?: Readonly<Record<string, string>>
  submittedAt: string
  startedAt?: string
  endedAt?: string
  /** The schedule that started it, and for when that was planned. */
  planned?: { schedule: string; at: string }
}

/** Under which name it is remembered. */
export function nameOf(run: string): string {
  return `run:${run}`
}

/** The record that pages show. */
export function recordOf(stored: StoredRun, now: Now, scheduler: string): RunRecord {
  const { id, program, state, by, note, instruments, submittedAt, startedAt, endedAt } = stored
  const status = statusOf(program, state)
  const at = isoTime(now.utcMs)
  return {
    id,
    recipe: program.recipe,
    label: program.label,
    by,
    ...(note === undefined ? {} : { note }),
    parameters: status.parameters,
    ...(instruments === undefined ? {} : { instruments }),
    state: status.state,
    message: status.message,
    submittedAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(status.end === undefined ? {} : { end: status.end }),
    progress: progressOf(program, state, now),
    ...(status.choices === undefined ? {} : { choices: status.choices }),
    seenAt: at,
    interruptions: status.interruptions,
    rows: status.rows,
    scheduler,
  }
}
