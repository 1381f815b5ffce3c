import {
  type CommandTarget,
  type InterlockCondition,
  type InterlockRule,
  type InterlockTrip,
  type InterlockView,
  type Reading,
  type Value,
} from '@golem/core'
import { type Found, InterlockWatch } from './interlock-watch.ts'

/** What an interlock has to know of an instrument to judge what is asked of it. */
export interface Judged {
  id: string
  /** Does what was wanted agree with what it is compared with? */
  matches: (parameter: string, wanted: Value, other: Value) => boolean
  /** The safe value of a parameter. */
  safe: (parameter: string) => Value | undefined
}

/** What became of looking: nothing, it tripped, or a trip that waits for nobody is over. */
export type Turn = 'none' | 'tripped' | 'over'

/** One interlock in one worker, without I/O: what it has found, whether it has tripped, what it lets through. */
export class Interlock {
  readonly rule: InterlockRule
  readonly #watch: InterlockWatch
  #found: Found = 'waiting'
  #message = ''
  #tripped: InterlockTrip | null = null
  #condition: InterlockCondition = 'waiting'
  #since: string

  /** @param now - monotonic, in ms; @param at - the same by the site's clock, ISO 8601 UTC */
  constructor(rule: InterlockRule, now: number, graceMs: number, at: string) {
    this.rule = rule
    this.#watch = new InterlockWatch(rule, now, graceMs)
    this.#since = at
    this.#take(now, at, () => false)
  }

  get tripped(): InterlockTrip | null {
    return this.#tripped
  }

  get condition(): InterlockCondition {
    return this.#condition
  }

  /** What is so, as a sentence with what to do. */
  get message(): string {
    const { guidance } = this.rule
    const past = this.#condition === 'latched' ? ` It tripped because ${this.#tripped?.message ?? ''}.` : ''
    const reset = this.#condition === 'latched' ? ' A person has to reset it.' : ''
    return `${this.#message}.${past}${reset}${guidance === undefined ? '' : ` ${guidance}`}`
  }

  hear(instrument: string, parameter: string, reading: Reading, knownAt: number, now: number): void {
    this.#watch.hear(instrument, parameter, reading, knownAt, now)
  }

  /**
   * Looks at what is known now.
   *
   * @param isBlind - of which instruments nothing will be heard in time
   * @param trip - makes the record of a trip
   */
  look(
    now: number,
    at: string,
    isBlind: (instrument: string) => boolean,
    trip: (message: string) => InterlockTrip,
  ): Turn {
    this.#take(now, at, isBlind)
    const { rule } = this
    const isCause =
      this.#found === 'holds' || (this.#found === 'unknown' && rule.stale === 'trip' && rule.trip.length > 0)
    let turn: Turn = 'none'
    if (isCause && rule.trip.length > 0 && this.#tripped === null) {
      this.#tripped = trip(this.#message)
      turn = 'tripped'
    } else if (!isCause && this.#tripped !== null && !rule.latch) {
      this.#tripped = null
      turn = 'over'
    }
    this.#settle(at)
    return turn
  }

  /** Takes over a trip that was noticed elsewhere, or before. */
  join(trip: InterlockTrip, at: string): void {
    this.#tripped = trip
    this.#settle(at)
  }

  /** A person has reset it; while its cause is still there it trips anew. */
  reset(at: string): void {
    this.#tripped = null
    this.#settle(at)
  }

  /** Values at which outputs of an instrument are held now. */
  held(instrument: string): readonly (readonly [name: string, value: Value])[] {
    if (this.#tripped === null) return []
    return this.rule.trip
      .filter((one) => one.instrument === instrument)
      .map(({ name, value }) => [name, value] as const)
  }

  /** Does it concern outputs or actions of this instrument? */
  concerns(instrument: string): boolean {
    return [...this.rule.trip, ...this.rule.refuse].some((one) => one.instrument === instrument)
  }

  /** May this be carried out? @returns false: it keeps it from being sent */
  allows(target: CommandTarget, judged: Judged): boolean {
    if (!this.#acts || !this.concerns(judged.id)) return true
    if ('parameter' in target) return this.#allowsWrite(target.parameter, target.value, judged)
    const isNamed = (list: InterlockRule['refuse']): boolean =>
      list.some((one) => one.instrument === judged.id && one.name === target.action)
    if (isNamed(this.rule.refuse)) return false
    // Nobody can tell what an action does to the outputs of its instrument.
    if (!isNamed(this.rule.allow)) return false
    return Object.entries(target.arguments).every(([name, value]) => this.#allowsWrite(name, value, judged))
  }

  view(instrument: string): InterlockView {
    const refused = this.#acts
      ? this.rule.refuse.filter((one) => one.instrument === instrument).map(({ name }) => name)
      : []
    return {
      name: this.rule.name,
      condition: this.#condition,
      since: this.#since,
      message: this.message,
      refused,
      held: Object.fromEntries(this.held(instrument)),
    }
  }

  get #acts(): boolean {
    return this.#tripped !== null || this.#found !== 'clear'
  }

  #allowsWrite(name: string, value: Value, { id, matches, safe }: Judged): boolean {
    const held = this.rule.trip.find((one) => one.instrument === id && one.name === name)
    if (held) return matches(name, held.value, value)
    const named = this.rule.refuse.filter((one) => one.instrument === id && one.name === name)
    return named.every((one) => {
      if (one.value !== undefined) return !matches(name, one.value, value)
      const rest = safe(name)
      return rest !== undefined && matches(name, rest, value)
    })
  }

  #take(now: number, at: string, isBlind: (instrument: string) => boolean): void {
    const { found, message } = this.#watch.look(now, isBlind)
    const isIgnored = this.rule.stale === 'ignore' && (found === 'unknown' || found === 'waiting')
    this.#found = isIgnored ? 'clear' : found
    this.#message = message
    this.#settle(at)
  }

  #settle(at: string): void {
    const isOver = this.#found === 'clear' || this.#found === 'waiting'
    const condition = this.#tripped !== null && isOver ? 'latched' : this.#found
    if (condition === this.#condition) return
    this.#condition = condition
    this.#since = at
  }
}
