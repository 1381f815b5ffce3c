import type { Now, Subject, Watched } from '@golem/alarms'
import type { SiteView } from '@golem/queue'

/**
 * How old readings are. Their age counts from when this process heard of them, on its steady clock: a step of the clock
 * on the wall makes no value old.
 */
export class Readings {
  readonly #view: SiteView
  /** By `instrument.parameter`: the time it says it was read, and when that was heard, steady ms. */
  readonly #heard = new Map<string, { at: string; ms: number }>()

  /** Of what was never read: since when it is looked for, steady ms. */
  readonly #unread = new Map<string, number>()

  constructor(view: SiteView) {
    this.#view = view
  }

  watched(instrument: string, parameter: string, now: Now): Watched {
    const snapshot = this.#view.snapshots.get(instrument)
    const reading = snapshot?.readings[parameter]
    const key = `${instrument}.${parameter}`
    if (!snapshot || !reading || reading.at === null) {
      const since = this.#unread.get(key) ?? now.ms
      this.#unread.set(key, since)
      const error = reading?.error
      return { value: null, ageMs: now.ms - since, good: false, ...(error === undefined ? {} : { error }) }
    }
    let heard = this.#heard.get(key)
    if (heard?.at !== reading.at) {
      // The first one may be old already: nothing but its own word says how old.
      const ageMs = heard ? 0 : Math.max(0, now.utc - Date.parse(reading.at))
      heard = { at: reading.at, ms: now.ms - ageMs }
      this.#heard.set(key, heard)
    }
    const ageMs = Math.max(0, now.ms - heard.ms)
    const staleAfterMs = snapshot.staleAfterMsOf?.[parameter] ?? snapshot.staleAfterMs
    return {
      value: reading.value,
      ageMs,
      good: reading.quality === 'good' && ageMs <= staleAfterMs,
      ...(reading.error === undefined ? {} : { error: reading.error }),
    }
  }

  /** How sentences call a parameter. */
  subject(instrument: string, parameter: string): Subject {
    const description = this.#view.descriptions.get(instrument)
    const { label, unit } = description?.parameters[parameter] ?? {}
    const words = `${description?.label ?? instrument}: ${label ?? parameter}`
    return unit === undefined ? { label: words } : { label: words, unit }
  }
}
