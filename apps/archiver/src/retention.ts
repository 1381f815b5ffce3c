import { type Database, forget } from '@golem/archive'
import type { ArchiveKeep } from '@golem/config'
import { type Clock, messageOf } from '@golem/core'
import type { Logger } from 'pino'

/** How often it is looked for what may be forgotten, in ms. */
const EVERY_MS = 60_000
/** For how long readings wait meanwhile, in ms. */
const TURN_MS = 200
/** When the site's clock and that of this machine are further apart, one of them is wrong, in ms. */
const TRUSTED_MS = 86_400_000

/** Removes what the site does not want to keep for longer, a little at a time. */
export class Retention {
  readonly #keep: ArchiveKeep
  readonly #clock: Clock
  readonly #log: Logger
  readonly #isWanted: boolean
  #nextAt = 0
  #isWrong = false

  /** @param clock - of the site */
  constructor(keep: ArchiveKeep, clock: Clock, log: Logger) {
    this.#keep = keep
    this.#clock = clock
    this.#log = log
    this.#isWanted = Object.values(keep).some((ms) => ms !== null)
  }

  /** Does a little of it, when it is time to. What fails is tried again later. */
  async step(database: Database): Promise<void> {
    const began = performance.now()
    if (!this.#isWanted || began < this.#nextAt) return
    this.#nextAt = began + EVERY_MS
    const now = this.#clock.now()
    if (Math.abs(now - Date.now()) > TRUSTED_MS) {
      // With a clock that is years ahead everything would be old.
      if (!this.#isWrong)
        this.#log.warn('nothing is forgotten: the clocks of Redis and of this machine differ')
      this.#isWrong = true
      return
    }
    this.#isWrong = false
    const before = (ms: number | null): number | null => (ms === null ? null : now - ms)
    const { raw, minute, hour, events } = this.#keep
    const limits = { raw: before(raw), minute: before(minute), hour: before(hour), events: before(events) }
    try {
      const isDone = await forget(database, limits, () => performance.now() - began < TURN_MS)
      if (!isDone) this.#nextAt = 0
    } catch (error) {
      this.#log.warn(`old readings are not removed: ${messageOf(error)}`)
    }
  }
}
