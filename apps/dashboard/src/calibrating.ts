import type { CalibrationMark, InstrumentDescription, MeasuredPoint, Value } from '@golem/core'
import { type Api, Problem, Unreachable } from './api.ts'
import type { CalibrationApi } from './calibration-api.ts'
import { readingOf } from './model.ts'
import * as store from './store.ts'
import { submitCommand } from './submit.ts'

/** How long an instrument is reserved at a time, in ms; each point reserves it anew. */
const RESERVE_MS = 30 * 60_000

/** One guided calibration: what is done at the instrument while its dialog is open. */
export class Calibrating {
  /** `INSTRUMENT.PARAMETER` that is calibrated. */
  readonly of: string
  readonly #api: Api
  readonly #calibrations: CalibrationApi
  readonly #instrument: InstrumentDescription
  readonly #mark: CalibrationMark
  readonly #before = new Map<string, Value>()
  #isReserved = false
  #hasEnded = false

  constructor(
    api: Api,
    calibrations: CalibrationApi,
    instrument: InstrumentDescription,
    parameter: string,
    mark: CalibrationMark,
  ) {
    this.#api = api
    this.#calibrations = calibrations
    this.#instrument = instrument
    this.#mark = mark
    this.of = `${instrument.id}.${parameter}`
  }

  /** Inputs that can be set are swept; of others what is read is taken. */
  get isSwept(): boolean {
    return this.#mark.from.every((name) => this.#instrument.parameters[name]?.writable)
  }

  /** What is read of its inputs now; null: not all of them are good. */
  get inputsNow(): number[] | null {
    const state = store.site.value?.instruments.get(this.#instrument.id)
    const readings = this.#mark.from.map((name) => readingOf(state, name))
    const values = readings.flatMap((one) =>
      one?.quality === 'good' && typeof one.value === 'number' ? [one.value] : [],
    )
    return values.length === readings.length ? values : null
  }

  /** Sets one point, by ordinary commands under a reservation of one's own. @returns why not, as a sentence; null: done */
  async set(point: readonly number[]): Promise<string | null> {
    const { id } = this.#instrument
    return this.#orWhy(async () => {
      await this.#api.reserve(id, { forMs: RESERVE_MS, note: this.#mark.name, onExpiry: 'safe' })
      this.#isReserved = true
      for (const [n, name] of this.#mark.from.entries()) {
        const now = readingOf(store.site.value?.instruments.get(id), name)?.value
        if (!this.#before.has(name) && now !== undefined && now !== null) this.#before.set(name, now)
        const ended = await submitCommand(this.#api, id, { parameter: name, value: point[n] ?? 0 }, QUIET)
        if (ended.outcome !== 'done') return ended.message ?? store.t(ended.reason ?? 'commandGone')
        if (this.#hasEnded) {
          await this.#bringBack()
          return null
        }
      }
      return null
    })
  }

  /** Keeps a measured point with the server. */
  keep(point: MeasuredPoint): Promise<string | null> {
    return this.#orWhy(async () => {
      await this.#calibrations.keep(this.#mark.name, this.of, point)
      return null
    })
  }

  /** Brings the inputs to their safe values, or back to what they were, and gives the instrument back. */
  async end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const why = await this.#orWhy(() => this.#bringBack())
    if (why !== null) store.addToast({ outcome: 'failed', effect: null, title: why, message: '' })
  }

  async #bringBack(): Promise<string | null> {
    if (!this.#isReserved) return null
    const { id, parameters } = this.#instrument
    for (const [name, before] of this.#before) {
      const value = parameters[name]?.safe ?? before
      const ended = await submitCommand(this.#api, id, { parameter: name, value }, QUIET)
      if (ended.outcome !== 'done') return ended.message ?? store.t(ended.reason ?? 'commandGone')
    }
    this.#isReserved = false
    await this.#api.giveBack(id, {})
    return null
  }

  async #orWhy(work: () => Promise<string | null>): Promise<string | null> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Problem || error instanceof Unreachable) return error.message
      throw error
    }
  }
}

/** The dialog says itself what is being done. */
const QUIET = { onRetry: () => undefined, onRecord: () => undefined }
