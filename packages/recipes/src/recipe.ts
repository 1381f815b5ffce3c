import type { RecipeParameterDescription, Value } from '@golem/core'

/**
 * What a recipe says and a run carries out: plain JSON. Steps stand in one list, `steps`; whoever contains others names
 * them by their place in it. All durations are in ms.
 */

/** The longest time that a recipe may speak of, in ms: ten years. A longer one was not meant, and no calendar knows its end. */
export const LONGEST_MS = 87_600 * 3_600_000

/** A `$name`: the value of a recipe's parameter or of a loop's variable, looked up when it is needed. */
export interface Variable {
  variable: string
}

export type Given<T> = T | Variable

/** A parameter, reading or action of an instrument. In a recipe `instrument` may be a role; in a program it is an id. */
export interface Ref {
  instrument: string
  name: string
}

/** What happens at a step after the scheduler was away. */
export type RestartPolicy = 'resume' | 'hold' | 'safe' | 'ask'

/** One reading compared with something. A stale or bad reading satisfies nothing. */
export interface Comparison {
  reading: Ref
  above?: Given<number>
  below?: Given<number>
  /** Both ends belong to it. */
  between?: readonly [Given<number>, Given<number>]
  equals?: Given<Value>
  notEquals?: Given<Value>
  /** It has to have been so for this long, as new readings showed. */
  forMs?: Given<number>
}

export type RecipeCondition =
  { all: readonly RecipeCondition[] } | { any: readonly RecipeCondition[] } | { compare: Comparison }

/** Steps by their place in the list of all steps. */
export type StepList = readonly number[]

export interface SetStep {
  verb: 'set'
  /** One after the other, each after the one before was done. */
  writes: readonly { target: Ref; value: Given<Value> }[]
  /** For how long an instrument that is away is waited for: commands that were refused unsent are made anew. */
  patienceMs: Given<number>
}

export interface DoStep {
  verb: 'do'
  action: Ref
  arguments: Readonly<Record<string, Given<Value>>>
  patienceMs: Given<number>
}

export interface WaitStep {
  verb: 'wait'
  /** For this long, or until the next mark of a clock that counts from the top of each hour, UTC. */
  for: { ms: Given<number> } | { alignedMs: Given<number>; offsetMs: Given<number> }
}

export interface UntilStep {
  verb: 'until'
  condition: RecipeCondition
  onTimeout: 'fail' | 'continue'
}

export interface RepeatStep {
  verb: 'repeat'
  /** How often, or until when; `forever`: until it is stopped or skipped. */
  end: { times: Given<number> } | { forever: true } | { forMs: Given<number> } | { until: RecipeCondition }
  /** From the beginning of one round to that of the next; a round that takes longer skips marks. */
  everyMs?: Given<number>
  steps: StepList
}

export interface ForEachStep {
  verb: 'forEach'
  variable: string
  values: readonly Given<Value>[] | { from: Given<number>; to: Given<number>; step: Given<number> }
  steps: StepList
}

export interface RampStep {
  verb: 'ramp'
  target: Ref
  /** Absent: from what is read when it begins. */
  from?: Given<number>
  to: Given<number>
  overMs: Given<number>
  everyMs: Given<number>
  /** The instrument takes whole numbers. */
  integer: boolean
}

export interface MeasureStep {
  verb: 'measure'
  readings: readonly Ref[]
  samples: Given<number>
  /** Absent: each new reading is a sample. */
  everyMs?: Given<number>
}

export interface ParallelStep {
  verb: 'parallel'
  branches: readonly StepList[]
}

export interface IfStep {
  verb: 'if'
  condition: RecipeCondition
  yes: StepList
  no: StepList
}

/** Keeps a reading where it should be, by writing one output. */
export interface ControlStep {
  verb: 'control'
  reading: Ref
  output: Ref
  law: Hysteresis | Pid
  /** Readings outside count as bad. */
  plausible?: readonly [number, number]
  /** Without a good reading for this long, the output is brought to `value`, until there is one again. */
  blind: { afterMs: Given<number>; value: Given<Value> }
  end: { forever: true } | { forMs: Given<number> } | { until: RecipeCondition }
}

export interface Hysteresis {
  kind: 'hysteresis'
  /** On below `low`, off above `high`; with `cooling` off below `low`, on above `high`. In between it stays as it is. */
  low: Given<number>
  high: Given<number>
  cooling: boolean
  on: Given<Value>
  off: Given<Value>
}

export interface Pid {
  kind: 'pid'
  setpoint: Given<number>
  /** Output per unit of deviation. */
  kp: Given<number>
  /** Output per unit of deviation and second. */
  ki: Given<number>
  /** Output per unit of deviation per second. */
  kd: Given<number>
  outputMin: Given<number>
  outputMax: Given<number>
  /** More output lowers the reading. */
  reverse: boolean
  everyMs: Given<number>
  /** An output that differs less from the one written last is not written. */
  deadband: Given<number>
  integer: boolean
}

export interface NoteStep {
  verb: 'note'
  text: Given<string>
}

export interface CallStep {
  verb: 'call'
  recipe: string
  with: Readonly<Record<string, Given<Value>>>
  /** Its roles. */
  instruments: Readonly<Record<string, string>>
  /** Of the recipe that is called: empty in a recipe, filled in by `link`. */
  steps: StepList
  finally: StepList
  defaults: Readonly<Record<string, Value>>
}

export type Action =
  | SetStep
  | DoStep
  | WaitStep
  | UntilStep
  | RepeatStep
  | ForEachStep
  | RampStep
  | MeasureStep
  | ParallelStep
  | IfStep
  | ControlStep
  | NoteStep
  | CallStep

export type Verb = Action['verb']

/** Where it stands in its file. */
export interface Place {
  line: number
  column: number
}

export type Step = Action & {
  name?: string
  /** Absent: that of what it stands in, at the end the recipe's. */
  onRestart?: RestartPolicy
  onFailure: 'fail' | 'continue'
  timeoutMs?: Given<number>
  /** As long as it goes on. Not written by anybody: `link` puts here what a recipe that is called, or its stage, says. */
  inhibitAlarms?: readonly Inhibited[]
  place: Place
}

/** Alarms that nobody is called by: one (`name` is `parameter.kind` or `lost`), or all of a parameter. */
export interface Inhibited extends Ref {
  place: Place
}

export interface Stage {
  name: string
  steps: StepList
  /** As long as the stage goes on. */
  inhibitAlarms: readonly Inhibited[]
}

/** An instrument by the part it plays, so that one recipe serves several stands. */
export interface Role {
  label: string
  /** Instrument id that a run uses when it binds no other. */
  default: string
}

/** A recipe in YAML, read and free of faults as far as it can be judged by itself. */
export interface Recipe {
  id: string
  label: string
  note?: string
  file: string
  parameters: Readonly<Record<string, RecipeParameterDescription>>
  roles: Readonly<Record<string, Role>>
  steps: readonly Step[]
  stages: readonly Stage[]
  finally: StepList
  /** For steps that say nothing; absent: resume. */
  onRestart?: RestartPolicy
  /** As long as a run of it goes on. */
  inhibitAlarms: readonly Inhibited[]
}

/** A recipe with its roles bound and the recipes it calls put in: what a run keeps, whatever becomes of the files. */
export interface Program {
  recipe: string
  label: string
  parameters: Readonly<Record<string, RecipeParameterDescription>>
  steps: readonly Step[]
  stages: readonly Stage[]
  finally: StepList
  onRestart: RestartPolicy
  inhibitAlarms: readonly Inhibited[]
  /** Ids of the instruments it commands: the run reserves them, an abort brings them to their safe state. */
  commands: readonly string[]
  /** What it looks at, as `instrument.parameter`. */
  reads: readonly string[]
}
