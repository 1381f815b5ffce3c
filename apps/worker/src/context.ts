import type { StopRecord, StopState } from '@golem/core'
import { NO_STOP } from '@golem/core'
import type { WorkerClient } from '@golem/queue'
import type { Logger } from 'pino'
import type { Calibrations } from './calibrations.ts'
import type { Interlocks } from './interlocks.ts'
import type { Publisher } from './publisher.ts'
import type { Reservations } from './reservations.ts'
import type { Sampler } from './sampler.ts'

/** What the parts of one worker process share. */
export interface WorkerContext {
  readonly id: string
  readonly client: WorkerClient
  readonly publisher: Publisher
  /** undefined: the site keeps no archive. */
  readonly sampler: Sampler | undefined
  readonly log: Logger
  readonly stops: Stops
  readonly reservations: Reservations
  readonly interlocks: Interlocks
  readonly calibrations: Calibrations
  /** Folder of the journals. */
  readonly journalDir: string
}

/** The emergency stops in force, as this process knows them. */
export class Stops {
  #state: StopState = NO_STOP
  #announced = 0
  #obeyed: Promise<unknown> = Promise.resolve()

  get state(): StopState {
    return this.#state
  }

  set(state: StopState): void {
    this.#state = state
  }

  /** Settles when the safe values of the stops announced so far have been sent, or could not be. */
  get obeyed(): Promise<unknown> {
    return this.#obeyed
  }

  obeying(work: Promise<unknown>): void {
    this.#obeyed = Promise.allSettled([this.#obeyed, work])
  }

  /** How many stops and releases have been announced: what Redis was asked before the last one is out of date. */
  get announced(): number {
    return this.#announced
  }

  /** Notes a stop before Redis has been asked for its particulars. */
  add(instrument: string | null, record: StopRecord): void {
    this.#announced += 1
    this.#state =
      instrument === null
        ? { ...this.#state, site: this.#state.site ?? record }
        : { ...this.#state, instruments: { [instrument]: record, ...this.#state.instruments } }
  }

  /** Notes a release. @param instrument - null: of everything */
  remove(instrument: string | null): void {
    this.#announced += 1
    if (instrument === null) {
      this.#state = NO_STOP
      return
    }
    const left = Object.entries(this.#state.instruments).filter(([id]) => id !== instrument)
    this.#state = { ...this.#state, instruments: Object.fromEntries(left) }
  }

  /** The stop that holds for an instrument, if any. */
  of(instrument: string): StopRecord | undefined {
    return this.#state.site ?? this.#state.instruments[instrument]
  }
}
