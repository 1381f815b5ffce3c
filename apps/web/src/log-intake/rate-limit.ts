/** How many senders are told apart; further ones share an allowance. */
const MAX_SENDERS = 500
/** What a record counts as, besides one, for each so many characters of it. */
const CHARACTERS = 2_000

/** What a sender may still send. */
interface Allowance {
  left: number
  /** `performance.now()` when `left` was true. */
  at: number
  dropped: number
}

/**
 * Bounds what each sender of log records may write: so many a second, and more for a while when it has been quiet. Long
 * records count for several.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #burst: number
  readonly #senders = new Map<string, Allowance>()

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** Whether a record may be taken. One that may not is counted. @param now - ms, monotonic */
  admits(sender: string, characters: number, now: number): boolean {
    const allowance = this.#of(sender, now)
    this.#refill(allowance, now)
    const cost = 1 + characters / CHARACTERS
    if (allowance.left < cost) {
      allowance.dropped += 1
      return false
    }
    allowance.left -= cost
    return true
  }

  /** How many were not taken since the last call, by sender. Senders that have been quiet are forgotten. */
  takeDropped(now: number): { sender: string; dropped: number }[] {
    const found: { sender: string; dropped: number }[] = []
    for (const [sender, allowance] of this.#senders) {
      if (allowance.dropped > 0) found.push({ sender, dropped: allowance.dropped })
      allowance.dropped = 0
      this.#refill(allowance, now)
      if (allowance.left >= this.#burst) this.#senders.delete(sender)
    }
    return found
  }

  #of(sender: string, now: number): Allowance {
    const name = this.#senders.has(sender) || this.#senders.size < MAX_SENDERS ? sender : 'many others'
    const known = this.#senders.get(name)
    if (known) return known
    const fresh = { left: this.#burst, at: now, dropped: 0 }
    this.#senders.set(name, fresh)
    return fresh
  }

  #refill(allowance: Allowance, now: number): void {
    allowance.left = Math.min(this.#burst, allowance.left + ((now - allowance.at) / 1000) * this.#perSecond)
    allowance.at = now
  }
}
