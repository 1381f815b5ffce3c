import type { CodeDuration, Lab, Reading, Value } from '@golem/core'
import type { CallAnswer, FromProgram } from './messages.ts'

type Values = Readonly<Record<string, Value>>
type Send = (message: FromProgram) => void

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

/** The stand as a program sees it: each call goes to the scheduler, which does it and answers. */
export class RemoteLab implements Lab {
  parameters: Values
  readonly #send: Send
  readonly #waiting = new Map<number, Waiting>()
  #calls = 0

  constructor(send: Send, parameters: Values) {
    this.#send = send
    this.parameters = Object.freeze({ ...parameters })
  }

  /** The scheduler has answered. */
  take(call: number, answer: CallAnswer): void {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.value)
  }

  async set(writes: Values): Promise<void> {
    await this.step({ set: writes })
  }

  do(action: string, args: Values = {}): Promise<Value | undefined> {
    return this.#step({ do: { action, arguments: args } })
  }

  async wait(time: CodeDuration | { aligned: string; offset?: string }): Promise<void> {
    await this.step({ wait: typeof time === 'object' ? time : text(time) })
  }

  async until({ timeout, ...condition }: Parameters<Lab['until']>[0]): Promise<void> {
    const limit = timeout === undefined ? {} : { timeout: text(timeout) }
    await this.step({ until: { ...(inTexts(condition) as object), ...limit } })
  }

  measure({ name, every, ...rest }: Parameters<Lab['measure']>[0]): Promise<Values> {
    const measure = { ...rest, ...(every === undefined ? {} : { every: text(every) }) }
    return this.#step({ ...(name === undefined ? {} : { name }), measure })
  }

  async ramp({ over, every, ...rest }: Parameters<Lab['ramp']>[0]): Promise<void> {
    await this.step({
      ramp: { ...rest, over: text(over), ...(every === undefined ? {} : { every: text(every) }) },
    })
  }

  async step(step: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#step(step)
  }

  read(name: string): Promise<Reading | undefined> {
    return this.#call((call) => ({ kind: 'read', call, reading: name }))
  }

  async value(name: string): Promise<Value> {
    const reading = await this.read(name)
    if (reading?.quality === 'good' && reading.value !== null) return reading.value
    const why = reading
      ? `${reading.quality}: ${reading.error ?? `from ${reading.at ?? 'never'}`}`
      : 'not there'
    throw new Error(`${name} is ${why}.`)
  }

  stage(name: string): void {
    this.#send({ kind: 'stage', name: String(name) })
  }

  progress(fraction: number, doing?: string): void {
    this.#send({ kind: 'progress', fraction: Number(fraction), ...(doing === undefined ? {} : { doing }) })
  }

  note(words: string): void {
    this.#send({ kind: 'note', text: String(words) })
  }

  #step<T>(step: unknown): Promise<T> {
    return this.#call((call) => ({ kind: 'step', call, step }))
  }

  #call<T>(message: (call: number) => FromProgram): Promise<T> {
    // Here the stack still tells from which line it was called.
    const { stack = '' } = new Error('called')
    return new Promise((resolve, refuse) => {
      const reject = (error: Error): void => {
        error.stack = `${error.name}: ${error.message}\n${stack}`
        refuse(error)
      }
      this.#calls += 1
      this.#waiting.set(this.#calls, { resolve: resolve as (value: unknown) => void, reject })
      this.#send(message(this.#calls))
    })
  }
}

function text(time: CodeDuration): string {
  return typeof time === 'number' ? `${time} ms` : time
}

/** `for` of a condition, on every level, as a text. */
function inTexts(condition: unknown): unknown {
  if (Array.isArray(condition)) return condition.map(inTexts)
  if (typeof condition !== 'object' || condition === null) return condition
  return Object.fromEntries(
    Object.entries(condition).map(([key, value]: [string, unknown]) => [
      key,
      key === 'for' ? text(value as CodeDuration) : key === 'all' || key === 'any' ? inTexts(value) : value,
    ]),
  )
}
