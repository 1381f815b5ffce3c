import { type InstrumentDescription, type Snapshot, asGolemError } from '@golem/core'
import type { WorkerClient } from '@golem/queue'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long changes are gathered before they are written together, in ms. */
const GATHER_MS = 5

/**
 * Writes snapshots and descriptions to Redis, gathered: one write at a time, the newest of each instrument only.
 * While Redis is away nothing piles up.
 */
export class Publisher {
  readonly #client: WorkerClient
  readonly #onError: (error: Error) => void
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #descriptions = new Map<string, InstrumentDescription>()
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(client: WorkerClient, onError: (error: Error) => void) {
    this.#client = client
    this.#onError = onError
  }

  describe(description: InstrumentDescription): void {
    this.#descriptions.set(description.id, description)
    this.#arm()
  }

  snapshot(snapshot: Snapshot): void {
    this.#snapshots.set(snapshot.id, snapshot)
    this.#arm()
  }

  /** Writes what is gathered now. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#writing) await this.#writing
    if (this.#snapshots.size + this.#descriptions.size === 0) return
    const entries = [
      ...[...this.#descriptions.values()].map((value) => ({ table: 'description' as const, value })),
      ...[...this.#snapshots.values()].map((value) => ({ table: 'snapshot' as const, value })),
    ]
    this.#descriptions.clear()
    this.#snapshots.clear()
    this.#writing = this.#client
      .publish(entries)
      .catch((error: unknown) => this.#onError(asGolemError(error)))
      .finally(() => {
        this.#writing = undefined
      })
    await this.#writing
    if (this.#snapshots.size + this.#descriptions.size > 0) this.#arm()
  }

  /** As `flush`, for the end of a link: while Redis is away nothing of it is waited for longer. @param timeoutMs */
  async flushWithin(timeoutMs: number): Promise<void> {
    const late = new AbortController()
    const timeout = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([this.flush(), timeout])
    late.abort()
  }

  #arm(): void {
    if (this.#writing) return
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS)
  }
}
