/** So late a timer comes only when this process itself was busy or stopped, in ms. */
const LATE_MS = 10
/** For so long what came meanwhile may still be on its way through the process, in ms. */
const GRACE_MS = 50

/**
 * Calls back when nothing has happened for a while. A process that was busy sees the timer first and what came
 * meanwhile afterwards; that is no silence, so it then waits a little more.
 */
export class Silence {
  readonly #onSilent: () => void
  #timer: NodeJS.Timeout | undefined
  #ms = 0
  #since = 0

  constructor(onSilent: () => void) {
    this.#onSilent = onSilent
  }

  /** Counts from now on. */
  watch(ms: number): void {
    this.#since = performance.now()
    if (this.#timer && this.#ms === ms) {
      this.#timer.refresh()
      return
    }
    clearTimeout(this.#timer)
    this.#ms = ms
    this.#timer = setTimeout(() => this.#over(), ms)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #over(): void {
    this.#timer = undefined
    if (performance.now() - this.#since < this.#ms + LATE_MS) return this.#onSilent()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#onSilent()
    }, GRACE_MS)
    // What `watch` finds is not its own timer.
    this.#ms = -1
  }
}
