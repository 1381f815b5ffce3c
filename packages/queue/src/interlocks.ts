import type { EventDetails, InterlockRecord, InterlockTrip, Snapshot } from '@golem/core'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, connect, disconnect } from './connection.ts'
import { detailsToJson } from './events.ts'
import { type Keys, keysOf } from './keys.ts'
import { runScript, withScripts } from './scripts.ts'

/** How long one XREAD waits in Redis, in ms. */
const BLOCK_MS = 1_000
/** After a pause of this length between two reads of the stream everything is read anew, in ms. */
const MAX_PAUSE_MS = 5_000
/** How many changes one XREAD takes. */
const BATCH = 1_000
/** After an error: how long until the next try, in ms. */
const RETRY_MS = 50

export interface InterlockFeedOptions {
  site: string
  redisUrl: string
  /** Ids of the instruments whose readings are wanted. */
  instruments: ReadonlySet<string>
  onSnapshot: (snapshot: Snapshot) => void
  onRecord: (record: InterlockRecord) => void
  /** All there are. */
  onRecords: (records: readonly InterlockRecord[]) => void
  onError: (error: Error) => void
}

/**
 * What a worker hears of other workers for its interlocks: readings as they are published, and trips. Whole entries
 * replace each other; after a loss of connection all are read anew. While Redis is away nothing comes: what was heard
 * grows old.
 */
export class InterlockFeed {
  readonly #options: InterlockFeedOptions
  readonly #keys: Keys
  readonly #fast: Connection
  readonly #patient: Connection
  readonly #blocking: Connection
  #head: string | undefined
  #readAt = 0
  #closed = false

  constructor(options: InterlockFeedOptions) {
    const { site, redisUrl, onError } = options
    this.#options = options
    this.#keys = keysOf(site)
    this.#fast = connect(redisUrl, 'fast', onError)
    this.#patient = withScripts(connect(redisUrl, 'patient', onError))
    this.#blocking = connect(redisUrl, 'patient', onError)
    this.#blocking.on('close', () => {
      this.#head = undefined
    })
    void this.#follow()
  }

  /** Reads everything now. @throws when Redis does not answer */
  read(): Promise<void> {
    return this.#readAll(this.#fast)
  }

  /**
   * Tells of a trip. Waits while Redis is away.
   *
   * @param message, details - for the site's log
   * @returns the record that stands: another worker's trip, if that came first
   */
  async trip(
    record: InterlockRecord & { tripped: InterlockTrip },
    message: string,
    details: EventDetails & { instrument?: string },
  ): Promise<InterlockRecord> {
    const { name, tripped } = record
    const json = await runScript(
      this.#patient,
      'golemTrip',
      this.#keys.root,
      JSON.stringify(record),
      name,
      tripped.id,
      message,
      details.instrument ?? '',
      detailsToJson(details),
    )
    return JSON.parse(json as string) as InterlockRecord
  }

  close(): void {
    this.#closed = true
    for (const connection of [this.#fast, this.#patient, this.#blocking]) disconnect(connection)
  }

  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        if (performance.now() - this.#readAt > MAX_PAUSE_MS) this.#head = undefined
        if (this.#head === undefined) {
          const [newest] = await this.#blocking.xrevrange(this.#keys.changes, '+', '-', 'COUNT', 1)
          await this.#readAll(this.#blocking)
          this.#head = newest?.[0] ?? '0-0'
        }
        const streams = await this.#blocking.xread(
          'COUNT',
          BATCH,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          this.#keys.changes,
          this.#head,
        )
        this.#readAt = performance.now()
        for (const [, entries] of streams ?? []) {
          for (const [id, fields] of entries) {
            this.#head = id
            this.#apply(fields)
          }
        }
      } catch (error) {
        if (this.#closed) return
        this.#head = undefined
        this.#options.onError(error as Error)
        await sleep(RETRY_MS)
      }
    }
  }

  async #readAll(redis: Connection): Promise<void> {
    const ids = [...this.#options.instruments]
    const [snapshots, records] = await Promise.all([
      ids.length === 0 ? [] : redis.hmget(this.#keys.snapshots, ...ids),
      redis.hgetall(this.#keys.records('interlock')),
    ])
    for (const json of snapshots) if (json) this.#options.onSnapshot(JSON.parse(json) as Snapshot)
    this.#options.onRecords(Object.values(records).map((json) => JSON.parse(json) as InterlockRecord))
    this.#readAt = performance.now()
  }

  #apply(flat: readonly string[]): void {
    const fields: Record<string, string> = {}
    for (let n = 0; n + 1 < flat.length; n += 2) fields[flat[n] ?? ''] = flat[n + 1] ?? ''
    const { k: kind, i: id = '', v: json } = fields
    if (json === undefined || json === '') return
    if (kind === 'interlock') this.#options.onRecord(JSON.parse(json) as InterlockRecord)
    else if (kind === 'snapshot' && this.#options.instruments.has(id)) {
      this.#options.onSnapshot(JSON.parse(json) as Snapshot)
    }
  }
}
