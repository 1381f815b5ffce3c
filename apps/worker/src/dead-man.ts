import type { Value } from '@golem/core'

/** So soon after a write a reading that contradicts it is not believed, in ms: some boards answer first and act then. */
const SETTLE_MS = 1_000
/** Share of the time after which it is not re-armed any more: it might have gone off, and would be switched on again. */
const TOO_LATE = 0.9

export interface DeadManOptions {
  /** The time after which the instrument switches it off by itself, in ms. */
  rearmMs: number
  /** Whether readings show how it stands. */
  readable: boolean
  isOff: (value: Value) => boolean
  matches: (wanted: Value, got: Value) => boolean
  /** What the owner before kept it at. */
  kept: Value | undefined
}

/**
 * What is known of an output that its instrument switches off by itself, unless it is written again and again: without
 * I/O. It is kept on only as long as it has been on without a break: one that has gone off, by itself or by somebody, is
 * never switched on again by re-arming. Times by the machine's monotonic clock, in ms.
 */
export class DeadMan {
  readonly #options: DeadManOptions
  #wanted: Value | undefined
  /** When it was last switched on for its time, at the earliest; null: not known. */
  #armedAt: number | null = null
  /** A reading has shown it on since that is not known. */
  #isSeenOn = false
  #sentAt = -Infinity
  #isSending = false
  #before: Pick<DeadMan, 'kept'> & { armedAt: number | null } = { kept: undefined, armedAt: null }

  constructor(options: DeadManOptions) {
    this.#options = options
    this.#wanted = options.kept
  }

  /** The value that it is to stay at; undefined: it is off, or golem has not switched it on. */
  get kept(): Value | undefined {
    return this.#wanted
  }

  /** Goes on with what another owner kept it at: as soon as a reading shows that it still is. */
  inherit(kept: Value | undefined): void {
    this.#set(kept, null)
  }

  /** A command is about to be sent. */
  writing(value: Value, now: number): void {
    this.#before = { kept: this.#wanted, armedAt: this.#armedAt }
    this.#sentAt = now
    this.#isSending = true
    // Whether it comes to be is seen when it is acknowledged, or read.
    this.#set(this.#options.isOff(value) ? undefined : value, null)
  }

  /** The instrument has acknowledged a write. */
  wrote(value: Value, now: number): void {
    const at = this.#isSending ? this.#sentAt : now
    this.#isSending = false
    this.#sentAt = at
    if (this.#options.isOff(value)) this.#set(undefined, null)
    else this.#set(value, at)
  }

  /** The instrument has said no to the last write: it is as it was. */
  refused(): void {
    this.#isSending = false
    this.#set(this.#before.kept, this.#before.armedAt)
  }

  /** It has been read. @param began - when that began @returns what is to be told, as a sentence */
  read(value: Value, began: number): string | undefined {
    if (this.#wanted === undefined || began < this.#sentAt) return undefined
    if (!this.#options.isOff(value)) {
      // What it is set to counts, not what the instrument makes of its last digit.
      if (!this.#options.matches(this.#wanted, value)) this.#wanted = value
      if (this.#armedAt === null) this.#isSeenOn = true
      return undefined
    }
    if (began < this.#sentAt + SETTLE_MS) return undefined
    this.#set(undefined, null)
    return 'is off, and golem has not switched it off: it is not kept on any more'
  }

  /** Is it to be re-armed now? @returns the value to be written for another time; undefined: no */
  due(now: number): Value | undefined {
    const halfMs = this.#options.rearmMs / 2
    return this.mayArm(now) && (this.#armedAt === null || now - this.#armedAt >= halfMs)
      ? this.#wanted
      : undefined
  }

  /** Is it certain that it is on, so that re-arming it can't switch it on? */
  mayArm(now: number): boolean {
    if (this.#wanted === undefined) return false
    return this.#armedAt === null ? this.#isSeenOn : now - this.#armedAt < TOO_LATE * this.#options.rearmMs
  }

  /** It has been switched on for its time anew. @param at - when that was sent */
  armed(at: number): void {
    this.#armedAt = at
    this.#isSeenOn = false
  }

  /** Time has passed. @returns what is to be told, as a sentence */
  tick(now: number): string | undefined {
    if (this.#wanted === undefined || this.#armedAt === null) return undefined
    if (now - this.#armedAt < this.#options.rearmMs) return undefined
    // A reading may show that the last try has reached it after all.
    this.#set(this.#options.readable ? this.#wanted : undefined, null)
    return 'could not be re-armed in time: its instrument switches it off'
  }

  #set(wanted: Value | undefined, armedAt: number | null): void {
    this.#wanted = wanted
    this.#armedAt = armedAt
    this.#isSeenOn = false
  }
}
