import type { Instrument } from './instrument.ts'

/** The loop comes round at least this often, in ms, to show that it is alive. */
const MAX_SLEEP_MS = 5_000

/**
 * Reads the instruments of one link, each when it is due, for as long as the link is owned. The next poll of an
 * instrument starts after its last one has ended; commands go before polls (the link sees to that).
 */
export class PollLoop {
  readonly #instruments: readonly Instrument[]
  readonly #afterPoll: (instrument: Instrument) => void
  #stopped = false
  #wakeUp: () => void = () => undefined
  #running: Promise<void> | undefined
  /** When the loop last came round, by the monotonic clock: the watchdog looks at it. */
  aliveAt = performance.now()

  /** @param afterPoll - called after each poll of an instrument, good or not */
  constructor(instruments: readonly Instrument[], afterPoll: (instrument: Instrument) => void) {
    this.#instruments = instruments
    this.#afterPoll = afterPoll
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Looks again at what is due. */
  wake(): void {
    this.#wakeUp()
  }

  /** Ends after the poll that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wakeUp()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.aliveAt = performance.now()
      const next = this.#instruments.reduce<Instrument | undefined>(
        (first, one) => (first && first.nextPollAt <= one.nextPollAt ? first : one),
        undefined,
      )
      if (!next) return
      const wait = next.nextPollAt - performance.now()
      if (wait > 0) {
        await this.#sleep(Math.min(wait, MAX_SLEEP_MS))
        continue
      }
      const dueAt = next.nextPollAt
      // A wake-up during the poll asks for another one right after it.
      next.nextPollAt = Infinity
      const then = await next.poll(dueAt)
      next.nextPollAt = Math.min(next.nextPollAt, then)
      this.#afterPoll(next)
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
