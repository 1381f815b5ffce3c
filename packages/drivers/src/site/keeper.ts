import { asGolemError, GolemError } from '@golem/core'
import { type CallIo, DriverThread, QUESTION_MS } from './driver-thread.ts'
import type { Answered, FunctionPath } from './messages.ts'
import type { DriverSource } from './source.ts'

/** How long `create` may take, in ms. */
export const CREATE_MS = 5_000
/** The pause before a thread that ended is started again: the first, and the longest, in ms. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A thread that has worked so long counts as sound: the pauses begin anew. */
const SOUND_AFTER_MS = 60_000

export interface CallOptions {
  /** For messages: `readAll`, `write of speed`. */
  doing: string
  limitMs: number
  callIo: CallIo
  /** Part of bringing it to its safe state: no pause and no report stands in the way. */
  urgent: boolean
}

/**
 * Keeps one instrument's driver running in a thread: starts it when it is needed, and again when it has ended. What it
 * was asked when it ended is never asked again by itself.
 */
export class Keeper {
  readonly #source: DriverSource
  readonly #options: Readonly<Record<string, unknown>>
  readonly #onStray: (answered: Answered) => void
  #thread: DriverThread | undefined
  #starting: Promise<DriverThread> | undefined
  #startedAt = 0
  #failures = 0
  #notBefore = 0
  #lastWords = ''
  /** What happened while nobody waited: whoever comes next is told. */
  #untold: string | undefined
  #closed = false

  constructor(
    source: DriverSource,
    options: Readonly<Record<string, unknown>>,
    onStray: (answered: Answered) => void,
  ) {
    this.#source = source
    this.#options = options
    this.#onStray = onStray
  }

  /**
   * Calls a function of the driver.
   *
   * @throws LINK_DOWN when it was not called; what the driver throws; INTERNAL when it failed otherwise
   */
  async call(path: FunctionPath, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    if (this.#untold !== undefined && !options.urgent) {
      const why = this.#untold
      this.#untold = undefined
      throw new GolemError('LINK_DOWN', why)
    }
    const thread = await this.#running(options.urgent)
    return thread.call(path, args, options)
  }

  /** A short question. undefined: nobody can answer it now. */
  ask(path: FunctionPath, args: readonly unknown[], doing: string): { value: unknown } | undefined {
    if (!this.#thread?.isAlive) return undefined
    try {
      return { value: this.#thread.ask({ kind: 'call', path, args }, doing, QUESTION_MS) }
    } catch (error) {
      this.report(asGolemError(error).message)
      return undefined
    }
  }

  /** Hands over something nobody asked for. */
  stray(path: FunctionPath, args: readonly unknown[]): void {
    if (!this.#thread?.isAlive) return
    if (!this.#thread.stray(path, args)) {
      this.report(`${this.#source.name} does not keep up with what comes by itself: some of it was left out.`)
    }
  }

  /** Tells whoever comes next that something went wrong. */
  report(why: string): void {
    this.#untold = why
  }

  close(): void {
    this.#closed = true
    this.#thread?.end()
  }

  async #running(urgent: boolean): Promise<DriverThread> {
    if (this.#thread?.isAlive && !this.#starting) return this.#thread
    if (this.#closed)
      throw new GolemError('LINK_DOWN', `${this.#source.name} is not running: golem is ending.`)
    const waitMs = this.#notBefore - performance.now()
    if (waitMs > 0 && !urgent && !this.#starting) {
      const seconds = Math.ceil(waitMs / 1000)
      throw new GolemError('LINK_DOWN', `${this.#lastWords} It is started again in ${seconds} s.`)
    }
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #start(): Promise<DriverThread> {
    const thread: DriverThread = new DriverThread(this.#source, {
      onStray: this.#onStray,
      onDeath: (why, told) => {
        if (this.#thread === thread && !this.#closed) this.#died(why, told)
      },
    })
    this.#thread = thread
    this.#startedAt = performance.now()
    try {
      await thread.loaded
      await thread.create(this.#options, CREATE_MS)
      return thread
    } catch (error) {
      const { message } = asGolemError(error)
      // It lives, and has no driver.
      if (thread.isAlive) this.#died(message, true)
      this.#untold = undefined
      this.#thread = undefined
      thread.end()
      throw new GolemError('LINK_DOWN', message, { cause: error })
    }
  }

  #died(why: string, told: boolean): void {
    const now = performance.now()
    if (now - this.#startedAt > SOUND_AFTER_MS) this.#failures = 0
    this.#failures += 1
    this.#notBefore = now + Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS)
    this.#lastWords = why
    this.#untold = told ? undefined : why
  }
}
