import {
  type CommandRecord,
  type CommandTarget,
  DEFAULT_VALID_FOR_MS,
  GolemError,
  type Outcome,
  asGolemError,
  validateTarget,
} from '@golem/core'
import { type SchedulerClient, commandIdFor } from '@golem/queue'
import { setTimeout as sleep } from 'node:timers/promises'

/** One wait for an outcome, in ms; it is asked again until there is one. */
const WAIT_MS = 20_000
/** Before Redis is asked again, in ms. */
const AGAIN_AFTER_MS = 500

/** Gives a run's commands, each once, and finds out how they ended: also those of a scheduler before. */
export class RunCommands {
  readonly #client: SchedulerClient
  readonly #by: string
  readonly #signal: AbortSignal

  /** @param signal - ends all waiting: this process leads no longer, or the run has ended */
  constructor(client: SchedulerClient, by: string, signal: AbortSignal) {
    this.#client = client
    this.#by = by
    this.#signal = signal
  }

  /** The id in the ledger of an effect. */
  idOf(effect: string): string {
    return commandIdFor(this.#by, effect)
  }

  /**
   * Hands a command over and waits for its outcome.
   *
   * @returns undefined: the waiting was ended
   */
  async give(
    effect: string,
    instrument: string,
    target: CommandTarget,
    fence: number | undefined,
  ): Promise<Outcome | undefined> {
    try {
      await this.#client.submitLeading({
        instrument,
        target: this.#checked(instrument, target),
        by: this.#by,
        validForMs: DEFAULT_VALID_FOR_MS,
        idempotencyKey: effect,
        ...(fence === undefined ? {} : { reservation: fence }),
      })
    } catch (error) {
      const golemError = asGolemError(error)
      if (golemError.code === 'LEASE_LOST') return undefined
      // It may have arrived all the same: the ledger tells, as soon as it can be asked.
      if (golemError.effect === 'unknown') return this.outcomeOf(effect)
      return { outcome: 'refused', effect: 'none', code: golemError.code, message: golemError.message }
    }
    return this.outcomeOf(effect)
  }

  /**
   * Waits for the outcome of an effect that was, or may have been, handed over.
   *
   * @returns undefined: the waiting was ended
   */
  async outcomeOf(effect: string): Promise<Outcome | undefined> {
    while (!this.#signal.aborted) {
      try {
        const record = await this.#client.site.waitForOutcome(this.idOf(effect), WAIT_MS)
        if (record.state === 'ended') return outcomeFrom(record)
      } catch (error) {
        const { code, message } = asGolemError(error)
        if (code === 'UNKNOWN_COMMAND') {
          return {
            outcome: 'unknown',
            effect: 'unknown',
            code: 'WORKER_LOST',
            message: `The ledger does not know the command any more: ${message}`,
          }
        }
        await sleep(AGAIN_AFTER_MS)
      }
    }
    return undefined
  }

  /** Was this effect ever handed over? @throws QUEUE_DOWN */
  async wasGiven(effect: string): Promise<boolean> {
    try {
      await this.#client.site.getCommand(this.idOf(effect))
      return true
    } catch (error) {
      if (asGolemError(error).code === 'UNKNOWN_COMMAND') return false
      throw error
    }
  }

  /** Takes back what still waits; what does not wait any more goes its way. */
  async cancel(effect: string): Promise<void> {
    try {
      await this.#client.site.cancel(this.idOf(effect), this.#by)
    } catch (error) {
      const { code } = asGolemError(error)
      if (code !== 'NOT_WAITING' && code !== 'UNKNOWN_COMMAND') throw error
    }
  }

  #checked(instrument: string, target: CommandTarget): CommandTarget {
    const description = this.#client.site.view.descriptions.get(instrument)
    if (!description) {
      throw new GolemError(
        'UNKNOWN_INSTRUMENT',
        `There is no instrument "${instrument}" that a worker has described.`,
      )
    }
    return validateTarget(description, target)
  }
}

function outcomeFrom({
  outcome = 'unknown',
  effect = 'unknown',
  code,
  message,
  result,
}: CommandRecord): Outcome {
  return {
    outcome,
    effect,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(result === undefined ? {} : { result }),
  }
}
