import { GolemError, messageOf } from '@golem/core'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import {
  type Answered,
  ENDED_SEQ,
  type FromThread,
  type FunctionPath,
  type SyncQuestion,
  type ThreadData,
  type ToThread,
} from './messages.ts'
import type { DriverSource } from './source.ts'
import { plainError, revived } from './wire-error.ts'

/** How long the file may take to load, in ms: on a small machine that is busy. */
const LOAD_MS = 10_000
/** While something is asked of the thread, it is looked at so often, in ms; so often without a sign of life it hangs. */
const PING_EVERY_MS = 1_000
const MAX_MISSED = 3
/** Lines and messages that it has not looked at yet; more, and it does not keep up. */
const MAX_STRAYS = 1_000
/** What a thread may use: a driver needs a few MB. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 }

/** The io of a conversation, as the thread may use it. */
export interface CallIo {
  io: object
  methods: ReadonlySet<string>
}

interface Call {
  doing: string
  callIo: CallIo | undefined
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  timer: NodeJS.Timeout
}

export interface DriverThreadOptions {
  /** What the driver made of something nobody asked for, or how it failed at that. */
  onStray?: (answered: Answered) => void
  /** It has ended and can't be used any more. @param told - somebody who waited for it has been told */
  onDeath?: (why: string, told: boolean) => void
}

/** A thread with one driver file, from this side. */
export class DriverThread {
  /** Settles with what the model says of itself. Rejects when the file could not be loaded. */
  readonly loaded: Promise<unknown>
  readonly #name: string
  readonly #options: DriverThreadOptions
  readonly #worker: Worker
  readonly #syncPort: MessagePort
  readonly #askPort: MessagePort
  readonly #flags = new Int32Array(new SharedArrayBuffer(8))
  readonly #calls = new Map<number, Call>()
  #count = 0
  #strays = 0
  #missed = 0
  #pinger: NodeJS.Timeout | undefined
  #loading: { resolve: (model: unknown) => void; reject: (error: unknown) => void } | undefined
  #death: string | undefined

  constructor(source: DriverSource, options: DriverThreadOptions = {}) {
    this.#name = source.name
    this.#options = options
    const sync = new MessageChannel()
    const ask = new MessageChannel()
    this.#syncPort = sync.port1
    this.#askPort = ask.port1
    const workerData: ThreadData = {
      name: source.name,
      url: source.url,
      syncPort: sync.port2,
      askPort: ask.port2,
      flags: this.#flags.buffer,
    }
    this.#worker = new Worker(new URL('./thread-main.js', import.meta.url), {
      workerData,
      transferList: [sync.port2, ask.port2],
      resourceLimits: RESOURCE_LIMITS,
      // Passwords in the environment are not for drivers.
      env: {},
      execArgv: [],
    })
    this.loaded = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#die(`${this.#name} was not loaded within ${LOAD_MS / 1000} s.`),
        LOAD_MS,
      )
      this.#loading = {
        resolve: (model) => {
          clearTimeout(timer)
          resolve(model)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error as Error)
        },
      }
    })
    // Whoever does not wait for it learns of it by `onDeath`.
    this.loaded.catch(() => undefined)
    this.#worker.on('message', (message: FromThread) => this.#take(message))
    this.#worker.on('error', (error) => this.#die(this.#fatal(error)))
    this.#worker.on('exit', () => this.#die(`${this.#name} has ended its thread.`))
    this.#askPort.on('message', (question: { call: number; method: string; args: unknown[] }) =>
      this.#answerAsk(question),
    )
    this.#askPort.unref()
    this.#refer()
  }

  get isAlive(): boolean {
    return this.#death === undefined
  }

  /** Makes the thread's driver. */
  create(options: Readonly<Record<string, unknown>>, limitMs: number): Promise<unknown> {
    return this.#request('create', limitMs, undefined, (id) => ({ kind: 'create', id, options }))
  }

  /** Calls a function of the driver. @param doing - for messages: `readAll`, `write of speed` */
  call(
    path: FunctionPath,
    args: readonly unknown[],
    { doing, limitMs, callIo }: { doing: string; limitMs: number; callIo: CallIo },
  ): Promise<unknown> {
    return this.#request(doing, limitMs, callIo, (id) => ({ kind: 'call', id, path, args }))
  }

  /** Hands something over that nobody asked for; what comes of it goes to `onStray`. @returns false: it does not keep up */
  stray(path: FunctionPath, args: readonly unknown[]): boolean {
    if (this.#strays >= MAX_STRAYS) return false
    this.#strays += 1
    this.#post({ kind: 'stray', path, args })
    this.#watch()
    return true
  }

  /**
   * Asks and does nothing else until there is an answer. For short questions only: all of golem waits.
   *
   * @throws INTERNAL when there is none in time; then the thread is ended
   */
  ask(what: SyncQuestion, doing: string, limitMs: number): unknown {
    this.#throwIfDead(doing)
    const seq = (this.#count += 1)
    const giveUpAt = performance.now() + limitMs
    this.#post({ kind: 'sync', seq, what })
    for (;;) {
      const got = receiveMessageOnPort(this.#syncPort) as
        { message: { seq: number; answered: Answered } } | undefined
      if (got?.message.seq === seq || got?.message.seq === ENDED_SEQ) return valueOf(got.message.answered)
      // It may be waiting for us just now.
      const question = receiveMessageOnPort(this.#askPort) as
        { message: { call: number; method: string; args: unknown[] } } | undefined
      if (question) this.#answerAsk(question.message)
      if (got || question) continue
      if (performance.now() > giveUpAt) {
        const why = `${this.#name}: ${doing} did not come back within ${limitMs} ms: an endless loop?`
        this.#die(why)
        throw new GolemError('INTERNAL', why)
      }
      Atomics.wait(this.#flags, 0, 0, 5)
      Atomics.compareExchange(this.#flags, 0, 1, 0)
    }
  }

  /** Ends it; what waits for it is rejected. */
  end(): void {
    this.#die(`${this.#name} is not needed any more.`)
  }

  /** Settles when the thread is gone. */
  async ended(): Promise<void> {
    await this.#worker.terminate()
  }

  async #request(
    doing: string,
    limitMs: number,
    callIo: CallIo | undefined,
    message: (id: number) => ToThread,
  ): Promise<unknown> {
    this.#throwIfDead(doing)
    const id = (this.#count += 1)
    return new Promise((resolve, reject) => {
      const late = (): void => this.#die(`${this.#name}: ${doing} did not end within ${limitMs / 1000} s.`)
      this.#calls.set(id, { doing, callIo, resolve, reject, timer: setTimeout(late, limitMs) })
      this.#post(message(id))
      this.#refer()
      this.#watch()
    })
  }

  #take(message: FromThread): void {
    this.#missed = 0
    switch (message.kind) {
      case 'loaded':
        this.#loading?.resolve(message.model)
        this.#loading = undefined
        this.#refer()
        return
      case 'done':
        this.#done(message.id, message.answered)
        return
      case 'io':
        void this.#io(message)
        return
      case 'strayDone':
        this.#strays = Math.max(0, this.#strays - 1)
        this.#options.onStray?.(message.answered)
        return
      case 'broken':
        this.#die(message.message)
        return
      case 'pong':
        return
    }
  }

  #done(id: number, answered: Answered): void {
    const call = this.#calls.get(id)
    if (!call) return
    clearTimeout(call.timer)
    this.#calls.delete(id)
    if ('error' in answered) call.reject(revived(answered.error))
    else call.resolve(answered.value)
    this.#refer()
  }

  /** Runs an io call of the driver on the conversation it belongs to, as long as that goes on. */
  async #io({ id, call, method, args, judges }: Extract<FromThread, { kind: 'io' }>): Promise<void> {
    let answered: Answered
    try {
      answered = { value: await this.#method(call, method)(...this.#ioArguments(id, method, args, judges)) }
    } catch (error) {
      answered = { error: plainError(error) }
    }
    this.#post({ kind: 'ioDone', id, answered })
  }

  /** The arguments, and in place of the functions that stayed in the thread such as ask there. */
  #ioArguments(id: number, method: string, args: readonly unknown[], judges: boolean): unknown[] {
    const options = args.at(-1)
    if (method === 'askBytes') {
      const complete = (received: Uint8Array): unknown =>
        this.ask(
          { kind: 'complete', io: id, received: Uint8Array.from(received) },
          'complete of askBytes',
          QUESTION_MS,
        )
      return [...args.slice(0, -1), { ...(options as object), complete }]
    }
    if (!judges) return [...args]
    const accept = (payload: string): boolean => {
      this.#post({ kind: 'offer', id, payload })
      return false
    }
    return [...args.slice(0, -1), { ...(options as object), accept }]
  }

  #answerAsk({ call, method, args }: { call: number; method: string; args: unknown[] }): void {
    let answered: Answered
    try {
      const message = this.#method(call, method)(...args) as { at: number } | undefined
      answered = { value: message && { message, agoMs: performance.now() - message.at } }
    } catch (error) {
      answered = { error: plainError(error) }
    }
    this.#askPort.postMessage(answered)
    Atomics.store(this.#flags, 1, 1)
    Atomics.notify(this.#flags, 1)
  }

  #method(callId: number, method: string): (...args: unknown[]) => unknown {
    const call = this.#calls.get(callId)
    if (!call?.callIo) {
      throw new GolemError(
        'INTERNAL',
        `${this.#name}: io.${method} was called when the conversation was over.`,
      )
    }
    const { io, methods } = call.callIo
    const found = (io as Record<string, unknown>)[method]
    if (!methods.has(method) || typeof found !== 'function') {
      throw new GolemError('INTERNAL', `${this.#name}: there is no io.${method}.`)
    }
    return (found as (...args: unknown[]) => unknown).bind(io)
  }

  #post(message: ToThread): void {
    if (this.#death === undefined) this.#worker.postMessage(message)
  }

  /** Looks after the thread while something is asked of it. */
  #watch(): void {
    if (this.#pinger || this.#death !== undefined) return
    this.#missed = 0
    this.#pinger = setInterval(() => {
      if (this.#calls.size === 0 && this.#strays === 0) return this.#unwatch()
      if (this.#missed >= MAX_MISSED) {
        const doing = [...this.#calls.values()].map((call) => call.doing).join(', ') || 'unsolicited'
        this.#die(`${this.#name}: ${doing} does not come back: an endless loop?`)
        return
      }
      this.#missed += 1
      this.#post({ kind: 'ping' })
    }, PING_EVERY_MS)
    this.#pinger.unref()
  }

  #unwatch(): void {
    clearInterval(this.#pinger)
    this.#pinger = undefined
  }

  /** A process that has nothing else to do waits for what is under way here, and not for an idle thread. */
  #refer(): void {
    if (this.#loading || this.#calls.size > 0) this.#worker.ref()
    else this.#worker.unref()
  }

  #fatal(error: unknown): string {
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const doing = [...this.#calls.values()].map((call) => call.doing).join(', ')
      return `${this.#name}${doing ? `: ${doing}` : ''} used more than ${RESOURCE_LIMITS.maxOldGenerationSizeMb} MB of memory.`
    }
    return `${this.#name} failed: ${messageOf(error)}`
  }

  #throwIfDead(doing: string): void {
    if (this.#death === undefined) return
    throw new GolemError('LINK_DOWN', `${this.#death} So ${doing} was not called.`)
  }

  #die(why: string): void {
    if (this.#death !== undefined) return
    this.#death = why
    this.#unwatch()
    this.#askPort.close()
    this.#syncPort.close()
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const call of calls) {
      clearTimeout(call.timer)
      call.reject(new GolemError('INTERNAL', why))
    }
    this.#loading?.reject(new GolemError('INTERNAL', why))
    this.#loading = undefined
    this.#worker.terminate().catch(() => undefined)
    this.#options.onDeath?.(why, calls.length > 0)
  }
}

/** How long a short question may take, in ms. */
export const QUESTION_MS = 500

function valueOf(answered: Answered): unknown {
  if ('error' in answered) throw revived(answered.error)
  return answered.value
}
