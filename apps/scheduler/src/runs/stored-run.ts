import { type RunProgress, type RunRecord, isoTime } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import { type EngineState, type Now, type Program, progressOf, statusOf } from '@golem/recipes'

/** What a recipe in code has told of itself. */
export interface CodeProgress {
  stage: string | null
  doing: string
  /** 0 to 1 */
  fraction: number | null
  rows: number
  /** Its process has ended with a scheduler before: it can't be resumed. */
  isLost: boolean
}

export const NOTHING_TOLD: CodeProgress = { stage: null, doing: '', fraction: null, rows: 0, isLost: false }

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
  /** Only of a recipe in code. */
  code?: CodeProgress
  /** The schedule that started it, and for when that was planned. */
  planned?: { schedule: string; at: string }
}

/** As it is written with each step; its program stands by itself. Runs of golem before have it inside. */
export type WrittenRun = Omit<StoredRun, 'program'> & { program?: Program }

/** Under which name it is remembered. */
export function nameOf(run: string): string {
  return `run:${run}`
}

/** Under which name its program is remembered: that never changes, and is far larger than what a step changes. */
export function programNameOf(run: string): string {
  return `program:${run}`
}

/** What is written of a run. @param withProgram - its program is not known to be in Redis yet */
export function remembering({ program, ...written }: StoredRun, withProgram: boolean): SchedulerWrite[] {
  const state: WrittenRun = written
  return [
    { op: 'remember', name: nameOf(written.id), value: state },
    ...(withProgram ? [{ op: 'remember' as const, name: programNameOf(written.id), value: program }] : []),
  ]
}

/** An ended run needs no successor. */
export function forgetting(run: string): SchedulerWrite[] {
  const names = [nameOf(run), programNameOf(run), `revision:${run}`]
  return names.map((name) => ({ op: 'remember', name, value: null }))
}

/** The record that pages show. */
export function recordOf(stored: StoredRun, now: Now, scheduler: string): RunRecord {
  const { id, program, state, by, note, instruments, submittedAt, startedAt, endedAt, code } = stored
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
    message: code?.isLost && status.state !== 'ended' ? `${status.message} ${LOST}` : status.message,
    submittedAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(status.end === undefined ? {} : { end: status.end }),
    progress: code ? progressOfCode(stored, code, now) : progressOf(program, state, now),
    ...(status.choices === undefined
      ? {}
      : { choices: status.choices.filter((one) => !code?.isLost || one !== 'resume') }),
    ...(status.isHeldByPolicy ? { heldByPolicy: true as const } : {}),
    ...(status.inhibits.length > 0 ? { inhibits: status.inhibits } : {}),
    seenAt: at,
    interruptions: status.interruptions,
    rows: status.rows + (code?.rows ?? 0),
    scheduler,
  }
}

/** Why a program that was interrupted can't go on. */
export const LOST =
  'Its program ended with the scheduler and can not be resumed: stop does what it wants done at the end, abort makes everything safe, reset begins it anew.'

/** While the program runs it knows best where it is. */
function progressOfCode({ program, state }: StoredRun, code: CodeProgress, now: Now): RunProgress {
  const progress = progressOf(program, state, now)
  if (state.phase !== 'stages') return { ...progress, stages: 0, stageNumber: 0, steps: null }
  const doing = code.doing === '' ? 'It computes.' : code.doing
  return {
    ...progress,
    stage: code.stage,
    stageNumber: 0,
    stages: 0,
    step: 0,
    steps: null,
    doing,
    fraction: code.fraction,
    endsAt: null,
  }
}
