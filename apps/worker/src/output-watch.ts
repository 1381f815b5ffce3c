import { GolemError, type OutputRules, type Value } from '@golem/core'
import { DeadMan } from './dead-man.ts'
import { type CountMemory, OutputCounter } from './output-counter.ts'

/** So soon after a write a reading that contradicts it is not believed, in ms: some boards answer first and act then. */
const SETTLE_MS = 1_000

/** What is known of one output. Times by the machine's monotonic clock, in ms. */
export interface OutputMemory {
  /** Away from its safe value; null: nothing is known. */
  on: boolean | null
  /** Since when it has been known to be so. */
  since: number
  /** When it was last known to be otherwise: it may have changed right after that. */
  before: number
  /** When it was last seen so. */
  seen: number
  count?: CountMemory
  /** Of one with `rearm`: the value that it is kept at. */
  kept?: Value
}

export interface OutputOptions {
  /** Instrument and parameter, for messages. */
  name: string
  unit: string
  rules: OutputRules
  /** Its value when it is off; undefined: it has none, and only `slew` can be asked of it. */
  safe: Value | undefined
  matches: (wanted: Value, got: Value) => boolean
  memory: OutputMemory | undefined
  /** false: no reading ever shows how it stands. */
  readable: boolean
  /** The time, ISO 8601 UTC. */
  time: string
}

/** A time of the monotonic clock as people read it. */
export type InWords = (at: number) => string

/**
 * The rules of one output, without I/O: what may be written now, and when it has to be off. Where it is not known how
 * something stands, the worse is assumed: for `maxOn` that it went on right after it was last seen off, for `minOn` and
 * `minOff` that it changed just when it was first seen changed.
 */
export class OutputWatch {
  readonly rules: OutputRules
  readonly safe: Value | undefined
  readonly counter: OutputCounter | undefined
  readonly deadMan: DeadMan | undefined
  readonly #options: OutputOptions
  #memory: OutputMemory
  /** What was known before the last write; before one to off that no reading has confirmed yet. */
  #unwritten: OutputMemory | undefined
  #unconfirmed: OutputMemory | undefined
  /** When the last write went out. */
  #wroteAt = -Infinity
  /** Between which values it is, as far as is known. */
  #range: readonly [number, number] | undefined
  /** What `slew` allowed at a time, in its unit. */
  #allowance: { left: number; at: number }

  /** @param now - monotonic, in ms, as all times given to it */
  constructor(options: OutputOptions, now: number) {
    this.#options = options
    this.rules = options.rules
    this.safe = options.safe
    this.#memory = options.memory ?? { on: null, since: now, before: now, seen: now }
    const { count } = options.rules
    if (count) {
      const begin: CountMemory = { onMs: 0, cycles: 0, countedTo: now, since: options.time, told: 'ok' }
      this.counter = new OutputCounter(count, options.memory?.count ?? begin)
    }
    const { rearmMs } = options.rules
    if (rearmMs !== undefined) {
      const { readable, matches } = options
      const isOff = (value: Value): boolean => this.isOff(value)
      this.deadMan = new DeadMan({ rearmMs, readable, matches, isOff, kept: options.memory?.kept })
    }
    this.#allowance = { left: options.rules.slew?.step ?? 0, at: now }
  }

  get memory(): OutputMemory {
    const { on, since, before, seen } = this.#memory
    const count = this.counter?.memory ?? this.#memory.count
    const kept = this.deadMan?.kept
    return {
      on,
      since,
      before,
      seen,
      ...(count ? { count } : {}),
      ...(kept === undefined ? {} : { kept }),
    }
  }

  /** Takes over what somebody else has seen. */
  takeOver(memory: OutputMemory): void {
    this.#recall(memory)
    this.deadMan?.inherit(memory.kept)
  }

  /** When `maxOn` wants it off; Infinity: it is off, or may stay on. */
  get offBy(): number {
    const { on, before } = this.#memory
    return on === false ? Infinity : before + (this.rules.maxOnMs ?? Infinity)
  }

  /** Until when `minOn` or `minOff` keep it as it is; -Infinity: they don't. */
  get heldUntil(): number {
    const { on, since } = this.#memory
    // An output of which nothing is known may have been switched off just now; it may always be switched off.
    return since + ((on === true ? this.rules.minOnMs : this.rules.minOffMs) ?? -Infinity)
  }

  /** Is this its value when it is off? */
  isOff(value: Value): boolean {
    return this.safe !== undefined && this.#options.matches(this.safe, value)
  }

  /** @throws OUTPUT_RULE when this must not be written now */
  judge(value: Value, now: number, inWords: InWords): void {
    this.#judgeTimes(!this.isOff(value), now, inWords)
    this.#judgeSlew(value, now)
    this.#judgeCount(value)
  }

  /** Time has passed: of an output that is not read nothing else tells. @returns what is to be told, as a sentence */
  tick(now: number): string | undefined {
    if (!this.#options.readable && this.#memory.on) this.counter?.onUntil(now)
    return this.deadMan?.tick(now)
  }

  /** It is about to be written: from now on it may have happened. */
  writing(value: Value, now: number): void {
    this.#unwritten = this.memory
    this.deadMan?.writing(value, now)
    if (!this.isOff(value)) this.#unconfirmed = undefined
    if (!this.isOff(value) && this.#memory.on !== true) {
      // Before this nobody had switched it on, as far as was known: what was asked for counts from here.
      const before = this.#memory.on === null ? this.#memory.before : now
      this.#memory = { on: true, since: now, before, seen: now }
      this.counter?.switchedOn(now)
    }
    this.#wroteAt = now
    if (typeof value !== 'number') return
    if (this.#range) {
      const left = this.#left(now) - farthest(this.#range, value)
      this.#allowance = { left: Math.max(0, left), at: now }
    }
    const [low, high] = this.#range ?? [value, value]
    this.#range = [Math.min(low, value), Math.max(high, value)]
  }

  /** The instrument has acknowledged it. */
  wrote(value: Value, now: number): void {
    this.deadMan?.wrote(value, now)
    if (this.isOff(value) && this.#memory.on !== false) this.#unconfirmed = this.#memory
    if (this.#memory.on) this.counter?.onUntil(now)
    this.#become(!this.isOff(value), now, now)
    this.#wroteAt = now
    if (typeof value === 'number') this.#range = [value, value]
  }

  /** The instrument has said no to it: it is as it was. */
  refused(): void {
    if (this.#unwritten) this.#recall(this.#unwritten)
    this.deadMan?.refused()
  }

  /** It has been read. @param began - when that began @returns what is to be told, as a sentence */
  read(value: Value, began: number, now: number): string | undefined {
    this.#see(value, began, now)
    return this.deadMan?.read(value, began)
  }

  #recall(memory: OutputMemory): void {
    this.#memory = memory
    if (this.counter && memory.count) this.counter.memory = memory.count
  }

  #see(value: Value, began: number, now: number): void {
    if (began < this.#wroteAt) return
    const contradicts = this.#memory.on !== !this.isOff(value)
    if (this.safe !== undefined && !(contradicts && began < this.#wroteAt + SETTLE_MS)) {
      // What acknowledges and does nothing has never been off.
      if (!this.isOff(value) && this.#unconfirmed) this.#memory = this.#unconfirmed
      this.#unconfirmed = undefined
      this.#become(!this.isOff(value), began, now)
    }
    if (typeof value !== 'number' || began < this.#wroteAt + SETTLE_MS) return
    const [low, high] = this.#range ?? [NaN, NaN]
    // What it was set to counts, not what the instrument makes of its last digit.
    if (low !== high || !this.#options.matches(low, value)) this.#range = [value, value]
  }

  /** @param sure - since when it is certain that it is so; @param now - when that came to be known */
  #become(on: boolean, sure: number, now: number): void {
    const memory = this.#memory
    if (on && memory.on) this.counter?.onUntil(sure)
    else if (on && memory.on === null) this.counter?.foundOn(now)
    else if (on) this.counter?.switchedOn(now)
    if (memory.on === on) this.#memory = { ...memory, seen: Math.max(memory.seen, sure) }
    else if (memory.on === null)
      this.#memory = { on, since: now, before: on ? memory.before : sure, seen: sure }
    else this.#memory = { on, since: now, before: Math.max(memory.seen, memory.before), seen: sure }
  }

  #judgeTimes(on: boolean, now: number, inWords: InWords): void {
    const is = this.#memory.on
    const until = this.heldUntil
    if (is === on || (is === null && !on) || now >= until) return
    const held = on ? this.rules.minOffMs : this.rules.minOnMs
    const seconds = Math.ceil((until - now) / 1000)
    throw new GolemError(
      'OUTPUT_RULE',
      `${this.#options.name} has to stay ${on ? 'off' : 'on'} for at least ${(held ?? 0) / 1000} s: ` +
        `it may be switched ${on ? 'on' : 'off'} at ${inWords(until)}, in ${seconds} s.`,
      { field: '/value', details: { retryAt: inWords(until) } },
    )
  }

  #judgeCount(value: Value): void {
    const { counter } = this
    if (this.isOff(value) || this.#memory.on || counter?.rules.atLimit !== 'refuse') return
    if (counter.level !== 'limit') return
    throw new GolemError(
      'OUTPUT_RULE',
      `${this.#options.name} has used up what it may (${counter.inWords()}) and is not switched on. ` +
        'After its maintenance an admin resets the counter with the action resetCounters.',
      { field: '/value' },
    )
  }

  #judgeSlew(value: Value, now: number): void {
    const { slew } = this.rules
    if (!slew || typeof value !== 'number' || this.isOff(value)) return
    const { name } = this.#options
    const unit = this.#options.unit === '' ? '' : ` ${this.#options.unit}`
    const rule = `${slew.perSecond}${unit} a second, ${slew.step}${unit} at once`
    if (!this.#range) {
      throw new GolemError(
        'OUTPUT_RULE',
        `${name} may change by ${rule} at most, and it is not known where it is. Wait for a reading, or write its safe value.`,
        { field: '/value' },
      )
    }
    const left = this.#left(now)
    if (farthest(this.#range, value) <= left + 1e-9) return
    const [low, high] = this.#range
    throw new GolemError(
      'OUTPUT_RULE',
      `${name} may change by ${rule} at most: from ${low === high ? '' : `somewhere between ${shown(low)} and `}${shown(high)}${unit} ` +
        `it may now go to anything from ${shown(high - left)} to ${shown(low + left)}${unit}, not to ${shown(value)}.`,
      { field: '/value' },
    )
  }

  #left(now: number): number {
    const { perSecond = 0, step = 0 } = this.rules.slew ?? {}
    const { left, at } = this.#allowance
    return Math.min(step, left + (perSecond * Math.max(0, now - at)) / 1000)
  }
}

function farthest([low, high]: readonly [number, number], value: number): number {
  return Math.max(Math.abs(value - low), Math.abs(value - high))
}

function shown(value: number): string {
  return String(Number(value.toPrecision(6)))
}
