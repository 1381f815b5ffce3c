import { type Outcome, messageOf, type Value } from '@golem/core'
import {
  begin,
  type Effect,
  type EngineEvent,
  type EngineState,
  type Now,
  type Program,
  statusOf,
  step,
} from '@golem/recipes'

/** More steps at a time than this are a program that does not wait for them. */
const MOST_AT_ONCE = 32
/** The longest a timer is set for, in ms. */
const LONGEST_TIMER_MS = 60_000

export interface CallsOptions {
  /** The number of the effect that started the program: no other has the same. */
  id: string
  now: (program: Program) => Now
  /** @throws with what is wrong with the step */
  programOf: (step: unknown) => Program
  /** Gives a command. @returns undefined: nobody waits any more */
  give: (effect: Extract<Effect, { type: 'command' }>) => Promise<Outcome | undefined>
  cancel: (command: string) => void
  /** Rows and lines for the log. */
  onEffect: (effect: Extract<Effect, { type: 'row' | 'event' }>) => void
  /** What is under way has changed. */
  onDoing: () => void
}

interface Call {
  program: Program
  state: EngineState
  instruments: ReadonlySet<string>
  timer: NodeJS.Timeout | undefined
  result: Value | Readonly<Record<string, Value>> | undefined
  resolve: (value: Call['result']) => void
  reject: (error: Error) => void
}

/**
 * The steps that a program of the site has under way. Each is a program of one step for the same engine that carries out
 * recipes in YAML. Nothing of it is written down: after an interruption the program that waited for it is gone.
 */
export class Calls {
  readonly #options: CallsOptions
  readonly #calls = new Set<Call>()
  #count = 0
  #isHeld = false
  #isOver = false

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /**
   * Carries out a step.
   *
   * @returns the row of a `measure`, the result of a `do`
   * @throws with what went wrong, for the program
   */
  carryOut(wanted: unknown): Promise<Call['result']> {
    if (this.#calls.size >= MOST_AT_ONCE) {
      throw new Error(`More than ${MOST_AT_ONCE} steps at once: wait for each with "await".`)
    }
    const program = this.#options.programOf(wanted)
    this.#count += 1
    const state = begin(program, { run: `${this.#options.id}.${this.#count}`, parameters: {} })
    return new Promise((resolve, reject) => {
      const instruments = new Set(program.reads.map((name) => name.slice(0, name.indexOf('.'))))
      const call: Call = { program, state, instruments, timer: undefined, result: undefined, resolve, reject }
      this.#calls.add(call)
      // Begun while the run is paused it does not send anything before it is resumed.
      if (!this.#isHeld) this.#feed(call, { type: 'start' })
    })
  }

  /** What is under way, as a sentence. */
  get doing(): string {
    return [...this.#calls]
      .flatMap(({ program, state }) => statusOf(program, state).at.map(({ doing }) => doing))
      .join('; ')
  }

  /** The run is paused, or goes on. */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return
    this.#isHeld = isHeld
    for (const call of this.#calls) {
      if (call.state.phase === 'waiting') {
        if (!isHeld) this.#feed(call, { type: 'start' })
      } else this.#feed(call, { type: 'request', request: isHeld ? 'pause' : 'resume', by: 'the run' })
    }
  }

  /** Ends the waiting of the one step that waits. @returns why not, as a sentence */
  skip(by: string): string | null {
    if (this.#isHeld) return 'The run is paused: resume it first.'
    const waiting = [...this.#calls].filter(({ program, state }) =>
      statusOf(program, state).at.some(({ waits }) => waits),
    )
    const [call] = waiting
    if (!call) return 'The run is at no step that waits: there is nothing to skip.'
    if (waiting.length > 1)
      return 'Several steps wait at once; a program says by itself what then can be left out.'
    this.#feed(call, { type: 'request', request: 'skip', by })
    return null
  }

  /** Readings of an instrument are new. */
  heard(instrument: string): void {
    for (const call of this.#calls) {
      if (call.instruments.has(instrument)) this.#feed(call, { type: 'tick' })
    }
  }

  /** Lets go of everything; commands that still wait are taken back. */
  end(): void {
    for (const call of this.#calls) this.#feed(call, { type: 'request', request: 'kill', by: 'the run' })
    this.#isOver = true
  }

  /** As `end`, but asks for nothing: this process may lead no longer. */
  abandon(): void {
    this.#isOver = true
    for (const call of this.#calls) clearTimeout(call.timer)
    this.#calls.clear()
  }

  #feed(call: Call, event: EngineEvent): void {
    if (this.#isOver || !this.#calls.has(call)) return
    clearTimeout(call.timer)
    const { state, effects, wakeInMs } = step(call.program, call.state, {
      ...event,
      now: this.#options.now(call.program),
    })
    const hasEnded = state.phase === 'ended'
    call.state = state
    if (hasEnded) this.#calls.delete(call)
    for (const effect of effects) this.#carryOut(call, effect)
    if (hasEnded) this.#close(call)
    else if (wakeInMs !== null) {
      const inMs = Math.min(Math.max(1, wakeInMs), LONGEST_TIMER_MS)
      call.timer = setTimeout(() => this.#feed(call, { type: 'tick' }), inMs)
    }
    if (event.type !== 'tick') this.#options.onDoing()
  }

  #carryOut(call: Call, effect: Effect): void {
    const { give, cancel, onEffect } = this.#options
    switch (effect.type) {
      case 'command':
        void give(effect).then((outcome) => {
          if (!outcome) return
          if (outcome.result !== undefined) call.result = outcome.result
          this.#feed(call, { type: 'outcome', id: effect.id, outcome })
        })
        break
      case 'cancel':
        cancel(effect.command)
        break
      case 'row':
        call.result = effect.row.values
        onEffect(effect)
        break
      case 'event':
        // That its one stage begins and ends says nothing; that it is held the run says itself.
        if (effect.kind === 'note' || (effect.kind === 'go' && effect.by !== 'the run')) onEffect(effect)
        break
      case 'safe':
      case 'refused':
        // Asked for by nobody: aborts and refusals are the run's.
        break
    }
  }

  #close(call: Call): void {
    const { end, message } = call.state
    if (end === 'completed') call.resolve(call.result)
    else call.reject(new Error(messageOf(message)))
  }
}
