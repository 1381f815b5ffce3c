import { type Api, Problem, Unreachable } from './api.ts'
import { needsDescriptions } from './model.ts'
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

/** Follows the site: state every second (every five when nobody looks), descriptions when they may have changed. */
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

  constructor(api: Api) {
    this.#api = api
  }

  start(): void {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.soon()
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

  /** Asks again who we are: after a change of the name. */
  whoAmI(): void {
    this.#askSession = true
    this.soon()
  }

  /** Forgets everything: after a change of the token. */
  restart(): void {
    this.#epoch += 1
    this.#askSession = true
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
    const before = store.site.value
    const { document: answer, etag } = await this.#api.state(before?.cursor ?? null, this.#etag)
    if (isOld()) return
    this.#etag = etag
    if (answer) store.takeState(answer)
    const after = store.site.value
    const known = store.descriptions.value
    const isDue = performance.now() - this.#describedAt > DESCRIPTIONS_EVERY_MS
    // A full answer in between also means that descriptions may be new: the server starts afresh with them.
    const isAnew = before !== null && answer?.full === true
    if (
      known === null ||
      isDue ||
      isAnew ||
      (after && after !== before && needsDescriptions(known, before, after))
    ) {
      const descriptions = await this.#api.instruments()
      if (isOld()) return
      store.descriptions.value = descriptions
      this.#describedAt = performance.now()
    }
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
