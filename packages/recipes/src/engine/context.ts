import type { CommandTarget, Value } from '@golem/core'
import type { Given, Program, Ref, Step } from '../recipe.ts'
import type { EngineState, StepNode } from './state.ts'
import type { AgedReading, Effect, EngineEventKind, Now, StepResult } from './types.ts'

/** How many steps may begin in one `step()`: a recipe that never waits does not hang the scheduler. */
const MOST_BEGINNINGS = 500

/** What `$name` can stand for at a place in the recipe. */
export interface Scope {
  values: Readonly<Record<string, Value>>
  /** The variables of loops among them. */
  loops: Readonly<Record<string, Value>>
}

/** How a step got on. */
export type Advance = 'busy' | 'done' | { failed: string }

/** A step can't go on; the message is a sentence for the person who finds the run failed. */
export class StepFailure extends Error {}

export const keyOf = ({ instrument, name }: Ref): string => `${instrument}.${name}`

/** Everything one `step()` works with: a state of its own that it changes, and what comes of it. */
export class Context {
  readonly program: Program
  readonly state: EngineState
  readonly now: Now
  readonly #effects: Effect[] = []
  readonly #watches = new Set<string>()
  #wakeInMs = Infinity
  #beginnings = 0

  constructor(program: Program, state: EngineState, now: Now) {
    this.program = program
    this.state = structuredClone(state)
    this.now = now
    this.state.runMs = Math.max(this.state.runMs, now.runMs)
  }

  /** Run time without the time it was held; stands still while it is held. */
  get active(): number {
    return (this.state.hold?.sinceMs ?? this.state.runMs) - this.state.heldMs
  }

  stepAt(index: number): Step {
    const step = this.program.steps[index]
    if (!step) throw new Error(`the program of ${this.program.recipe} has no step ${index}`)
    return step
  }

  /** Takes one of the beginnings of this `step()`; false: there are none left, go on with the next. */
  mayBegin(): boolean {
    this.#beginnings++
    if (this.#beginnings <= MOST_BEGINNINGS) return true
    this.wakeIn(1)
    return false
  }

  wakeIn(ms: number): void {
    this.#wakeInMs = Math.min(this.#wakeInMs, Math.max(0, ms))
  }

  /** A reading as it is now, whatever its quality; the run is stepped again when it changes. */
  look(ref: Ref): AgedReading | undefined {
    const key = keyOf(ref)
    this.#watches.add(key)
    return Object.hasOwn(this.now.readings, key) ? this.now.readings[key] : undefined
  }

  emitCommand(node: StepNode, instrument: string, target: CommandTarget): void {
    const id = this.#id()
    node.command = { id, instrument, target }
    this.#effects.push({ type: 'command', id, instrument, target, step: node.step })
  }

  emitSafe(): string {
    const id = this.#id()
    this.#effects.push({ type: 'safe', id, instruments: this.program.commands })
    return id
  }

  emitRow(row: Extract<Effect, { type: 'row' }>['row']): void {
    this.state.rows++
    this.#effects.push({ type: 'row', id: this.#id(), row })
  }

  emitEvent(kind: EngineEventKind, message: string, by?: string): void {
    this.#effects.push({ type: 'event', id: this.#id(), kind, message, ...(by === undefined ? {} : { by }) })
  }

  refuse(message: string): void {
    this.#effects.push({ type: 'refused', id: this.#id(), message })
  }

  /** Nobody waits for the command of this step any more: where it is still queued, it shall not be carried out. */
  cancelCommand(node: StepNode): void {
    const { command } = node
    if (command && !command.outcome && !command.unsent) this.withdraw(command.id)
    delete node.command
  }

  withdraw(command: string): void {
    this.state.withdrawn.push(command)
    this.#effects.push({ type: 'cancel', id: this.#id(), command })
  }

  /** The run stands still from now on. */
  hold(kind: 'paused' | 'asking', message: string, by?: string): void {
    const { state } = this
    state.message = message
    if (!state.hold) this.emitEvent('hold', message, by)
    const choices =
      kind === 'asking' ? { choices: ['resume' as const, 'stop' as const, 'abort' as const] } : {}
    const byPolicy = state.hold?.byPolicy ? { byPolicy: state.hold.byPolicy } : {}
    state.hold = { kind, sinceMs: state.hold?.sinceMs ?? state.runMs, ...choices, ...byPolicy }
  }

  value<T extends Value>(given: Given<T>, scope: Scope): T | Value {
    if (typeof given !== 'object' || !('variable' in given)) return given
    const value = Object.hasOwn(scope.values, given.variable) ? scope.values[given.variable] : undefined
    if (value === undefined) throw new StepFailure(`There is no value for $${given.variable}.`)
    return value
  }

  number(given: Given<number>, scope: Scope, what: string): number {
    const value = this.value(given, scope)
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw new StepFailure(`${what} has to be a number, not ${JSON.stringify(value)}.`)
  }

  result(): StepResult {
    const still = this.state.hold !== null || this.state.phase === 'ended'
    return {
      state: this.state,
      effects: this.#effects,
      wakeInMs: still || this.#wakeInMs === Infinity ? null : this.#wakeInMs,
      watches: still ? [] : [...this.#watches],
    }
  }

  #id(): string {
    this.state.counter++
    return `${this.state.run}-${this.state.counter}`
  }
}
