import type { Reading } from './reading.ts'
import type { RecipeParameterDescription } from './run.ts'
import type { Value } from './description.ts'

/** A time with its unit, e.g. `5 s`, `4 min`, `500 ms`, or a number of milliseconds. */
export type CodeDuration = string | number

/** What a condition compares, as in a recipe in YAML. */
export type CodeCondition =
  | { all: readonly CodeCondition[] }
  | { any: readonly CodeCondition[] }
  | {
      /** `instrument.parameter`; the instrument may be a role. */
      reading: string
      above?: number
      below?: number
      between?: readonly [number, number]
      equals?: Value
      notEquals?: Value
      /** So long without a break. */
      for?: CodeDuration
    }

/** A parameter of a recipe in code; of a duration `min`, `max` and `default` may be texts with their unit. */
export type CodeParameter = Omit<RecipeParameterDescription, 'min' | 'max' | 'default'> & {
  min?: number | string
  max?: number | string
  default?: Value
}

/** What golem has to know of a recipe in code before it runs. */
export interface CodeDeclaration {
  label: string
  note?: string
  parameters?: Readonly<Record<string, CodeParameter>>
  /** Instruments by the part they play; a run may bind others. */
  instruments?: Readonly<Record<string, { default: string; label?: string }>>
  /** Instruments (or roles) that it commands: they are reserved for the run, and it can command no others. */
  commands?: readonly string[]
  /** Instruments (or roles) that it looks at, for whoever reads the list of recipes. */
  reads?: readonly string[]
  /** Names of its stages, in their order. */
  stages?: readonly string[]
  /**
   * Steps, as `finally` of a recipe in YAML, that are done when it has ended, in whatever way but `abort` and `kill`. They
   * are data and no code, so that they are done also when the program has crashed.
   */
  atEnd?: readonly Readonly<Record<string, unknown>>[]
  /** After an interruption of the scheduler, with which the program ends: what to do (default `hold`). */
  onRestart?: 'hold' | 'ask' | 'safe'
  /** Alarms that call nobody while it runs: `instrument.parameter.kind`, `instrument.parameter` or `instrument.lost`. */
  inhibitAlarms?: readonly string[]
  /** How long it may take, pauses not counted (default `24 h`). */
  timeLimit?: string
  /** How much memory its process may use (default 128). */
  memoryMb?: number
}

/** The stand, as a recipe in code has it. Each call is one step of a recipe: it waits until that is done, and throws when it fails. */
export interface Lab {
  /** The run's parameters as they are now: people may change them while it goes on. Durations are numbers of ms. */
  readonly parameters: Readonly<Record<string, Value>>
  /** Writes parameters, one after the other, e.g. `{ 'relay-1.relay0': true }`. */
  set(writes: Readonly<Record<string, Value>>): Promise<void>
  /** Runs an action, e.g. `co2.zero`. @returns its result, when it has one */
  do(action: string, args?: Readonly<Record<string, Value>>): Promise<Value | undefined>
  /** @param time - for so long, or until the next mark of the clock */
  wait(time: CodeDuration | { aligned: string; offset?: string }): Promise<void>
  /** Waits until a condition is so. @throws when it is not within `timeout` */
  until(condition: CodeCondition & { timeout?: CodeDuration }): Promise<void>
  /** A row of the run's table. @returns the values by reading: the mean of the samples */
  measure(what: {
    readings: readonly string[]
    samples?: number
    every?: CodeDuration
    /** The table. */
    name?: string
  }): Promise<Readonly<Record<string, Value>>>
  ramp(what: {
    parameter: string
    from?: number
    to: number
    over: CodeDuration
    every?: CodeDuration
  }): Promise<void>
  /** Any step but `call`, as a recipe in YAML has it, e.g. `{ control: { kind: 'pid', ... } }`. */
  step(step: Readonly<Record<string, unknown>>): Promise<void>
  /** The newest reading, good or not; undefined: there is none. */
  read(name: string): Promise<Reading | undefined>
  /** The value of a good reading. @throws for a stale or bad one */
  value(name: string): Promise<Value>
  /** Says which stage begins. */
  stage(name: string): void
  /** @param fraction - 0 to 1. @param doing - what it does now, as a sentence */
  progress(fraction: number, doing?: string): void
  /** A line in the site's log. */
  note(text: string): void
}

/** What a file in `instance/recipes` exports as its default. */
export interface CodeRecipe {
  declaration: CodeDeclaration
  run: (lab: Lab, parameters: Readonly<Record<string, Value>>) => Promise<void>
}

/**
 * A recipe in code.
 *
 *     export default recipe(
 *       { label: 'Blink', commands: ['relay-1'], atEnd: [{ set: { 'relay-1.relay0': false } }] },
 *       async (lab) => {
 *         await lab.set({ 'relay-1.relay0': true })
 *         await lab.wait('5 s')
 *       },
 *     )
 *
 * @param run - what it does; runs in a process of its own
 */
export function recipe(declaration: CodeDeclaration, run: CodeRecipe['run']): CodeRecipe {
  return { declaration, run }
}
