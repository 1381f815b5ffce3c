import type { InstrumentConfig } from '@golem/config'
import type { Condition, Reading, SampledReading, SampleEntry } from '@golem/core'
import type { NumberedSample } from '@golem/queue'
import { randomBytes } from 'node:crypto'

/** How many entries are kept while Redis is away: some minutes of a busy worker. */
const MOST = 20_000
/** How many of them go out in one step: a script holds up everybody else. */
const PIECE = 500

/** What an instrument says of itself when something of it was read. */
export interface Sampled {
  condition: Condition
  message: string
  staleAfterMs: number
  staleAfterMsOf: Readonly<Record<string, number>>
  readings: Readonly<Record<string, Reading>>
}

/** What was told of a reading last. */
type Told = Pick<Reading, 'at' | 'quality' | 'value'>

/**
 * Gathers every reading of this worker on its way to the archive. Of snapshots the newest counts; here nothing is left
 * out while it fits: what did not is told with the entry that follows.
 */
export class Sampler {
  /** How many entries may wait in Redis. */
  readonly streamMax: number
  readonly #now: () => number
  readonly #life = randomBytes(6).toString('base64url')
  readonly #most: number
  readonly #left: ReadonlyMap<string, ReadonlySet<string>>
  readonly #told = new Map<string, { condition: Condition; readings: Map<string, Told> }>()
  #waiting: NumberedSample[] = []
  /** How many of those that wait are on their way. */
  #sending = 0
  #n = 0

  /**
   * @param now - site clock, ms since 1970
   * @param most - how many entries are kept while Redis is away
   */
  constructor(
    streamMax: number,
    instruments: readonly InstrumentConfig[],
    now: () => number,
    most: number = MOST,
  ) {
    this.streamMax = streamMax
    this.#now = now
    this.#most = most
    this.#left = new Map(
      instruments.map(({ id, parameters }) => [
        id,
        new Set(Object.keys(parameters).filter((name) => parameters[name]?.archive === false)),
      ]),
    )
  }

  /** Takes what is new of an instrument's readings. */
  take(instrument: string, { readings: found, condition, ...rest }: Sampled): void {
    const told = this.#toldOf(instrument)
    const silent = condition !== told.condition && (condition === 'lost' || condition === 'stopped')
    const readings: Record<string, SampledReading> = {}
    let any = false
    for (const [name, reading] of Object.entries(found)) {
      const before = told.readings.get(name)
      // An instrument that talks by itself may say several things within a millisecond.
      const isNew =
        before?.at !== reading.at || before.quality !== reading.quality || before.value !== reading.value
      if (!isNew && !(silent && reading.quality !== 'good')) continue
      if (typeof reading.value === 'object' && reading.value !== null) continue
      if (this.#left.get(instrument)?.has(name)) continue
      told.readings.set(name, { at: reading.at, quality: reading.quality, value: reading.value })
      // What was never read is stale from the beginning: that alone is no news.
      if (!before && reading.quality === 'stale' && !silent) continue
      readings[name] = this.#sampled(reading, rest.message)
      any = true
    }
    told.condition = condition
    if (any) this.#add({ instrument, condition, ...rest, readings })
  }

  /** The next entries to be written, oldest first; the same ones until `written` says what became of them. */
  next(): readonly NumberedSample[] {
    this.#sending = Math.min(this.#waiting.length, PIECE)
    return this.#waiting.slice(0, this.#sending)
  }

  /** Those that `next` gave are in Redis. */
  written(): void {
    this.#waiting = this.#waiting.slice(this.#sending)
    this.#sending = 0
  }

  get waiting(): number {
    return this.#waiting.length
  }

  #sampled({ value, at, quality, error }: Reading, message: string): SampledReading {
    if (quality === 'good' && at !== null && value !== null) return [Date.parse(at), value]
    return [this.#now(), null, quality === 'bad' ? 'bad' : 'stale', error ?? message]
  }

  #toldOf(instrument: string): { condition: Condition; readings: Map<string, Told> } {
    let told = this.#told.get(instrument)
    if (!told) this.#told.set(instrument, (told = { condition: 'connecting', readings: new Map() }))
    return told
  }

  #add(entry: SampleEntry): void {
    // The oldest give way, but never those that are on their way: they may have arrived.
    if (this.#waiting.length - this.#sending >= this.#most) {
      const [gone] = this.#waiting.splice(this.#sending, 1)
      const next = this.#waiting[this.#sending]
      if (gone && next) next.entry.lost = (next.entry.lost ?? 0) + 1 + (gone.entry.lost ?? 0)
    }
    this.#n += 1
    this.#waiting.push({ life: this.#life, n: this.#n, entry })
  }
}
