import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@golem/core'
import type { Environment } from '../context.ts'
import { LogFile } from './log-file.ts'

/** Pauses before a crashed program is started again, in ms; the last one is repeated. */
const RESTART_AFTER_MS = [300, 1000, 3000, 10_000, 30_000]
/** A program that has run this long counts as healthy again, in ms. */
const HEALTHY_AFTER_MS = 60_000
/** How many last lines are shown when a program ends before it was ready. */
const LAST_LINES = 12

/** One program that runs beside others, and is started again when it ends by itself. */
export interface ProgramSpec<Ready> {
  /** Shown to the user, and the name of its log: `worker-1`. */
  name: string
  /** What to start. `args` may differ after the first time: a simulator keeps its ports. */
  command: (last: Ready | null) => { file: string; args: readonly string[] }
  env: Environment
  cwd: string
  logFile: string
  /** Is told of every line of stdout, every IPC message, and the start; returns what it learned when ready. */
  readiness: {
    onLine?: (line: string) => Ready | null
    onMessage?: (message: unknown) => Ready | null
    poll?: () => Promise<Ready | null>
  }
  readyWithinMs: number
  /** How it is asked to end: SIGTERM, or a line on its standard input. */
  endBy: 'SIGTERM' | 'stdin'
}

/** What a program has to say to the one at the terminal. */
export interface ProgramListener {
  /** A line of its log. */
  onLine(name: string, line: string): void
  /** Something happened to the program itself, as a sentence. */
  onNews(name: string, sentence: string): void
}

/**
 * Keeps one program running. Each runs in its own process group, so that Ctrl-C in the terminal reaches
 * the supervisor alone and everything is stopped in order, and so that its own children can be ended with it.
 */
export class Program<Ready> {
  readonly spec: ProgramSpec<Ready>
  readonly #listener: ProgramListener
  readonly #log: LogFile
  readonly #ending = new AbortController()
  #child: ChildProcess | null = null
  #ready: Ready | null = null
  #failures = 0
  #lastLines: string[] = []

  constructor(spec: ProgramSpec<Ready>, listener: ProgramListener) {
    this.spec = spec
    this.#listener = listener
    this.#log = new LogFile(spec.logFile, (error) =>
      listener.onNews(spec.name, `cannot write its log ${spec.logFile}: ${error.message}`),
    )
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /**
   * Starts it and waits until it is ready. From then on it is started again whenever it ends.
   *
   * @throws Error with its last words when it ends, or is not ready in time
   */
  async start(): Promise<Ready> {
    return this.#launch()
  }

  /** Asks it to end; what is still there after the time is killed, with its children. */
  async stop(graceMs: number): Promise<void> {
    this.#ending.abort()
    const child = this.#child
    if (child?.pid === undefined) return
    const gone = exitOf(child)
    if (this.spec.endBy === 'stdin') child.stdin?.end('\n')
    else child.kill('SIGTERM')
    const late = await Promise.race([gone.then(() => false), sleep(graceMs, true, { ref: false })])
    if (late) this.#listener.onNews(this.spec.name, `did not end within ${graceMs} ms and was killed`)
    // Also after an orderly end: whatever it left behind in its group goes with it.
    killGroup(child)
    await gone
  }

  /** Ends it and its children at once. */
  kill(): void {
    this.#ending.abort()
    if (this.#child) killGroup(this.#child)
  }

  async #launch(): Promise<Ready> {
    const { file, args } = this.spec.command(this.#ready)
    const child = spawn(file, args, {
      cwd: this.spec.cwd,
      env: this.spec.env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', this.spec.readiness.onMessage ? 'ipc' : 'ignore'],
    })
    this.#child = child
    this.#lastLines = []
    const startedAt = performance.now()
    const ended = exitOf(child)
    // A pipe that the child has closed is no news; that it has ended is told by its exit.
    child.stdin?.on('error', () => undefined)
    const ready = this.#waitUntilReady(child, ended)
    void ended.then((how) => this.#onEnd(child, how, startedAt))
    this.#ready = await ready
    return this.#ready
  }

  #waitUntilReady(child: ChildProcess, ended: Promise<string>): Promise<Ready> {
    return new Promise((resolve, reject) => {
      const { onLine, onMessage, poll } = this.spec.readiness
      const settled = new AbortController()
      const found = (ready: Ready | null | undefined): void => {
        if (ready === null || ready === undefined) return
        settled.abort()
        resolve(ready)
      }
      const failed = (why: string): void => {
        if (settled.signal.aborted) return
        settled.abort()
        reject(new Error([`${this.spec.name} ${why}.`, ...this.#lastLines].join('\n    ')))
      }
      this.#read(child.stdout, (line) => settled.signal.aborted || found(onLine?.(line)))
      this.#read(child.stderr, () => undefined)
      child.on('message', (message) => settled.signal.aborted || found(onMessage?.(message)))
      void ended.then((how) => failed(`ended before it was ready (${how})`))
      void sleep(this.spec.readyWithinMs, undefined, { signal: settled.signal, ref: false }).then(
        () => {
          failed(`was not ready within ${this.spec.readyWithinMs / 1000} s`)
          this.#killChild(child)
        },
        () => undefined,
      )
      if (poll) void pollUntil(poll, settled.signal).then(found)
    })
  }

  #killChild(child: ChildProcess): void {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }

  #read(stream: NodeJS.ReadableStream | null, onLine: (line: string) => unknown): void {
    if (!stream) return
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      this.#log.write(line)
      this.#lastLines = [...this.#lastLines, line].slice(-LAST_LINES)
      onLine(line)
      this.#listener.onLine(this.spec.name, line)
    })
  }

  #onEnd(child: ChildProcess, how: string, startedAt: number): void {
    // What it started itself must not live on beside its successor.
    killGroup(child)
    if (this.#ending.signal.aborted || this.#ready === null) return
    const ranMs = performance.now() - startedAt
    this.#failures = ranMs > HEALTHY_AFTER_MS ? 0 : this.#failures
    void this.#restart(how)
  }

  /** Tries for ever, more and more slowly. */
  async #restart(how: string): Promise<void> {
    const pauseMs = RESTART_AFTER_MS[Math.min(this.#failures, RESTART_AFTER_MS.length - 1)] ?? 30_000
    this.#failures += 1
    this.#listener.onNews(this.spec.name, `ended (${how}); it is started again in ${pauseMs / 1000} s`)
    const waited = await sleep(pauseMs, true, { signal: this.#ending.signal }).catch(() => false)
    if (!waited) return
    try {
      await this.#launch()
      this.#listener.onNews(this.spec.name, 'is running again')
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#listener.onNews(this.spec.name, messageOf(error))
    }
  }
}

/** Kills what is left of a child's process group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    // The whole group is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Resolves when a child has ended, with how: `exit code 1`, `SIGKILL`, or why it could not be started. */
function exitOf(child: ChildProcess): Promise<string> {
  if (child.exitCode !== null) return Promise.resolve(`exit code ${child.exitCode}`)
  if (child.signalCode !== null) return Promise.resolve(child.signalCode)
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
}

async function pollUntil<T>(poll: () => Promise<T | null>, signal: AbortSignal): Promise<T | null> {
  while (!signal.aborted) {
    const found = await poll()
    if (found !== null) return found
    // Ended early when the waiting is over.
    await sleep(10, undefined, { signal }).catch(() => undefined)
  }
  return null
}
