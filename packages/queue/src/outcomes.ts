import type { CommandRecord } from '@golem/core'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'
import { recordFrom } from './records.ts'

/** How many outcomes are kept for those who begin to wait afterwards. */
const REMEMBERED = 256

/**
 * Hears the outcomes that workers announce. A message may be lost while the connection is; whoever waits has
 * the ledger besides.
 */
export class Outcomes {
  /** The latest, oldest first, as JSON. */
  readonly #latest = new Map<string, string>()
  readonly #waiting = new Map<string, Set<(record: CommandRecord) => void>>()

  /** @param subscriber - a connection of its own */
  constructor(keys: Keys, subscriber: Connection, onError: (error: Error) => void) {
    subscriber.on('message', (_channel: string, message: string) => {
      const space = message.indexOf(' ')
      this.#tell(message.slice(0, space), message.slice(space + 1))
    })
    subscriber.subscribe(keys.outcomes).catch(onError)
  }

  /**
   * The end of a command, as soon as it is announced; at once when that was lately.
   *
   * @returns the record to come, and what ends the waiting
   */
  of(id: string): { ending: Promise<CommandRecord>; forget: () => void } {
    const known = this.#latest.get(id)
    if (known !== undefined) return { ending: Promise.resolve(recordFrom(known)), forget: () => undefined }
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting)
    let listener: (record: CommandRecord) => void = () => undefined
    const ending = new Promise<CommandRecord>((resolve) => {
      listener = resolve
    })
    waiting.add(listener)
    const forget = (): void => {
      waiting.delete(listener)
      if (waiting.size === 0) this.#waiting.delete(id)
    }
    return { ending, forget }
  }

  #tell(id: string, json: string): void {
    // A command may end before the request that submitted it begins to wait.
    this.#latest.set(id, json)
    if (this.#latest.size > REMEMBERED) {
      const [oldest] = this.#latest.keys()
      if (oldest !== undefined) this.#latest.delete(oldest)
    }
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    const record = recordFrom(json)
    for (const listener of waiting) listener(record)
  }
}
