import { type ErrorCode, GolemError } from '@golem/core'
import type { Priority } from './link.ts'

/** One conversation while it has the link. */
export class Talk {
  readonly priority: Priority
  /** Bytes of the conversation itself went out (those of identification do not count). */
  sent = false
  #over: { readonly error: unknown } | undefined
  readonly #listeners = new Set<(error: unknown) => void>()

  constructor(priority: Priority) {
    this.priority = priority
  }

  /** Ends it; everything that waits in it rejects with this error. Only the first call counts. */
  end(error: unknown): void {
    this.#end({ error })
  }

  /** As `end`, with an error that is made when somebody wants it: each conversation ends so, and hardly anybody does. */
  endWith(errorOf: () => GolemError): void {
    this.#end({
      get error() {
        return errorOf()
      },
    })
  }

  #end(over: { readonly error: unknown }): void {
    if (this.#over) return
    this.#over = over
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const listener of listeners) listener(over.error)
  }

  /** @throws what it was ended with */
  throwIfOver(): void {
    if (this.#over) throw this.#over.error
  }

  /** Calls back when it ends (at once if it has); returns the function that takes that back. */
  onOver(listener: (error: unknown) => void): () => void {
    if (this.#over) {
      listener(this.#over.error)
      return () => undefined
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The outcome of `promise`, or the end of this talk, whichever is first. */
  orOver<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.onOver(reject)
      promise.then(resolve, reject).finally(forget)
    })
  }

  /** Waits. @param ms - how long */
  sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    return this.orOver(slept).finally(() => clearTimeout(timer))
  }
}

interface Waiting {
  priority: Priority
  owner: object
  start: () => void
  reject: (error: unknown) => void
}

/** Gives the link to one conversation at a time: stop, then commands, then polls. */
export class Turns {
  readonly #where: string
  #running: Talk | undefined
  #waiting: Waiting[] = []
  #closed = false

  /** @param where - the link's name, for messages */
  constructor(where: string) {
    this.#where = where
  }

  /**
   * Runs `work` when it is its turn.
   *
   * @param owner - the channel: a stop rejects only the waiting commands of its own
   * @throws STOPPED, INTERRUPTED, WORKER_STOPPING, and what `work` throws
   */
  take<T>(priority: Priority, owner: object, work: (talk: Talk) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closing())
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        const talk = new Talk(priority)
        this.#running = talk
        talk
          .orOver(work(talk))
          .then(resolve, reject)
          .finally(() => {
            talk.endWith(
              () => new GolemError('INTERNAL', `The conversation on ${this.#where} is over: it can't go on.`),
            )
            if (this.#running === talk) this.#running = undefined
            this.#next()
          })
      }
      this.#waiting.push({ priority, owner, start, reject })
      if (priority === 'stop') this.#makeWay(owner)
      this.#next()
    })
  }

  /** Ends what runs and what waits; nothing runs after that. */
  close(reason: ErrorCode): void {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closing())
    const talk = this.#running
    talk?.end(
      talk.sent
        ? new GolemError(reason, `Ended on ${this.#where} after it was sent: the link was closed.`)
        : this.#closing(),
    )
  }

  #makeWay(owner: object): void {
    const stopped = (what: string): GolemError =>
      new GolemError('STOPPED', `Not sent to ${this.#where}: ${what} by the emergency stop.`)
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.priority !== 'command' || waiting.owner !== owner) return true
      waiting.reject(stopped('removed from the queue'))
      return false
    })
    const talk = this.#running
    if (!talk || talk.priority === 'stop') return
    this.#running = undefined
    talk.end(
      talk.sent
        ? new GolemError(
            'INTERRUPTED',
            `Interrupted on ${this.#where} by the emergency stop, after something was sent.`,
          )
        : stopped('interrupted'),
    )
  }

  #next(): void {
    if (this.#running) return
    for (const priority of ['stop', 'command', 'poll'] as const) {
      const index = this.#waiting.findIndex((waiting) => waiting.priority === priority)
      if (index < 0) continue
      const [next] = this.#waiting.splice(index, 1)
      next?.start()
      return
    }
  }

  #closing(): GolemError {
    return new GolemError('WORKER_STOPPING', `Not sent: the link to ${this.#where} is closed.`)
  }
}
