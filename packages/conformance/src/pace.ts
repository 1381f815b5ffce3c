import { StallLog } from './stalls.ts'

/** How far back it looks, in ms. */
const LOOK_BACK_MS = 300
/** A process that did not run for so much of that has enough to do. */
const BUSY_MS = 100
/** Pause between looks, in ms. */
const PAUSE_MS = 30

/**
 * Says when one more check may begin: as long as this process gets to run. Checks that wait for each other's computing
 * time would measure the machine.
 */
export class Pace {
  readonly #stalls = new StallLog()
  #running = 0
  /** Those that want the process for themselves, one after the other. */
  #alone: Promise<void> = Promise.resolve()

  /** Runs a check when there is room for it. */
  async run<T>(check: () => Promise<T>): Promise<T> {
    // One look at least, so that what has just begun shows.
    do await pause(PAUSE_MS)
    while (this.#running > 0 && this.#isBusy())
    this.#running += 1
    try {
      return await check()
    } finally {
      this.#running -= 1
    }
  }

  /** Runs a check of which there is one at a time, beside those that run anyway. */
  async runAlone<T>(check: () => Promise<T>): Promise<T> {
    const before = this.#alone
    let done = (): void => undefined
    this.#alone = new Promise<void>((resolve) => {
      done = resolve
    })
    try {
      await before
      return await check()
    } finally {
      done()
    }
  }

  close(): void {
    this.#stalls.close()
  }

  #isBusy(): boolean {
    const now = performance.now()
    return LOOK_BACK_MS - this.#stalls.ranBetween(now - LOOK_BACK_MS, now) > BUSY_MS
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
