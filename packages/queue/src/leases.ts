import { GolemError } from '@golem/core'
import type { SiteClock } from './clock.ts'
import { type Connection, troubleOf } from './connection.ts'
import type { Keys } from './keys.ts'
import { runScript } from './scripts.ts'

interface HeldLease {
  fence: number
  /** Until when this process may send, by its monotonic clock (performance.now()). */
  until: number
}

/** Part of the lease time that is given away for safety: the clocks of Redis and this machine run apart. */
const MARGIN = 0.1

/**
 * The links this worker process owns, each by a lease in Redis that it renews.
 *
 * What counts before a byte goes out is this process's own monotonic clock: when renewing has not been confirmed
 * in time, whether because Redis is away or because this process was frozen, the lease is over here before it is
 * over in Redis, and `guard` throws.
 */
export class LeaseKeeper {
  readonly #keys: Keys
  readonly #redis: Connection
  readonly #worker: string
  readonly #leaseMs: number
  readonly #held = new Map<string, HeldLease>()
  readonly #onLost: (link: string, why: string) => void

  /**
   * @param redis - fast; its own connection, so that renewing never waits behind something else
   * @param onLost - told once when a lease that was held is no longer
   */
  constructor(options: {
    keys: Keys
    redis: Connection
    worker: string
    leaseMs: number
    onLost: (link: string, why: string) => void
  }) {
    this.#keys = options.keys
    this.#redis = options.redis
    this.#worker = options.worker
    this.#leaseMs = options.leaseMs
    this.#onLost = options.onLost
  }

  get links(): string[] {
    return [...this.#held.keys()]
  }

  /** May this process send on the link, right now? */
  holds(link: string): boolean {
    const lease = this.#held.get(link)
    return lease !== undefined && performance.now() < lease.until
  }

  /** How long this process may still send on the link if it can't renew, in ms; 0: it may not. */
  leftMs(link: string): number {
    return Math.max(0, (this.#held.get(link)?.until ?? 0) - performance.now())
  }

  /** For how long the lease of a link has not been confirmed, in ms; Infinity: it is not held. */
  silentMs(link: string): number {
    const lease = this.#held.get(link)
    return lease ? performance.now() - (lease.until - this.#leaseMs * (1 - MARGIN)) : Infinity
  }

  /** @throws LEASE_LOST when this process may not send on the link */
  guard(link: string): void {
    if (!this.holds(link)) {
      throw new GolemError('LEASE_LOST', `This worker no longer owns ${link}; nothing was sent.`)
    }
  }

  fence(link: string): number {
    return this.#held.get(link)?.fence ?? 0
  }

  /**
   * Tries to take a link.
   *
   * @param knownFence - the highest fencing number this machine's journal has seen for the link
   * @returns the lease's fencing number, or undefined when somebody else owns the link
   */
  async acquire(link: string, knownFence: number): Promise<number | undefined> {
    const sent = performance.now()
    const [taken, detail] = (await runScript(
      this.#redis,
      'golemAcquire',
      this.#keys.root,
      link,
      this.#worker,
      this.#leaseMs,
      knownFence,
    )) as [number, string]
    if (taken !== 1) return undefined
    const fence = Number(detail)
    this.#held.set(link, { fence, until: sent + this.#leaseMs * (1 - MARGIN) })
    return fence
  }

  /** Renews all leases; those that are over are dropped and reported. Call it several times per lease time. */
  async renew(): Promise<void> {
    const links = this.links
    if (links.length === 0) return
    const sent = performance.now()
    const pairs = links.flatMap((link) => [link, `${this.#worker} ${this.fence(link)}`])
    let kept: number[]
    try {
      kept = (await runScript(
        this.#redis,
        'golemRenew',
        this.#keys.root,
        this.#leaseMs,
        ...pairs,
      )) as number[]
    } catch (error) {
      this.dropOverdue(`Redis: ${troubleOf(error)}`)
      throw error
    }
    links.forEach((link, n) => {
      const lease = this.#held.get(link)
      if (!lease) return
      if (kept[n] === 1 && performance.now() < lease.until) {
        lease.until = sent + this.#leaseMs * (1 - MARGIN)
      } else {
        this.#drop(link, 'its lease was over before it could be renewed')
      }
    })
  }

  /** Drops the leases whose time is over. */
  dropOverdue(why: string): void {
    for (const link of this.links) {
      if (!this.holds(link)) this.#drop(link, `its lease could not be renewed in time (${why})`)
    }
  }

  /** Gives a link back, so that another worker may take it at once. */
  async release(link: string): Promise<void> {
    const lease = this.#held.get(link)
    if (!lease) return
    this.#held.delete(link)
    await runScript(
      this.#redis,
      'golemYield',
      this.#keys.root,
      link,
      `${this.#worker} ${lease.fence}`,
      JSON.stringify({ type: 'released', link }),
    )
  }

  #drop(link: string, why: string): void {
    this.#held.delete(link)
    this.#onLost(link, why)
  }
}

/** The present life of the Redis server. */
export interface RedisLife {
  /** At the latest, ms since 1970 by the site's clock; what was written before may have been lost. */
  startedBefore: number
}

/** Asks Redis how long it has been up. */
export async function readRedisLife(redis: Connection, clock: SiteClock): Promise<RedisLife> {
  const info = await redis.info('server')
  const upSeconds = Number(/^uptime_in_seconds:(\d+)/m.exec(info)?.[1] ?? 0)
  return { startedBefore: clock.now() - upSeconds * 1000 }
}
