import type { CommandTarget, Outcome, RunEnd, RunRequest, Value } from '@golem/core'

/**
 * The position of a run, as plain JSON: it is persisted after each step and survives every process. The tree of
 * sequences and nodes mirrors the steps that are under way. Times with `Active` are run time without the time it was
 * held.
 */
export interface EngineState {
  version: 1
  run: string
  /** waiting: not begun; stages; finally: whatever the end demands; safe: an abort; ended. */
  phase: 'waiting' | 'stages' | 'finally' | 'safe' | 'ended'
  /** How it will end once `finally` or the safe state is through, or has ended. */
  end: RunEnd | null
  /** Why it is as it is, as a sentence. */
  message: string
  /** It stands still. */
  hold: Hold | null
  parameters: Record<string, Value>
  /** Counts effects: the number in their ids. */
  counter: number
  /** How long it has been held in all, in ms. */
  heldMs: number
  startedUtcMs: number | null
  /** Run time of the last event. */
  runMs: number
  interruptions: { count: number; ms: number }
  rows: number
  /** Steps begun that contain no others. */
  begun: number
  stage: number
  /** What is under way: a stage, or a list of `finally`. */
  current: Sequence | null
  /** Lists of `finally` that are still to be done, first things first. */
  owed: Owed[]
  /** Commands and safe states whose outcome is not known yet and which nobody in the tree waits for. */
  safe: Pending | null
}

export interface Hold {
  kind: 'paused' | 'asking'
  sinceMs: number
  choices?: RunRequest[]
}

/** `finally` of a recipe, with the variables it sees; `variables` null: the run's parameters. */
export interface Owed {
  /** The call it belongs to; null: the recipe itself. */
  call: number | null
  variables: Record<string, Value> | null
}

export interface Sequence {
  steps: readonly number[]
  index: number
  node: StepNode | null
}

/** An effect whose outcome is awaited. */
export interface Pending {
  id: string
  /** Of a command; absent for a safe state. */
  instrument?: string
  target?: CommandTarget
  outcome?: Outcome
  /** It was never handed over: it is made anew when the run goes on. */
  unsent?: boolean
}

/** One step that is under way. */
export interface StepNode {
  step: number
  /** When it began. */
  sinceActive: number
  /** Somebody wants its waiting to end. */
  skip?: boolean
  pending?: Pending
  /** Its place in a list: the write, the round, the value, the sample. */
  count?: number
  /** When the next round, write or sample is due. */
  dueActive?: number
  /** For how long an instrument that is away has been waited for. */
  awaySinceActive?: number
  body?: Sequence
  branches?: Sequence[]
  variables?: Record<string, Value>
  numbers?: Record<string, number>
  /** What was written last; null: not known. */
  written?: Value | null
  /** By reading: `at` of the one seen when the step began, which does not count. */
  seen?: Record<string, string | null>
  /** By place in the condition: since when it has been so. */
  held?: Record<string, Held>
  sums?: Record<string, { at: string; value: Value; sum: number }>
  /** It has failed or was left, and does what the recipes it called want done at the end. */
  leaving?: { message: string; owed: Owed[]; body: Sequence | null }
}

export interface Held {
  sinceActive: number
  provenActive: number
  at: string
}
