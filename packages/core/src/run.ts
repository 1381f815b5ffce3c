import type { Value, ValueDescription } from './description.ts'

/** A parameter of a recipe. A `duration` is a number of milliseconds. */
export interface RecipeParameterDescription extends Omit<ValueDescription, 'type'> {
  type: ValueDescription['type'] | 'duration'
  label: string
  /** Used when a run does not give it; without it, it has to be given. */
  default?: Value
  note?: string
}

/** An instrument of a recipe by the part it plays; a run may bind another one. */
export interface RecipeRole {
  label: string
  /** The instrument when a run binds none; null: this site has no such instrument, so a run has to bind one. */
  default: string | null
}

/** A recipe as pages and programs see it. */
export interface RecipeDescription {
  id: string
  label: string
  note?: string
  parameters: Readonly<Record<string, RecipeParameterDescription>>
  roles: Readonly<Record<string, RecipeRole>>
  /** Names of the stages, in their order. */
  stages: readonly string[]
  /** Instruments that it commands: a run reserves them. */
  commands: readonly string[]
  /** Instruments that it only looks at. */
  reads: readonly string[]
  /** `yaml`: data that the scheduler steps through; `code`: a program of the site. */
  kind: 'yaml' | 'code'
  /** Why it can't be started, as sentences with file and line; empty: it can. */
  faults: readonly string[]
}

/**
 * waiting: for the instruments it has to reserve; running; paused: somebody, or a restart policy, holds it where it is;
 * asking: after an interruption it wants to be told how to go on; stopping: what its recipe does at the end is under
 * way; ended.
 */
export type RunState = 'waiting' | 'running' | 'paused' | 'asking' | 'stopping' | 'ended'

/**
 * completed: all its steps were done; stopped: somebody ended it in order, `finally` was done; aborted: ended at once,
 * its outputs were brought to their safe state; failed: a step went wrong, `finally` was tried; killed: forgotten at
 * once, its outputs were left as they are.
 */
export type RunEnd = 'completed' | 'stopped' | 'aborted' | 'failed' | 'killed'

/** What can be asked of a run. `skip` ends the waiting of the step it is at; `ping` writes how it is, now. */
export const RUN_REQUESTS = ['pause', 'resume', 'stop', 'abort', 'skip', 'reset', 'ping', 'kill'] as const

export type RunRequest = (typeof RUN_REQUESTS)[number]

/** Where a run is. */
export interface RunProgress {
  /** Name of the stage, or null before the first and after the last. */
  stage: string | null
  /** Its number from 1, and how many there are. */
  stageNumber: number
  stages: number
  /** Steps that were begun, and how many there are where that can be known. */
  step: number
  steps: number | null
  /** What it does now, as a sentence. */
  doing: string
  /** Share of the whole, 0 to 1, where it can be known. */
  fraction: number | null
  /** When it will end if nothing comes in between, ISO 8601 UTC, where it can be known. */
  endsAt: string | null
}

/** One execution of a recipe, as the HTTP API shows it. Times are ISO 8601 UTC. */
export interface RunRecord {
  id: string
  recipe: string
  label: string
  /** Who started it: a person, a schedule (`schedule NAME`) or a program. */
  by: string
  note?: string
  parameters: Readonly<Record<string, Value>>
  /** Instruments by the roles of the recipe, where they are not those it names itself. */
  instruments?: Readonly<Record<string, string>>
  state: RunState
  /** Why it is in this state, as a sentence. */
  message: string
  submittedAt: string
  startedAt?: string
  endedAt?: string
  end?: RunEnd
  progress: RunProgress
  /** The choices when it is asking. */
  choices?: readonly RunRequest[]
  /** It is paused by its restart policy and not by a person: that is an alarm. */
  heldByPolicy?: true
  /**
   * Alarms that its recipe wants nobody called by at present, as `instrument.parameter.kind`, `instrument.parameter` (all
   * of that) or `instrument.lost`; absent: none.
   */
  inhibits?: readonly string[]
  /** Its last words to whoever pinged it. */
  seenAt: string
  /** How often it was interrupted, and for how long in all, in ms. */
  interruptions: { count: number; ms: number }
  /** Rows that its `measure` steps have recorded. */
  rows: number
  /** The scheduler process that steps it. */
  scheduler: string | null
}

/** One row of what a run has measured. */
export interface RunRow {
  /** Grows with time. */
  id: string
  /** Name of the step, or of its stage. */
  table: string
  /** Time of the last sample, ISO 8601 UTC. */
  at: string
  /** By reading, e.g. `sba5.co2`: the mean of the samples; of what is no number, the last. */
  values: Readonly<Record<string, Value>>
  samples: number
  /** Variables of the loops around the step. */
  variables: Readonly<Record<string, Value>>
}
