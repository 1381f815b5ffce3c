import type { Clock } from '@golem/core'
import type { Connection } from './connection.ts'

/**
 * The site's clock: the time of the Redis server, carried on by this process's monotonic clock.
 *
 * A Raspberry Pi without a battery boots with yesterday's time. Were readings and valid-until times judged by
 * each machine's own clock, a command could be carried out too late and a value look younger than it is. So all
 * processes of a site measure by one clock. While Redis is away the monotonic clock goes on by itself.
 */
export class SiteClock implements Clock {
  #offset: number
  #synchronised = false

  constructor() {
    this.#offset = Date.now() - performance.now()
  }

  now(): number {
    return Math.round(performance.now() + this.#offset)
  }

  /** Asks Redis for its time. @returns the round trip in ms */
  async synchronise(redis: Connection): Promise<number> {
    const sent = performance.now()
    const [seconds, microseconds] = await redis.time()
    const roundTrip = performance.now() - sent
    const server = Number(seconds) * 1000 + Number(microseconds) / 1000
    const offset = server + roundTrip / 2 - performance.now()
    const error = Math.abs(offset - this.#offset)
    // Within the uncertainty of this measurement the old offset is as good: time does not jump about.
    if (!this.#synchronised || error > roundTrip / 2 + 1) this.#offset = offset
    this.#synchronised = true
    return roundTrip
  }
}
