import { formatDuration } from '@golem/config'
import { isoTime } from '@golem/core'
import { execFile } from 'node:child_process'

/** A clock that shows a time before this was never set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)
/** By how much the site's clock may differ from what the monotonic one makes of it before that is a jump, in ms. */
const JUMP_MS = 2_000
/** For so long a clock has to go on evenly after a jump, in ms: who sets it may not be done yet. */
const SETTLE_MS = 10_000
/** How far the site's clock may be from that of this machine, where this one is known to be right, in ms. */
const APART_MS = 10_000
/** How often the system is asked whether its clock is synchronised, in ms. */
const ASK_EVERY_MS = 60_000
const ASK_WITHIN_MS = 5_000

export interface ClockSources {
  /** The site's clock: that of the Redis server. */
  site: () => number
  /** This machine's clock. */
  own: () => number
  /** The monotonic clock of this process. */
  monotonic: () => number
  /** Is this machine's clock synchronised? null: nobody says. */
  synchronised: () => Promise<boolean | null>
}

/** What a look at the clocks has found. */
export interface ClockLook {
  /** Why the site's clock is not trusted, as a sentence; null: it is. */
  fault: string | null
  /** By how much it was set since the look before, in ms; 0: it was not. */
  jumpMs: number
  /** false: the system has not said yet whether its clock is synchronised. */
  isKnown: boolean
}

/** Judges whether the site's clock may be trusted. */
export class ClockTrust {
  readonly #sources: ClockSources
  readonly #policy: 'synchronised' | 'any'
  #offset: number | undefined
  #settled = -Infinity
  #jump = ''
  /** undefined: nobody has answered yet. */
  #synchronised: boolean | null | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param policy - `any`: whether the machine's clock is synchronised does not matter */
  constructor(policy: 'synchronised' | 'any', sources: ClockSources) {
    this.#policy = policy
    this.#sources = sources
  }

  /** Asks the system for the first time, and from then on now and then. */
  begin(): void {
    if (this.#policy === 'any') return
    void this.#ask()
    this.#timer = setInterval(() => void this.#ask(), ASK_EVERY_MS)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  look(): ClockLook {
    const { site, own, monotonic } = this.#sources
    const now = site()
    const steady = monotonic()
    const offset = now - steady
    const jumpMs = this.#offset === undefined ? 0 : offset - this.#offset
    const isJump = Math.abs(jumpMs) > JUMP_MS
    this.#offset = offset
    if (isJump) {
      const by = formatDuration(Math.round(Math.abs(jumpMs) / 1000) * 1000)
      this.#jump = `The clock was set ${jumpMs > 0 ? 'forward' : 'back'} by ${by}.`
      this.#settled = steady + SETTLE_MS
    }
    return {
      fault: this.#faultOf(now, own(), steady),
      jumpMs: isJump ? jumpMs : 0,
      isKnown: this.#policy === 'any' || this.#synchronised !== undefined,
    }
  }

  #faultOf(now: number, own: number, steady: number): string | null {
    if (now < EARLIEST_MS) return `The clock shows ${isoTime(now)}: it was never set.`
    if (steady < this.#settled)
      return `${this.#jump} It is trusted again when it has gone on evenly for a while.`
    if (this.#policy === 'any') return null
    if (this.#synchronised === undefined) return 'It is not known yet whether the clock is synchronised.'
    if (this.#synchronised === false) {
      return 'The clock of this machine is not synchronised (see "timedatectl"). Where it can not be, write "clock: any" into the site file.'
    }
    if (this.#synchronised === true && Math.abs(now - own) > APART_MS) {
      return `The clock of the machine with Redis is ${formatDuration(Math.round(Math.abs(now - own) / 1000) * 1000)} away from that of this one, which is synchronised.`
    }
    return null
  }

  async #ask(): Promise<void> {
    this.#synchronised = await this.#sources.synchronised()
  }
}

/** Asks systemd. @returns null where nobody keeps the clock, or it can't be asked */
export function systemClockSynchronised(): Promise<boolean | null> {
  return new Promise((resolve) => {
    execFile(
      'timedatectl',
      ['show', '--property=NTP', '--property=NTPSynchronized'],
      { timeout: ASK_WITHIN_MS },
      (error, stdout) => {
        if (error) resolve(null)
        else if (stdout.includes('NTPSynchronized=yes')) resolve(true)
        else resolve(stdout.includes('NTP=yes') ? false : null)
      },
    )
  })
}
