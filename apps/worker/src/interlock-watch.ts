import {
  type InterlockCondition,
  type InterlockRule,
  type Reading,
  type Value,
  type WatchedReading,
  valueInWords,
} from '@golem/core'

/** What is found of all that an interlock watches. Whether a trip waits for a person is not its matter. */
export type Found = Exclude<InterlockCondition, 'latched'>

/** From what lets everything through to what lets nothing. */
const ORDER: readonly Found[] = ['clear', 'waiting', 'unknown', 'holds']

export interface Verdict {
  found: Found
  /** Why, as a sentence; of `clear`: that all is well. */
  message: string
}

/**
 * Looks at the readings of one interlock, without I/O. All times are of one monotonic clock, in ms. What is not known is
 * never taken for good: a reading that is bad, too old, or has not been heard of.
 */
export class InterlockWatch {
  readonly #all: boolean
  readonly #watched: readonly Watched[]

  /**
   * @param now - when it begins; what is not heard of by then is waited for
   * @param graceMs - for so long, at least; then it counts as not known
   */
  constructor(rule: Pick<InterlockRule, 'watch'>, now: number, graceMs: number) {
    this.#all = rule.watch.all
    this.#watched = rule.watch.readings.map((one) => new Watched(one, now, graceMs))
  }

  /** @param knownAt - when the value was so: when it was heard of, less the age it had then */
  hear(instrument: string, parameter: string, reading: Reading, knownAt: number, now: number): void {
    for (const one of this.#watched) {
      if (one.rule.instrument === instrument && one.rule.parameter === parameter)
        one.hear(reading, knownAt, now)
    }
  }

  /** @param isBlind - of which instruments nothing will be heard in time: their readings are not known */
  look(now: number, isBlind: (instrument: string) => boolean = () => false): Verdict {
    const all = this.#watched.map((one) => one.look(now, isBlind(one.rule.instrument)))
    const choose = this.#all ? Math.min : Math.max
    const found = ORDER[choose(...all.map((one) => ORDER.indexOf(one.found)))] ?? 'clear'
    const message = all
      .filter((one) => one.found === found)
      .map((one) => one.message)
      .join('; ')
    return { found, message }
  }
}

/** One reading with its limit. */
class Watched {
  readonly rule: WatchedReading
  readonly #waitUntil: number
  #reading: Reading | undefined
  #knownAt = -Infinity
  /** It has been known since this watch began. */
  #isKnown = false
  /** The limit was passed the last time: it is over beyond the hysteresis only. */
  #isBeyond = false
  /** Since when it has been so or not known, without a break. */
  #since: number | undefined

  constructor(rule: WatchedReading, now: number, graceMs: number) {
    this.rule = rule
    this.#waitUntil = now + Math.max(rule.maxAgeMs + rule.forMs, graceMs)
  }

  hear(reading: Reading, knownAt: number, now: number): void {
    // The time between two readings counts as what the first one was.
    this.look(now, false)
    this.#reading = reading
    this.#knownAt = knownAt
    this.look(now, false)
  }

  look(now: number, isBlind: boolean): Verdict {
    const { instrument, parameter, forMs, maxAgeMs } = this.rule
    const name = `${instrument}.${parameter}`
    const unknown = isBlind ? 'Redis is away' : this.#whyUnknown(now)
    if (unknown === null) {
      this.#isKnown = true
      const value = this.#reading?.value ?? 0
      this.#isBeyond = isBeyond(this.rule, value, this.#isBeyond)
      if (!this.#isBeyond) {
        this.#since = undefined
        return { found: 'clear', message: `${name} is ${valueInWords(value)}` }
      }
      this.#since ??= now
      const message = `${name} is ${valueInWords(value)}, ${limitInWords(this.rule)}`
      return now - this.#since >= forMs
        ? { found: 'holds', message }
        : { found: 'clear', message: `${message}, but not for ${forMs / 1000} s yet` }
    }
    const message = `${name} is not known: ${unknown}`
    if (isBlind) return { found: 'unknown', message }
    if (!this.#isKnown && now < this.#waitUntil) return { found: 'waiting', message }
    // Too old it is since it became so, not since somebody looked.
    const tooOldSince = this.#reading?.quality === 'bad' ? now : Math.min(now, this.#knownAt + maxAgeMs)
    this.#since ??= tooOldSince
    return now - this.#since >= forMs
      ? { found: 'unknown', message }
      : { found: 'clear', message: `${message}, but not for ${forMs / 1000} s yet` }
  }

  /** null: it is known. */
  #whyUnknown(now: number): string | null {
    const reading = this.#reading
    if (!reading) return 'nothing has been heard of it'
    if (reading.quality === 'bad') return (reading.error ?? 'the instrument has no value').replace(/\.$/, '')
    if (reading.value === null) return 'it has never been read'
    const age = now - this.#knownAt
    if (age <= this.rule.maxAgeMs) return null
    return `it was read ${(age / 1000).toFixed(1)} s ago`
  }
}

function isBeyond(rule: WatchedReading, value: Value, before: boolean): boolean {
  switch (rule.is) {
    case 'equals':
      return value === rule.value
    case 'notEquals':
      return value !== rule.value
    default: {
      // What can't be compared is not plausible.
      if (typeof value !== 'number' || Number.isNaN(value)) return true
      const back = before ? rule.hysteresis : 0
      return rule.is === 'above' ? value > rule.limit - back : value < rule.limit + back
    }
  }
}

function limitInWords(rule: WatchedReading): string {
  switch (rule.is) {
    case 'above':
    case 'below':
      return `${rule.is} ${rule.limit}${rule.hysteresis > 0 ? ` (back by ${rule.hysteresis})` : ''}`
    case 'equals':
      return 'as it must not be'
    case 'notEquals':
      return `and not ${valueInWords(rule.value)}`
  }
}
