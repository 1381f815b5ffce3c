import { asGolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { SafeState } from './safe-state.ts'

/** Brings an instrument to its safe state when a reservation has ended that says so, and tells Redis when it is there. */
export class AfterReservation {
  readonly #context: WorkerContext
  readonly #instrument: string
  readonly #safeState: SafeState | undefined
  #busy: Promise<void> | undefined
  /** Number of the reservation after which it was last tried; commands wait for one try, not for its success. */
  triedAfter = 0

  constructor(context: WorkerContext, instrument: string, safeState: SafeState | undefined) {
    this.#context = context
    this.#instrument = instrument
    this.#safeState = safeState
  }

  /**
   * Makes the outputs safe if a reservation wants it; tried again at each call until everything was reached. Never
   * throws.
   *
   * @param unsafe - the reservation, where Redis has just said so
   */
  obey(unsafe = this.#context.reservations.unsafe(this.#instrument)): Promise<void> {
    if (!unsafe) return Promise.resolve()
    this.#busy ??= this.#makeSafe(unsafe).finally(() => {
      this.#busy = undefined
    })
    return this.#busy
  }

  async #makeSafe({ fence, name }: { fence: number; name: string }): Promise<void> {
    const { client, log } = this.#context
    const why = `the reservation of ${name} has ended`
    if (this.triedAfter === fence) await this.#safeState?.keep(why)
    else await this.#safeState?.enter(why)
    this.triedAfter = fence
    if (this.#safeState && !this.#safeState.reached) return
    try {
      await client.madeSafe(this.#instrument, fence)
    } catch (error) {
      log.error({ err: asGolemError(error), instrument: this.#instrument }, 'not told that it is safe')
    }
  }
}
