import { type InstrumentDescription, type Snapshot, asGolemError } from '@golem/core'
import type { WorkerClient } from '@golem/queue'
import type { Sampler } from './sampler.ts'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long changes are gathered before they are written together, in ms. */
const GATHER_MS = 5

/**
 * Writes snapshots and descriptions to Redis, gathered: one write at a time, the newest of each instrument only.
 * While Redis is away nothing piles up but readings for the archive, up to a limit.
 */
export class Publisher {
  readonly #client: WorkerClient
  readonly #onError: (error: Error) => void
  readonly #sampler: Sampler | undefined
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #descriptions = new Map<string, InstrumentDescription>()
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param sampler - whose entries go out together with the snapshots */
  constructor(client: WorkerClient, onError: (error: Error) => void, sampler?: Sampler) {
    this.#client = client
    this.#onError = onError
    this.#sampler = sampler
  }

  describe(description: InstrumentDescription): void {
    this.#descriptions.set(description.id, description)
    this.#arm()
  }

  snapshot(snapshot: Snapshot): void {
    this.#snapshots.set(snapshot.id, snapshot)
    this.#arm()
  }

  /**
   * Writes what is gathered now, of readings for the archive as many as go into one step.
   *
   * @returns whether there is more
   */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#writing) await this.#writing
    const samples = this.#sampler?.next() ?? []
    if (this.#snapshots.size + this.#descriptions.size + samples.length === 0) return false
    const entries = [
      ...[...this.#descriptions.values()].map((value) => ({ table: 'description' as const, value })),
      ...[...this.#snapshots.values()].map((value) => ({ table: 'snapshot' as const, value })),
    ]
    this.#descriptions.clear()
    this.#snapshots.clear()
    let written = false
    this.#writing = this.#client
      .publish(entries, samples, this.#sampler?.streamMax)
      .then(() => {
        this.#sampler?.written()
        written = true
      })
      .catch((error: unknown) => this.#onError(asGolemError(error)))
      .finally(() => {
        this.#writing = undefined
      })
    await this.#writing
    // Readings that Redis has refused go with the next snapshot.
    const more =
      this.#snapshots.size + this.#descriptions.size + (written ? (this.#sampler?.waiting ?? 0) : 0) > 0
    if (more) this.#arm()
    return more
  }

  /** As `flush`, for the end of a link: while Redis is away nothing of it is waited for longer. @param timeoutMs */
  async flushWithin(timeoutMs: number): Promise<void> {
    const late = new AbortController()
    const timeout = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([this.#flushAll(), timeout])
    late.abort()
  }

  async #flushAll(): Promise<void> {
    while (await this.flush());
  }

  #arm(): void {
    if (this.#writing) return
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS)
  }
}
