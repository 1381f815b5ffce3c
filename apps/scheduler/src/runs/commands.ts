import {
  type CommandRecord,
  type CommandTarget,
  DEFAULT_VALID_FOR_MS,
  GolemError,
  type Outcome,
  asGolemError,
  isoTime,
  validateTarget,
} from '@golem/core'
import { type SchedulerClient, commandIdFor } from '@golem/queue'
import { setTimeout as sleep } from 'node:timers/promises'

/** One wait for an outcome, in ms; it is asked again until there is one. */
const WAIT_MS = 20_000
/** Before Redis is asked again, in ms. */
const AGAIN_AFTER_MS = 500

/** What Redis has lost: it may have been carried out, or not. */
export const LOST = Symbol('lost')
/** Why a command is not taken just now, which says nothing of itself. */
const AWAY: ReadonlySet<string> = new Set(['QUEUE_DOWN', 'QUEUE_FULL'])

/** What was lost could not be given again: nobody knows whether it was carried out before. */
export function notAgain(why = 'it was refused'): Outcome {
  return {
    outcome: 'unknown',
    effect: 'unknown',
    code: 'WORKER_LOST',
    message: `Redis has lost the command, and it could not be given again: ${why}`,
  }
}

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
   * Hands a command over and waits for its outcome. When Redis has lost it, it is given again: it has the same id, so a
   * worker whose journal knows it sends nothing, and one whose journal can't tell says so.
   *
   * @param before - `givenAt`: it was given before, at this time at the earliest (ISO 8601 UTC), and Redis has lost it;
   *   `onLost`: told when Redis has lost it
   * @returns undefined: the waiting was ended
   */
  async give(
    effect: string,
    instrument: string,
    target: CommandTarget,
    fence: number | undefined,
    { givenAt, onLost }: { givenAt?: string; onLost?: () => void } = {},
  ): Promise<Outcome | undefined> {
    const firstAt = givenAt ?? isoTime(this.#client.clock.now())
    let again = givenAt
    for (;;) {
      const outcome = await this.#once(effect, instrument, target, fence, again)
      if (outcome !== LOST) return outcome
      again = firstAt
      onLost?.()
    }
  }

  async #once(
    effect: string,
    instrument: string,
    target: CommandTarget,
    fence: number | undefined,
    givenAt: string | undefined,
  ): Promise<Outcome | typeof LOST | undefined> {
    try {
      await this.#client.submitLeading({
        instrument,
        target: this.#checked(instrument, target),
        by: this.#by,
        validForMs: DEFAULT_VALID_FOR_MS,
        idempotencyKey: effect,
        ...(fence === undefined ? {} : { reservation: fence }),
        ...(givenAt === undefined ? {} : { givenAt }),
      })
    } catch (error) {
      const golemError = asGolemError(error)
      if (golemError.code === 'LEASE_LOST') return undefined
      // It may have arrived all the same: the ledger tells, as soon as it can be asked.
      if (golemError.effect === 'unknown') return this.outcomeOf(effect)
      if (givenAt !== undefined && AWAY.has(golemError.code)) {
        await sleep(AGAIN_AFTER_MS)
        return this.#signal.aborted ? undefined : LOST
      }
      const { code, message } = golemError
      return givenAt === undefined ? { outcome: 'refused', effect: 'none', code, message } : notAgain(message)
    }
    return this.outcomeOf(effect)
  }

  /**
   * Waits for the outcome of an effect that was, or may have been, handed over.
   *
   * @returns undefined: the waiting was ended; LOST: Redis does not know the command (any more)
   */
  async outcomeOf(effect: string): Promise<Outcome | typeof LOST | undefined> {
    while (!this.#signal.aborted) {
      try {
        const record = await this.#client.site.waitForOutcome(this.idOf(effect), WAIT_MS)
        if (record.state === 'ended') return outcomeFrom(record)
      } catch (error) {
        if (asGolemError(error).code === 'UNKNOWN_COMMAND') return LOST
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
  givenAt,
  worker,
}: CommandRecord): Outcome {
  // Refused without a worker having looked into its journal: nothing says that it was not sent the first time.
  if (outcome === 'refused' && givenAt !== undefined && worker === undefined) return notAgain(message)
  return {
    outcome,
    effect,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(result === undefined ? {} : { result }),
  }
}
