import type { CodeLimits } from '@golem/recipes'
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ALIVE_EVERY_MS, type FromProgram, type ToProgram } from './messages.ts'

const MAIN = fileURLToPath(new URL('main.js', import.meta.url))
/** A program that has not said for so long that it is alive hangs, in ms. */
const HANGS_AFTER_MS = 12 * ALIVE_EVERY_MS
/** More messages than this in a second are a program gone wild. */
const MESSAGES_PER_SECOND = 500
/** A message longer than this is not taken, in characters. */
const LONGEST_MESSAGE = 100_000
/** How much of what it prints is kept for the message of its end, in characters. */
const KEPT_OUTPUT = 2_000

export interface ProgramEvents {
  onMessage: (message: Exclude<FromProgram, { kind: 'alive' | 'failed' }>) => void
  /** Told once, with the reason as a sentence: it has failed, crashed, hung or gone wild. */
  onFailure: (why: string) => void
}

/** The process of one program of the site. */
export class ProgramProcess {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #events: ProgramEvents
  readonly #watch: NodeJS.Timeout
  #aliveAt = performance.now()
  #second = 0
  #messages = 0
  #output = ''
  #isOver = false

  /** @param name - of its file, for messages */
  constructor(name: string, { memoryMb }: CodeLimits, events: ProgramEvents) {
    this.#name = name
    this.#events = events
    this.#child = fork(MAIN, [], {
      // Of the scheduler's environment it gets nothing: there may be passwords in it.
      env: {},
      execArgv: [`--max-old-space-size=${memoryMb}`],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT)
      })
    }
    this.#child.on('message', (message: FromProgram) => this.#take(message))
    this.#child.on('error', (error) => this.#fail(`${name} could not be started: ${error.message}.`))
    this.#child.on('close', (code, signal) => this.#fail(this.#lastWords(code, signal)))
    this.#watch = setInterval(() => {
      if (performance.now() - this.#aliveAt <= HANGS_AFTER_MS) return
      this.#fail(
        `${name} hangs: nothing was heard of it for ${HANGS_AFTER_MS / 1000} s. A loop without "await" does that.`,
      )
    }, ALIVE_EVERY_MS)
  }

  send(message: ToProgram): void {
    // One that has ended meanwhile tells so by itself.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  /** Ends it at once; nothing is told of it any more. */
  end(): void {
    this.#isOver = true
    clearInterval(this.#watch)
    this.#child.kill('SIGKILL')
  }

  #take(message: FromProgram): void {
    if (this.#isOver) return
    const now = performance.now()
    this.#aliveAt = now
    if (now - this.#second > 1_000) {
      this.#second = now
      this.#messages = 0
    }
    this.#messages += 1
    if (this.#messages > MESSAGES_PER_SECOND || JSON.stringify(message).length > LONGEST_MESSAGE) {
      return this.#fail(`${this.#name} asks for too much at once: it was ended.`)
    }
    if (message.kind === 'failed') this.#fail(String(message.message))
    else if (message.kind !== 'alive') this.#events.onMessage(message)
  }

  #fail(why: string): void {
    if (this.#isOver) return
    this.end()
    this.#events.onFailure(why)
  }

  #lastWords(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory/.test(this.#output)) {
      return `${this.#name} has used up its memory; "memoryMb" gives it more.`
    }
    const last = this.#output.trim().split('\n').at(-1) ?? ''
    const said = last === '' ? '' : ` It had printed: ${last.slice(0, 300)}`
    return `${this.#name} ended before it was done (${signal ?? `code ${code ?? 0}`}).${said}`
  }
}
