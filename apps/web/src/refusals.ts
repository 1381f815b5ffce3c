import type { EventDetails, GolemError } from '@golem/core'
import type { SiteClient } from '@golem/queue'
import type { Logger } from 'pino'

/** So many refusals of one instrument are told singly each second; the others are counted. */
const PER_SECOND = 3
const SECOND_MS = 1_000
/** Instruments whose refusals are counted at once; a site has fewer. */
const MOST = 1_000
/** Statuses that say something of the instrument or the site, and not of the request's form or its sender's rights. */
const TOLD = new Set([409, 422, 423, 429])

interface Window {
  told: number
  more: number
  /** Codes of those that are only counted. */
  codes: Set<string>
}

/** Tells the site's log which commands were refused at the door: they are in no ledger. */
export class Refusals {
  readonly #client: Pick<SiteClient, 'tell'>
  readonly #log: Logger
  readonly #windows = new Map<string, Window>()

  constructor(client: Pick<SiteClient, 'tell'>, log: Logger) {
    this.#client = client
    this.#log = log
  }

  /** A command was refused. @param what - the command in words */
  take(instrument: string, what: string, by: string, error: GolemError): void {
    if (!TOLD.has(error.status)) return
    const window = this.#windows.get(instrument) ?? this.#begin(instrument)
    if (!window) return
    if (window.told >= PER_SECOND) {
      window.more += 1
      window.codes.add(error.code)
      return
    }
    window.told += 1
    const data = { code: error.code }
    this.#tell(instrument, `${what}: refused (${error.message})`, by, { level: 'notice', data })
  }

  #begin(instrument: string): Window | undefined {
    if (this.#windows.size >= MOST) return undefined
    const window: Window = { told: 0, more: 0, codes: new Set() }
    this.#windows.set(instrument, window)
    setTimeout(() => this.#end(instrument, window), SECOND_MS).unref()
    return window
  }

  #end(instrument: string, { more, codes }: Window): void {
    this.#windows.delete(instrument)
    if (more === 0) return
    const data = { codes: [...codes], count: more }
    this.#tell(instrument, `${more} more commands refused within a second`, '', { level: 'notice', data })
  }

  #tell(instrument: string, message: string, by: string, details: EventDetails): void {
    this.#client
      .tell({ kind: 'refusal', instrument, by, message, ...details })
      .catch((error: unknown) => this.#log.debug({ err: error, instrument }, 'a refusal is not in the log'))
  }
}
