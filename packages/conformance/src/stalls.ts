/** How often it looks at the clock, in ms. */
const LOOK_EVERY_MS = 10

/** So late a look may be before it counts as a stall, in ms. */
const USUAL_MS = 5

/**
 * Notes when this process did not get to run: on a machine with other things to do that says nothing about a driver.
 * Both ends of a wire are in this process, so a stall holds up all of it.
 */
export class StallLog {
  readonly #stalls: { from: number; to: number }[] = []
  readonly #timer: NodeJS.Timeout
  #lookedAt = performance.now()

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  /** How long this process ran between two times of the monotonic clock, in ms. */
  ranBetween(from: number, to: number): number {
    this.#look()
    const stalled = this.#stalls.reduce(
      (sum, stall) => sum + Math.max(0, Math.min(stall.to, to) - Math.max(stall.from, from)),
      0,
    )
    return to - from - stalled
  }

  /** The most time within any span of this length in which the process did not run, in ms. */
  mostWithin(spanMs: number): number {
    this.#look()
    let most = 0
    for (const [index, { from: begin }] of this.#stalls.entries()) {
      let sum = 0
      for (let at = index; ; at += 1) {
        const stall = this.#stalls[at]
        if (!stall || stall.from >= begin + spanMs) break
        sum += Math.min(stall.to, begin + spanMs) - stall.from
      }
      most = Math.max(most, sum)
    }
    return most
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const due = this.#lookedAt + LOOK_EVERY_MS
    if (now > due + USUAL_MS) this.#stalls.push({ from: due, to: now })
    this.#lookedAt = now
  }
}
