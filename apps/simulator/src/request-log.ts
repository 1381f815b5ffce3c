import { isoTime } from '@golem/core'

/** One request as a device received it. */
export interface RequestEntry {
  /** When it was complete, ISO 8601 UTC. */
  at: string
  /** HTTP method, or the letter of a serial command. */
  method: string
  /** HTTP path with query; empty on a serial line. */
  path: string
  /** HTTP body, or the text of a serial command. At most 2000 characters are kept. */
  body: string
  /** The device did something because of it: an output or a setting changed hands, not only an answer. */
  acted: boolean
  /** The fault that was applied to it. */
  fault?: string
}

const KEPT_BODY = 2000

/** What a device has received: counted for ever, the last ones with their content. */
export class RequestLog {
  readonly #limit: number
  readonly #entries: RequestEntry[] = []
  readonly #counters = new Map<string, number>()

  /** @param limit - how many requests are kept with their content */
  constructor(limit = 2000) {
    this.#limit = limit
  }

  /** Notes a request; the entry returned may still be completed. */
  add(request: { method: string; path: string; body: string }): RequestEntry {
    const { method, path } = request
    const entry: RequestEntry = {
      at: isoTime(Date.now()),
      method,
      path,
      body: request.body.slice(0, KEPT_BODY),
      acted: false,
    }
    const key = path === '' ? method : `${method} ${path.split('?', 1)[0] ?? ''}`
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1)
    this.#entries.push(entry)
    if (this.#entries.length > this.#limit) this.#entries.shift()
    return entry
  }

  /** How many came, by `METHOD /path` (without query) or by letter. */
  counters(): Record<string, number> {
    return Object.fromEntries(this.#counters)
  }

  /** The last ones, oldest first. */
  entries(): RequestEntry[] {
    return this.#entries.map((entry) => ({ ...entry }))
  }

  reset(): void {
    this.#entries.length = 0
    this.#counters.clear()
  }
}
