/** For tests: runs in virtual time, with instruments that do what they are told. */
import assert from 'node:assert/strict'
import { describeTarget, isoTime, type Outcome, type RunRequest, type Value } from '@golem/core'
import { link, readRecipeText, type ReadRecipe } from '../language/index.ts'
import type { Program, Recipe } from '../recipe.ts'
import {
  type AgedReading,
  begin,
  type Effect,
  type EngineEvent,
  type EngineState,
  progressOf,
  statusOf,
  step,
  type StepResult,
} from './index.ts'

export const DONE: Outcome = { outcome: 'done', effect: 'done' }
export const refused = (code: NonNullable<Outcome['code']>): Outcome => ({
  outcome: 'refused',
  effect: 'none',
  code,
  message: `refused with ${code}.`,
})
export const UNKNOWN: Outcome = {
  outcome: 'unknown',
  effect: 'unknown',
  code: 'REPLY_TIMEOUT',
  message: 'no answer.',
}

/** Reads a recipe that has no faults. */
export function recipeOf(text: string, file = 'test.yaml'): Recipe {
  const { recipe, faults }: ReadRecipe = readRecipeText(file, text)
  assert.deepEqual(
    faults.map(({ line, column, message }) => `${line}:${column} ${message}`),
    [],
  )
  assert.ok(recipe)
  return recipe
}

/** A program of a text; `others` are recipes that it calls, by id. */
export function programOf(text: string, others: Readonly<Record<string, string>> = {}): Program {
  const recipes = new Map(
    Object.entries(others).map(([id, other]) => [id, recipeOf(other, `${id}.yaml`)] as const),
  )
  const { program, faults } = link(recipeOf(text), { recipes })
  assert.deepEqual(faults, [])
  assert.ok(program)
  return program
}

/** Steps of a recipe with one stage. */
export const stage = (steps: string, rest = ''): string =>
  `label: Test\n${rest}\nstages:\n  - name: all\n    steps:\n${steps.replaceAll(/^/gm, '      ')}\n`

interface PlayOptions {
  parameters?: Readonly<Record<string, unknown>>
  /** UTC at the beginning. */
  at?: string
  /** Values of readings; a function gets the time since the beginning, in ms. */
  readings?: Readonly<Record<string, Value | ((ms: number, play: Play) => Value | null)>>
  pollMs?: number
  /** How commands end, and how long they take in ms; undefined: it is told later by `tell`. */
  outcome?: (command: Extract<Effect, { type: 'command' }>, number: number) => Outcome | undefined
  latencyMs?: number
}

const RUN = 'r-1'

/** One run, with what it was told to do so far. */
export class Play {
  readonly program: Program
  state: EngineState
  readonly effects: Effect[] = []
  /** e.g. `12 lamp.white = 50`: when (in seconds) what was sent; and `12 inhibits lamp.lost`, when that changes. */
  readonly sent: string[] = []
  /** What instruments were told last, by `instrument.parameter`. */
  readonly outputs: Record<string, Value> = {}
  ms = 0
  last: StepResult | undefined
  readonly readings: Record<string, AgedReading> = {}
  readonly #options: PlayOptions
  readonly #startUtc: number
  #utcShift = 0
  #polled = -1
  readonly #ids = new Set<string>()
  #outcomes: { due: number; id: string; outcome: Outcome }[] = []
  #inhibits = ''
  /** A poll is left out, the readings grow old. */
  silent = false

  constructor(program: Program, options: PlayOptions = {}) {
    this.program = program
    this.#options = options
    this.#startUtc = Date.parse(options.at ?? '2026-03-01T10:00:00Z')
    this.state = begin(program, { run: RUN, parameters: options.parameters ?? {} })
  }

  get utcMs(): number {
    return this.#startUtc + this.ms + this.#utcShift
  }

  /** The site's clock is set. */
  setClock(byMs: number): void {
    this.#utcShift += byMs
  }

  tell(event: EngineEvent): StepResult {
    this.#poll()
    const now = { runMs: this.ms, utcMs: this.utcMs, readings: this.readings }
    const before = JSON.stringify(this.state)
    const result = step(this.program, this.state, { ...event, now })
    assert.equal(JSON.stringify(this.state), before, 'step() changed its argument')
    // Whoever keeps it writes it as JSON.
    this.state = JSON.parse(JSON.stringify(result.state)) as EngineState
    assert.deepEqual(this.state, result.state)
    this.last = result
    const inhibits = this.status.inhibits.join(', ')
    if (inhibits !== this.#inhibits) this.sent.push(`${this.ms / 1000} inhibits ${inhibits || 'nothing'}`)
    this.#inhibits = inhibits
    for (const effect of result.effects) this.#take(effect)
    return result
  }

  ask(request: RunRequest, stepNumber?: number): StepResult {
    return this.tell({
      type: 'request',
      request,
      by: 'ann',
      ...(stepNumber === undefined ? {} : { step: stepNumber }),
    })
  }

  start(): this {
    this.tell({ type: 'start' })
    return this
  }

  /** Lets time pass, event by event. */
  for(ms: number): this {
    const end = this.ms + ms
    while (this.ms < end) this.#next(end)
    return this
  }

  /** Lets time pass until it has ended. */
  toEnd(mostMs = 100 * 3_600_000): this {
    const end = this.ms + mostMs
    while (this.state.phase !== 'ended' && this.ms < end) this.#next(end)
    assert.equal(this.state.phase, 'ended', `still ${this.progress.doing}`)
    return this
  }

  /** To whatever comes next. */
  #next(end: number): void {
    const pollMs = this.#options.pollMs ?? 1000
    this.ms = Math.min(
      end,
      this.ms + Math.max(1, Math.ceil(this.last?.wakeInMs ?? Infinity)),
      ...(this.last && this.last.watches.length > 0 ? [(Math.floor(this.ms / pollMs) + 1) * pollMs] : []),
      ...this.#outcomes.map(({ due }) => Math.max(due, this.ms)),
    )
    const due = this.#outcomes.filter((each) => each.due <= this.ms)
    this.#outcomes = this.#outcomes.filter((each) => each.due > this.ms)
    if (due.length === 0) this.tell({ type: 'tick' })
    for (const { id, outcome } of due) this.tell({ type: 'outcome', id, outcome })
  }

  get status() {
    return statusOf(this.program, this.state)
  }

  get progress() {
    return progressOf(this.program, this.state, { runMs: this.ms, utcMs: this.utcMs })
  }

  get rows() {
    return this.effects.flatMap((effect) => (effect.type === 'row' ? [effect.row] : []))
  }

  events(kind?: string): string[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'event' && (kind === undefined || effect.kind === kind) ? [effect.message] : [],
    )
  }

  refusals(): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'refused' ? [effect.message] : []))
  }

  #poll(): void {
    const pollMs = this.#options.pollMs ?? 1000
    const polled = Math.floor(this.ms / pollMs)
    if (polled === this.#polled || this.silent) return
    this.#polled = polled
    for (const [key, given] of Object.entries(this.#options.readings ?? {})) {
      const value = typeof given === 'function' ? given(this.ms, this) : given
      this.readings[key] =
        value === null
          ? { value: 0, at: isoTime(this.utcMs), quality: 'bad', staleAfterMs: 3 * pollMs }
          : { value, at: isoTime(this.utcMs), quality: 'good', staleAfterMs: 3 * pollMs }
    }
  }

  #take(effect: Effect): void {
    assert.ok(!this.#ids.has(effect.id), `effect ${effect.id} twice`)
    this.#ids.add(effect.id)
    this.effects.push(effect)
    if (effect.type === 'safe') this.#outcomes.push({ due: this.ms, id: effect.id, outcome: DONE })
    if (effect.type === 'cancel') {
      this.#outcomes = this.#outcomes.filter(({ id }) => id !== effect.command)
    }
    if (effect.type !== 'command') return
    const { instrument, target, id } = effect
    this.sent.push(`${this.ms / 1000} ${instrument}.${describeTarget(target)}`)
    const number = this.sent.length
    const outcome = this.#options.outcome ? this.#options.outcome(effect, number) : DONE
    if (outcome?.outcome === 'done' && 'parameter' in target) {
      this.outputs[`${instrument}.${target.parameter}`] = target.value
    }
    if (outcome) this.#outcomes.push({ due: this.ms + (this.#options.latencyMs ?? 0), id, outcome })
  }
}

/** A run of a recipe in one stage, started. */
export function play(
  steps: string,
  options: PlayOptions & { rest?: string; others?: Record<string, string> } = {},
): Play {
  return new Play(programOf(stage(steps, options.rest), options.others), options).start()
}
