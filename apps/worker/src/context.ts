import type { StopRecord, StopState } from '@golem/core'
import { NO_STOP } from '@golem/core'
import type { WorkerClient } from '@golem/queue'
import type { Logger } from 'pino'
import type { Publisher } from './publisher.ts'

/** What the parts of one worker process share. */
export interface WorkerContext {
  readonly id: string
  readonly client: WorkerClient
  readonly publisher: Publisher
  readonly log: Logger
  readonly stops: Stops
  /** Folder of the journals. */
  readonly journalDir: string
}

/** The emergency stops in force, as this process knows them. */
export class Stops {
  #state: StopState = NO_STOP

  get state(): StopState {
    return this.#state
  }

  set(state: StopState): void {
    this.#state = state
  }

  /** Notes a stop before Redis has been asked for its particulars. */
  add(instrument: string | null, record: StopRecord): void {
    this.#state =
      instrument === null
        ? { ...this.#state, site: this.#state.site ?? record }
        : { ...this.#state, instruments: { [instrument]: record, ...this.#state.instruments } }
  }

  /** The stop that holds for an instrument, if any. */
  of(instrument: string): StopRecord | undefined {
    return this.#state.site ?? this.#state.instruments[instrument]
  }
}
