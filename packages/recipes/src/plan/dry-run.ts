import {
  asGolemError,
  describeTarget,
  type InstrumentDescription,
  isoTime,
  type Outcome,
  type RunEnd,
  type Value,
  validateTarget,
} from '@golem/core'
import {
  type AgedReading,
  begin,
  type Effect,
  type EngineEvent,
  type EngineState,
  statusOf,
  step,
  type StepResult,
} from '../engine/index.ts'
import { listsIn } from '../language/refs.ts'
import type { Program, RestartPolicy, Step, StepList } from '../recipe.ts'
import { Plant, type PlantModel } from './plant.ts'

/** Something that a run would do. */
export interface PlanEntry {
  /** Since the beginning, in ms. */
  ms: number
  /** ISO 8601 UTC */
  at: string
  stage: string
  /** Line of its step, in the file of its recipe: as `39`, or as `ventilation:39` where that was called. */
  line?: string
  kind: 'stage' | 'command' | 'row' | 'event' | 'end'
  /** e.g. `exp-board.relay2 = true` */
  what: string
  instrument?: string
}

/** What a crash of golem during a step would leave behind. */
export interface CrashEntry {
  /** As in a `PlanEntry`. */
  line: string
  doing: string
  /** What then happens to the run. */
  policy: RestartPolicy
  /** Outputs that stay as they are until then, as `instrument.parameter = value`. */
  left: readonly string[]
}

/** A run as it would be. */
export interface Plan {
  recipe: string
  label: string
  parameters: Readonly<Record<string, Value>>
  startsAt: string
  /** null: it has not ended within the time that was looked at. */
  endsAt: string | null
  lookedUntil: string
  end: RunEnd | null
  message: string
  entries: readonly PlanEntry[]
  /** In the order in which the steps would begin. */
  crashes: readonly CrashEntry[]
  /** Commands that would be refused, with their line. */
  violations: readonly string[]
  /** What readings were taken to show, because nobody said it, by `instrument.parameter`. */
  assumed: Readonly<Record<string, Value>>
  /** Instruments that it would reserve. */
  commands: readonly string[]
}

export interface PlanOptions {
  parameters?: Readonly<Record<string, unknown>>
  /** When it would start, ms since 1970. */
  startMs: number
  /** What the instruments are: then commands are checked against their limits. */
  descriptions?: ReadonlyMap<string, InstrumentDescription>
  /** What readings show, by `instrument.parameter`; they stay like that. */
  readings?: Readonly<Record<string, Value>>
  /** What the readings depend on, where they are not given. */
  model?: PlantModel
  /** Not looked at any further, in ms (default a day). */
  mostMs?: number
}

const DAY_MS = 86_400_000
/** Readings come so often, or, in what takes very long, so many times in all. */
const POLL_MS = 1_000
const MOST_POLLS = 86_400
/** So many events are looked at. */
const MOST_EVENTS = 200_000
const DONE: Outcome = { outcome: 'done', effect: 'done' }
/** A run's name in a plan. */
const RUN = 'plan'
/** How long golem is away in the crashes that are played, in ms. */
const GAP_MS = 60_000

/**
 * Plays a run in virtual time, without instruments.
 *
 * @throws as `begin` for parameters that do not fit
 */
export function planRun(program: Program, options: PlanOptions): Plan {
  return new DryRun(program, options).play()
}

class DryRun {
  readonly #program: Program
  readonly #options: PlanOptions
  readonly #plant: Plant
  readonly #entries: PlanEntry[] = []
  readonly #violations: string[] = []
  readonly #crashes = new Map<number, { policy: RestartPolicy; doing: string; left: Map<string, Value> }>()
  readonly #pollMs: number
  /** By step: the recipe it stands in, where that was called. */
  readonly #called = new Map<number, string>()
  #state: EngineState
  #ms = 0
  #waiting: EngineEvent[] = []

  constructor(program: Program, options: PlanOptions) {
    this.#program = program
    this.#options = options
    this.#plant = new Plant(options.readings ?? {}, options.descriptions, options.model)
    this.#state = begin(program, { run: RUN, parameters: options.parameters ?? {} })
    for (const found of program.steps) {
      if (found.verb === 'call') this.#belongs([...found.steps, ...found.finally], found.recipe)
    }
    this.#pollMs = Math.max(POLL_MS, (options.mostMs ?? DAY_MS) / MOST_POLLS)
  }

  play(): Plan {
    const { mostMs = DAY_MS, startMs } = this.#options
    let last = this.#tell({ type: 'start' })
    for (let n = 0; n < MOST_EVENTS && this.#state.phase !== 'ended'; n += 1) {
      const event = this.#waiting.shift()
      if (!event && !this.#toNext(last, mostMs)) break
      last = this.#tell(event ?? { type: 'tick' })
    }
    const isOver = this.#state.phase === 'ended'
    return {
      recipe: this.#program.recipe,
      label: this.#program.label,
      parameters: this.#state.parameters,
      startsAt: isoTime(startMs),
      lookedUntil: isoTime(startMs + this.#ms),
      endsAt: isOver ? isoTime(startMs + this.#ms) : null,
      end: isOver ? this.#state.end : null,
      message: this.#state.message,
      entries: this.#entries,
      crashes: [...this.#crashes].map(([index, { doing, policy, left }]) => ({
        line: this.#lineOf(index),
        doing,
        policy,
        left: [...left].map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
      })),
      violations: this.#violations,
      assumed: Object.fromEntries(this.#plant.assumed),
      commands: this.#program.commands,
    }
  }

  /** Lets time pass. @returns false: nothing more happens in the time that is looked at */
  #toNext({ wakeInMs, watches }: StepResult, mostMs: number): boolean {
    const wake = wakeInMs === null ? Infinity : this.#ms + Math.max(1, Math.ceil(wakeInMs))
    const poll = watches.length > 0 ? (Math.floor(this.#ms / this.#pollMs) + 1) * this.#pollMs : Infinity
    const next = Math.min(wake, poll)
    if (next > mostMs) return false
    this.#ms = next
    return true
  }

  #tell(event: EngineEvent): StepResult {
    const result = step(this.#program, this.#state, { ...event, now: this.#now() })
    const stage = this.#stage
    this.#state = result.state
    const before = [...this.#plant.left]
    // A row ends a step, so it belongs to the stage that was under way.
    for (const effect of result.effects) this.#take(effect, effect.type === 'row' ? stage : this.#stage)
    this.#lookAtSteps(before)
    return result
  }

  #now() {
    const utcMs = this.#options.startMs + this.#ms
    const at = isoTime(this.#options.startMs + Math.floor(this.#ms / this.#pollMs) * this.#pollMs)
    const readings: Record<string, AgedReading> = {}
    for (const key of this.#program.reads) {
      readings[key] = {
        value: this.#plant.read(key, this.#ms),
        at,
        quality: 'good',
        staleAfterMs: 3 * this.#pollMs,
      }
    }
    return { runMs: this.#ms, utcMs, readings }
  }

  #take(effect: Effect, stage: string): void {
    switch (effect.type) {
      case 'command':
        return this.#takeCommand(effect, stage)
      case 'safe':
        this.#waiting.push({ type: 'outcome', id: effect.id, outcome: DONE })
        return this.#note(stage, 'event', 'all it commands goes to its safe state')
      case 'row':
        return this.#note(
          stage,
          'row',
          `a row for "${effect.row.table}": ${Object.keys(effect.row.values).join(', ')}`,
        )
      case 'event':
        if (effect.kind === 'stage') return this.#note(stage, 'stage', effect.message)
        return this.#note(stage, effect.kind === 'end' ? 'end' : 'event', effect.message)
      case 'cancel':
      case 'refused':
    }
  }

  #takeCommand(effect: Extract<Effect, { type: 'command' }>, stage: string): void {
    const { id, instrument, target, step: index } = effect
    const line = this.#lineOf(index)
    const what = `${instrument}.${describeTarget(target)}`
    this.#note(stage, 'command', what, { instrument, line })
    const outcome = this.#outcomeOf(instrument, target)
    if (outcome.outcome === 'done') {
      if ('parameter' in target)
        this.#plant.write(`${instrument}.${target.parameter}`, target.value, this.#ms)
    } else this.#violations.push(`line ${line}: ${what}: ${outcome.message ?? 'refused'}`)
    this.#waiting.push({ type: 'outcome', id, outcome })
  }

  #outcomeOf(instrument: string, target: Extract<Effect, { type: 'command' }>['target']): Outcome {
    const { descriptions } = this.#options
    if (!descriptions) return DONE
    const description = descriptions.get(instrument)
    try {
      if (description) validateTarget(description, target)
      if (description) return DONE
      const message = `There is no instrument "${instrument}".`
      return { outcome: 'refused', effect: 'none', code: 'UNKNOWN_INSTRUMENT', message }
    } catch (error) {
      const { code, message } = asGolemError(error)
      return { outcome: 'refused', effect: 'none', code, message }
    }
  }

  /**
   * What a crash would leave at the steps that are under way, and what is to come true for them.
   *
   * @param before - what was on before: what is being switched off may still be on
   */
  #lookAtSteps(before: readonly (readonly [string, Value])[]): void {
    if (this.#state.phase === 'ended' || this.#state.phase === 'waiting') return
    const { at } = statusOf(this.#program, this.#state)
    let policy: RestartPolicy | undefined
    for (const { step: index, doing } of at) {
      const known = this.#crashes.get(index)
      if (!known) {
        this.#assumeFor(this.#stepAt(index))
        policy ??= this.#afterCrash()
      }
      const entry = known ?? { doing, policy: policy ?? 'resume', left: new Map<string, Value>() }
      for (const [key, value] of [...before, ...this.#plant.left]) entry.left.set(key, value)
      this.#crashes.set(index, entry)
    }
  }

  #afterCrash(): RestartPolicy {
    const event = { type: 'interrupted', gapMs: GAP_MS, notSent: [], cause: 'a crash' } as const
    const { state } = step(this.#program, this.#state, { ...event, now: this.#now() })
    if (state.phase === 'safe') return 'safe'
    if (state.hold) return state.hold.kind === 'asking' ? 'ask' : 'hold'
    return 'resume'
  }

  /** Of readings of which nothing was said it is taken that the run gets on. */
  #assumeFor(found: Step | undefined): void {
    if (found?.verb === 'until') this.#plant.fulfil(found.condition, this.#state.parameters)
    if (found?.verb === 'control') {
      const { law, reading } = found
      const wanted = law.kind === 'pid' ? { above: law.setpoint } : { between: [law.low, law.high] as const }
      this.#plant.fulfil({ compare: { reading, ...wanted } }, this.#state.parameters)
    }
  }

  /** Steps, and those in them, stand in a recipe; what that calls in turn is told by the call. */
  #belongs(list: StepList, recipe: string): void {
    for (const index of list) {
      this.#called.set(index, recipe)
      const found = this.#stepAt(index)
      if (found && found.verb !== 'call') for (const inside of listsIn(found)) this.#belongs(inside, recipe)
    }
  }

  #lineOf(index: number): string {
    const line = String(this.#stepAt(index)?.place.line ?? '')
    const called = this.#called.get(index)
    return called === undefined ? line : `${called}:${line}`
  }

  get #stage(): string {
    const { phase, stage } = this.#state
    return (phase === 'stages' ? this.#program.stages[stage]?.name : undefined) ?? 'at the end'
  }

  #stepAt(index: number): Step | undefined {
    return this.#program.steps[index]
  }

  #note(stage: string, kind: PlanEntry['kind'], what: string, more: Partial<PlanEntry> = {}): void {
    const at = isoTime(this.#options.startMs + this.#ms)
    this.#entries.push({ ms: this.#ms, at, stage, kind, what, ...more })
  }
}
