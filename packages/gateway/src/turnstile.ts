import { setImmediate as nextRound } from 'node:timers/promises'

/**
 * Lets the clients of all ports of one link through one at a time, in the order they came. Between two of them
 * whatever golem has waiting on the link gets its turn, its polls too: clients that ask without a pause would keep
 * those waiting for ever, for on the link commands go before polls.
 */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when it is its turn. */
  pass<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.then(
      () => nextRound(),
      () => nextRound(),
    )
    return result
  }

  /** Settles when those who have come so far are through. */
  get empty(): Promise<unknown> {
    return this.#last
  }
}
