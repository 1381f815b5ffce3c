import type { CommandTarget, Outcome, Reading, RunEnd, RunRequest, RunState, Value } from '@golem/core'
import type { EngineState } from './state.ts'

/** A reading as the engine wants it, with what its age may be. */
export interface AgedReading extends Reading {
  /** Older than this it is stale, in ms. */
  staleAfterMs: number
}

/** What the engine is told with every event, since it has neither clock nor instruments. */
export interface Now {
  /**
   * Time of the run, in ms: never runs backwards. By the monotonic clock while a scheduler lives; after an interruption
   * the measured gap has been added.
   */
  runMs: number
  /** The site's clock, ms since 1970; it may be set. For aligned waits and what is written down only. */
  utcMs: number
  /** Whatever is known of `program.reads`, by `instrument.parameter`. */
  readings: Readonly<Record<string, AgedReading>>
}

/** What has happened. */
export type EngineEvent =
  /** What it commands is reserved: begin. */
  | { type: 'start' }
  /** Nothing but time and readings. */
  | { type: 'tick' }
  /**
   * How the command (or the safe state) of an effect ended. `unknown` is final: look into the ledger first. A command
   * that was never handed over is told as `refused`.
   */
  | { type: 'outcome'; id: string; outcome: Outcome }
  /**
   * @param step - for `skip` where several steps wait: which (from `statusOf(...).at`)
   * @param seen - for `skip`: `step` of the progress that whoever asks has seen; the run has to be there still
   */
  | { type: 'request'; request: RunRequest; by: string; step?: number; seen?: number }
  | { type: 'parameters'; values: Readonly<Record<string, unknown>>; by: string }
  /** An emergency stop holds one of its instruments: the run is paused, a person resumes it. */
  | { type: 'halt'; reason: string }
  /** From outside: the reservation is lost, the recipe is gone. `finally` is tried. */
  | { type: 'fail'; reason: string }
  /**
   * A scheduler has taken it up after a gap; the first event it gives.
   *
   * notSent: ids of effects (commands, safe) that are in the state and were certainly never handed over: nobody
   * will hand them over any more. All others are told by `outcome`, before or after this.
   */
  | { type: 'interrupted'; gapMs: number; notSent: readonly string[]; cause: string }

export type EngineInput = EngineEvent & { now: Now }

/**
 * What is to be done now, each exactly once, after the state is persisted (together with rows and events, best in the
 * same transaction). `id` is unique for the run: the idempotency key under which a command is submitted.
 */
export type Effect =
  | { type: 'command'; id: string; instrument: string; target: CommandTarget; step: number }
  /** A command that is still waiting is wanted no more. */
  | { type: 'cancel'; id: string; command: string }
  /** Bring the outputs of these to their safe state, and tell how it went with `outcome`. */
  | { type: 'safe'; id: string; instruments: readonly string[] }
  | { type: 'row'; id: string; row: Row }
  /** For the site's log. */
  | { type: 'event'; id: string; kind: EngineEventKind; message: string; by?: string }
  /** A request was not carried out; nothing has changed. */
  | { type: 'refused'; id: string; message: string }

export type EngineEventKind =
  'stage' | 'note' | 'parameter' | 'hold' | 'go' | 'failure' | 'interruption' | 'ping' | 'end'

/** A row of the run's table, from a `measure` step. */
export interface Row {
  /** Name of the step, else its stage's. */
  table: string
  /** Time of the last sample, ISO 8601 UTC. */
  at: string
  /** By `instrument.parameter`: the mean of the samples; of what is no number, the last. */
  values: Readonly<Record<string, Value>>
  samples: number
  /** Variables of the loops around it. */
  variables: Readonly<Record<string, Value>>
}

export interface StepResult {
  state: EngineState
  effects: readonly Effect[]
  /** When it wants to be stepped again at the latest, in ms from now; null: only by events (readings, outcomes, requests). */
  wakeInMs: number | null
  /** Readings that matter now, as `instrument.parameter`: step it when one of them is new. */
  watches: readonly string[]
}

/** What records and pages want to know of a state. */
export interface RunStatus {
  state: RunState
  /** Why, as a sentence. */
  message: string
  end?: RunEnd
  parameters: Readonly<Record<string, Value>>
  rows: number
  interruptions: { count: number; ms: number }
  /** When it is asking: what can be chosen. */
  choices?: readonly RunRequest[]
  /** Paused by its restart policy: somebody has to see to it. */
  isHeldByPolicy: boolean
  /** Alarms that call nobody now: `instrument.parameter.kind`, `instrument.parameter` or `instrument.lost`. */
  inhibits: readonly string[]
  /** Ids of effects (commands, safe) whose outcome is still to be told. */
  pending: readonly string[]
  /** Steps that are under way and contain no others, for `skip` and for showing where it is; `waits`: it can be skipped. */
  at: readonly { step: number; doing: string; waits: boolean }[]
}
