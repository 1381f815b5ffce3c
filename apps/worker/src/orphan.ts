import type { InstrumentConfig } from '@golem/config'
import { type Snapshot, messageOf } from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { SafeState } from './safe-state.ts'

/** How often it is looked how long Redis has been silent, in ms. */
const LOOK_MS = 100

/**
 * Keeps `onOrphaned: { safeAfter }` for one instrument. What is promised:
 *
 * - Redis lost: its worker writes the safe values when its lease has not been confirmed for that time, by its own
 *   monotonic clock, and before the lease is over; after that nobody sends anything until Redis is back.
 * - The worker lost (killed, frozen, its machine gone): nobody can send before the lease is over. Whoever owns the link
 *   next writes the safe values before any command, when nobody has been in charge for longer than that time. Until
 *   there is such a worker, the outputs stay as they are.
 */
export class Orphan {
  readonly #context: WorkerContext
  readonly #id: string
  readonly #safeAfterMs: number
  readonly #safeState: SafeState
  #why: string | null = null
  #isSilent = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    context: WorkerContext,
    { id, link, orphanSafeAfterMs = Infinity }: Pick<InstrumentConfig, 'id' | 'link' | 'orphanSafeAfterMs'>,
    safeState: SafeState,
  ) {
    this.#context = context
    this.#id = id
    this.#safeAfterMs = orphanSafeAfterMs
    this.#safeState = safeState
    if (orphanSafeAfterMs !== Infinity) this.#timer = setInterval(() => this.#look(link), LOOK_MS)
  }

  /** The link has just been taken: was nobody in charge for too long? Called before any command. */
  async takeOver(): Promise<void> {
    if (this.#safeAfterMs === Infinity) return
    const { client, log } = this.#context
    const gapMs = gapSince(await client.snapshot(this.#id), client.clock.now())
    log.debug({ instrument: this.#id, gapMs }, 'taken over')
    if (gapMs < this.#safeAfterMs) return
    const seconds = Number.isFinite(gapMs) ? `for ${(gapMs / 1000).toFixed(1)} s` : 'for an unknown time'
    this.#enter(`nobody was in charge of it ${seconds}`)
  }

  /** After a poll: what could not be reached then is tried again. */
  afterPoll(): void {
    if (this.#why === null) return
    if (this.#safeState.reached) this.#why = null
    else {
      this.#safeState
        .keep(this.#why)
        .catch((error: unknown) => this.#context.log.error(`safe state not kept: ${messageOf(error)}`))
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(link: string): void {
    const silentMs = this.#context.client.leases.silentMs(link)
    const wasSilent = this.#isSilent
    this.#isSilent = silentMs >= this.#safeAfterMs
    if (!this.#isSilent || wasSilent || silentMs === Infinity) return
    this.#enter(`its worker has not heard of Redis for ${(silentMs / 1000).toFixed(1)} s`)
  }

  #enter(why: string): void {
    this.#why = why
    void this.#safeState.enter(why)
  }
}

/** How long nobody has been in charge, in ms. @param last - as the last owner wrote it */
function gapSince(last: Snapshot | null, now: number): number {
  // Nobody has ever owned it, or its owner left it in order and did what `onStop` says.
  if (!last || last.owner === null) return 0
  return last.writtenAt === undefined ? Infinity : Math.max(0, now - Date.parse(last.writtenAt))
}
