import type { Reading, SampledReading, SampleEntry, Snapshot } from '@golem/core'
import type { NumberedSample } from '@golem/queue'
import { randomBytes } from 'node:crypto'

/** How many entries are kept while Redis is away, in which time nothing new is derived either. */
const MOST = 100

/** What is new of derived readings, on its way to the archive. */
export class DerivedSamples {
  readonly #life = randomBytes(6).toString('base64url')
  readonly #told = new Map<string, string>()
  #waiting: NumberedSample[] = []
  #n = 0

  /** Those that are to be written; the same ones again until `written` says that they are. */
  get waiting(): readonly NumberedSample[] {
    return this.#waiting
  }

  /** @param nowMs - site clock */
  take({ id: instrument, condition, message, staleAfterMs, readings: all }: Snapshot, nowMs: number): void {
    const readings: Record<string, SampledReading> = {}
    for (const [name, reading] of Object.entries(all)) {
      const mark = `${reading.at} ${reading.quality}`
      const key = `${instrument}.${name}`
      if (this.#told.get(key) === mark) continue
      this.#told.set(key, mark)
      readings[name] = sampled(reading, message, nowMs)
    }
    if (Object.keys(readings).length === 0) return
    const entry: SampleEntry = { instrument, condition, message, staleAfterMs, readings }
    this.#n += 1
    this.#waiting = [...this.#waiting, { life: this.#life, n: this.#n, entry }].slice(-MOST)
  }

  /** These are in Redis. */
  written(samples: readonly NumberedSample[]): void {
    const last = samples.at(-1)?.n ?? 0
    this.#waiting = this.#waiting.filter(({ n }) => n > last)
  }
}

function sampled({ value, at, quality, error }: Reading, message: string, nowMs: number): SampledReading {
  if (quality === 'good' && at !== null && typeof value === 'number') return [Date.parse(at), value]
  return [nowMs, null, quality === 'bad' ? 'bad' : 'stale', error ?? message]
}
