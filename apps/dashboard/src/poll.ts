import type { StateDocument } from '@golem/core'
import { type Api, Problem, Unreachable } from './api.ts'
import type { Live } from './live.ts'
import { needsDescriptions, type SiteModel } from './model.ts'
import * as store from './store.ts'

const VISIBLE_MS = 1000
const HIDDEN_MS = 5000
/** One lost answer is asked for again at once; the second in a row is a lost connection. */
const RETRY_MS = 500
/** Asking on with a token that was refused would only fill the server's log. */
const SIGNED_OUT_MS = 15_000
const FAILURES_UNTIL_LOST = 2
/** Descriptions can change without any trace in the state (a worker with a newer model). */
const DESCRIPTIONS_EVERY_MS = 60_000

/**
 * Follows the site: the state as the socket shows it, without one by asking every second (every five when nobody looks);
 * descriptions when they may have changed.
 */
export class Poller {
  readonly #api: Api
  #timer: ReturnType<typeof setTimeout> | undefined
  #busy = false
  #again = false
  #etag: string | null = null
  #failures = 0
  #describedAt = -Infinity
  #epoch = 0
  #askSession = true
  readonly #live: Live
  /** The state for which the descriptions were looked at last. */
  #looked: SiteModel | null = null
  /** The server has started afresh since. */
  #isAnew = false

  constructor(api: Api, live: Live) {
    this.#api = api
    this.#live = live
  }

  start(): void {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#live.close()
      else this.soon()
    })
    globalThis.addEventListener('online', () => this.soon())
    setInterval(store.tick, 1000)
    this.soon()
  }

  /** Polls now, or once more when a poll is under way. */
  soon(): void {
    if (this.#busy) this.#again = true
    else void this.#poll()
  }

  /** Takes a state, whichever way it came. */
  take(answer: StateDocument): void {
    // A full answer in between also means that descriptions may be new: the server starts afresh with them.
    if (answer.full && store.site.value !== null) this.#isAnew = true
    store.takeState(answer)
  }

  /** Asks again who we are: after a change of the name. */
  whoAmI(): void {
    this.#askSession = true
    this.soon()
  }

  /** Forgets everything: after a change of the token. */
  restart(): void {
    this.#epoch += 1
    this.#live.close()
    this.#askSession = true
    this.#looked = null
    this.#isAnew = false
    this.#etag = null
    this.#describedAt = -Infinity
    store.session.value = null
    store.site.value = null
    store.descriptions.value = null
    this.soon()
  }

  async #poll(): Promise<void> {
    clearTimeout(this.#timer)
    this.#busy = true
    let pause = document.hidden ? HIDDEN_MS : VISIBLE_MS
    try {
      await this.#fetchAll()
      this.#failures = 0
      store.tokenWanted.value = null
      store.setConnection('live')
      if (!document.hidden) this.#live.want()
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      this.#failed(error)
      if (this.#failures === 1) pause = RETRY_MS
      if (store.tokenWanted.value !== null) pause = SIGNED_OUT_MS
    } finally {
      this.#busy = false
      const again = this.#again
      this.#again = false
      this.#timer = setTimeout(() => void this.#poll(), again ? 0 : pause)
    }
  }

  async #fetchAll(): Promise<void> {
    const epoch = this.#epoch
    const isOld = (): boolean => epoch !== this.#epoch
    if (this.#askSession || store.connection.value.state === 'lost') {
      const session = await this.#api.session()
      if (isOld()) return
      store.session.value = session
      this.#askSession = false
    }
    if (!this.#live.isLive) {
      const since = store.site.value?.cursor ?? null
      const { document: answer, etag } = await this.#api.state(since, this.#etag)
      if (isOld()) return
      this.#etag = etag
      // Where the socket has come to life meanwhile, what it shows is newer.
      if (answer && !this.#live.isLive) this.take(answer)
    }
    const before = this.#looked
    const after = store.site.value
    const known = store.descriptions.value
    const isDue = performance.now() - this.#describedAt > DESCRIPTIONS_EVERY_MS
    if (
      known === null ||
      isDue ||
      this.#isAnew ||
      (after && after !== before && needsDescriptions(known, before, after))
    ) {
      const descriptions = await this.#api.instruments()
      if (isOld()) return
      store.descriptions.value = descriptions
      this.#describedAt = performance.now()
      this.#isAnew = false
    }
    this.#looked = after
  }

  #failed(error: Problem | Unreachable): void {
    // Without a valid token there is nothing to see, but the server is there.
    if (error instanceof Problem && error.status === 401) {
      this.#failures = 0
      store.setConnection('starting', error.message)
      return
    }
    this.#failures += 1
    if (this.#failures >= FAILURES_UNTIL_LOST) {
      // What the browser says of a failed request ("Failed to fetch") helps nobody.
      store.setConnection('lost', error instanceof Problem ? error.message : '')
    }
  }
}
