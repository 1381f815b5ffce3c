import { GolemError, type Outcome, type Value, messageOf } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import { type Now, type Program, stepProgram } from '@golem/recipes'
import type { PartContext } from '../part.ts'
import type { RecipeShelf } from '../recipes/recipe-shelf.ts'
import { readingsFrom } from '../runs/readings.ts'
import { type CodeProgress, NOTHING_TOLD, type StoredRun } from '../runs/stored-run.ts'
import { stageOf } from '../runs/written.ts'
import { Calls, type CallsOptions } from './calls.ts'
import type { CallAnswer, FromProgram } from './messages.ts'
import { ProgramProcess } from './program-process.ts'

/** How often it is written at most where the program is, in ms. */
const TELL_EVERY_MS = 500
/** Lines for the log that are taken in a second. */
const NOTES_PER_SECOND = 10
const LONGEST_NOTE = 500

export interface ProgramStepOptions {
  context: PartContext
  shelf: RecipeShelf
  stored: () => StoredRun
  now: (program: Program) => Now
  give: CallsOptions['give']
  cancel: CallsOptions['cancel']
  /** Writes something together with where the program is. */
  note: (code: CodeProgress, writes: readonly SchedulerWrite[]) => void
  /** The program has ended. */
  onOutcome: (effect: string, outcome: Outcome) => void
}

/** The one step of a run of a recipe in code: its process, and what that asks for. */
export class ProgramStep {
  readonly #options: ProgramStepOptions
  #process: ProgramProcess | undefined
  #calls: Calls | undefined
  #told: CodeProgress
  #timer: NodeJS.Timeout | undefined
  #second = 0
  #notes = 0
  #isHeld = false

  constructor(options: ProgramStepOptions) {
    this.#options = options
    this.#told = options.stored().code ?? NOTHING_TOLD
  }

  /** Begins the program. @param effect - the effect that wants it */
  start(effect: string): void {
    this.end()
    const { shelf, stored, onOutcome, now, give, cancel } = this.#options
    const { program, state } = stored()
    const code = shelf.code(program.recipe)
    if (!code?.file) {
      return onOutcome(effect, failed(`The file of ${program.recipe} is gone, or has faults.`))
    }
    const { file, declared } = code
    this.#told = { ...NOTHING_TOLD, rows: this.#told.rows }
    const ended = (outcome: Outcome): void => {
      this.end()
      onOutcome(effect, outcome)
    }
    this.#calls = new Calls({
      id: effect,
      now,
      give,
      cancel,
      programOf: (step) => this.#programOf(step, declared.recipe?.roles ?? {}),
      onEffect: (one) => {
        if (one.type === 'event') return this.#log(one.message)
        this.#told = { ...this.#told, rows: this.#told.rows + 1 }
        this.#write([{ op: 'row', run: stored().id, value: one.row }])
      },
      onDoing: () => this.#changed(),
    })
    this.#calls.hold(this.#isHeld)
    this.#process = new ProgramProcess(file.name, declared.limits, {
      onMessage: (message) => {
        if (message.kind === 'done') ended({ outcome: 'done', effect: 'done' })
        else this.#take(message)
      },
      onFailure: (why) => ended(failed(why)),
    })
    this.#process.send({ kind: 'run', ...file, parameters: state.parameters })
  }

  /** Ends the program and lets go of what it has under way. */
  end(): void {
    this.#process?.end()
    this.#process = undefined
    this.#calls?.end()
    this.#calls = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** As `end`, but asks for nothing: this process may lead no longer. */
  abandon(): void {
    this.#calls?.abandon()
    this.end()
  }

  /** The run stands still, or goes on: what the program asks for waits meanwhile. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#calls?.hold(isHeld)
  }

  heard(instrument: string): void {
    this.#calls?.heard(instrument)
  }

  parameters(parameters: Readonly<Record<string, Value>>): void {
    this.#process?.send({ kind: 'parameters', parameters })
  }

  /** @returns why nothing can be skipped, as a sentence */
  skip(by: string): string | null {
    return this.#calls
      ? this.#calls.skip(by)
      : 'The program of the run does not run: there is nothing to skip.'
  }

  #take(
    message:
      Exclude<FromProgram, { kind: 'alive' | 'failed' | 'done' | 'described' }> | { kind: 'described' },
  ): void {
    switch (message.kind) {
      case 'step': {
        const { call, step } = message
        void this.#answer(call, async () => {
          const value = await this.#calls?.carryOut(step)
          return value === undefined ? {} : { value }
        })
        break
      }
      case 'read': {
        const { call, reading } = message
        void this.#answer(call, () => Promise.resolve(this.#read(String(reading))))
        break
      }
      case 'stage':
        this.#told = { ...this.#told, stage: String(message.name).slice(0, 100) }
        this.#log(`Stage: ${this.#told.stage ?? ''}.`)
        break
      case 'progress': {
        const { fraction, doing } = message
        this.#told = {
          ...this.#told,
          fraction: Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : null,
          ...(doing === undefined ? {} : { doing: String(doing).slice(0, 200) }),
        }
        this.#changed()
        break
      }
      case 'note':
        this.#log(String(message.text).slice(0, LONGEST_NOTE))
        break
      case 'described':
        break
    }
  }

  async #answer(call: number, carryOut: () => Promise<CallAnswer>): Promise<void> {
    const process = this.#process
    let answer: CallAnswer
    try {
      answer = await carryOut()
    } catch (error) {
      answer = { error: messageOf(error) }
    }
    process?.send({ kind: 'answer', call, answer })
  }

  #read(name: string): CallAnswer {
    const { context, stored, shelf } = this.#options
    const { program, instruments } = stored()
    const dot = name.indexOf('.')
    const role = name.slice(0, Math.max(0, dot))
    const usual = shelf.code(program.recipe)?.declared.recipe?.roles[role]?.default
    const key = `${instruments?.[role] ?? usual ?? role}${name.slice(dot)}`
    const reading = readingsFrom(context.client.site.view, [key])[key]
    if (!reading) return {}
    const { value, at, quality, error } = reading
    return { value: { value, at, quality, ...(error === undefined ? {} : { error }) } }
  }

  #programOf(step: unknown, roles: Readonly<Record<string, { default: string }>>): Program {
    const { context, shelf, stored } = this.#options
    const { program, instruments } = stored()
    return stepProgram(step, {
      recipes: shelf.recipes,
      bindings: Object.fromEntries(
        Object.entries(roles).map(([role, { default: usual }]) => [role, instruments?.[role] ?? usual]),
      ),
      descriptions: context.client.site.view.descriptions,
      allowed: program.commands,
    })
  }

  #log(message: string): void {
    const second = Math.floor(performance.now() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#notes = 0
    }
    this.#notes += 1
    if (this.#notes > NOTES_PER_SECOND + 1) return
    const { id, by, program, state } = this.#options.stored()
    const words = this.#notes > NOTES_PER_SECOND ? 'It says too much: lines are left out.' : message
    this.#write([
      { op: 'event', kind: 'run', by, run: id, ...stageOf(program, state), message: `run ${id}: ${words}` },
    ])
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#write([])
    }, TELL_EVERY_MS)
  }

  #write(writes: readonly SchedulerWrite[]): void {
    const under = this.#calls?.doing ?? ''
    this.#options.note(under === '' ? this.#told : { ...this.#told, doing: under }, writes)
  }
}

function failed(message: string): Outcome {
  return { outcome: 'failed', effect: 'unknown', code: new GolemError('INTERNAL', message).code, message }
}
