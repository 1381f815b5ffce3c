import {
  type AlarmRecord,
  type ArchiverRecord,
  type BusState,
  type Calibration,
  type CalibrationDraft,
  type InstrumentDescription,
  type InterlockRecord,
  NO_STOP,
  type ReservationState,
  type RecipeDescription,
  type RunRecord,
  type ScheduleState,
  type Snapshot,
  type StopState,
  type WorkerRecord,
  isoTime,
} from '@golem/core'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SiteChange, SiteView, StoredQueue } from './api.ts'
import type { SiteClock } from './clock.ts'
import { type Connection, disconnect, troubleOf } from './connection.ts'
import { type Keys, RECORD_TABLES, type RecordTable } from './keys.ts'
import { recordFrom, stopStateFrom } from './records.ts'
import { reservationsFrom } from './reservation-records.ts'

/** How long one XREAD waits in Redis, in ms. */
const BLOCK_MS = 1_000
/** After a pause of this length between two reads of the stream everything is read anew, in ms. */
const MAX_PAUSE_MS = 5_000
/** How many changes one XREAD takes. */
const BATCH = 1_000
/** After changes were read: how long the next ones are gathered, so that a busy site wakes nobody for each, in ms. */
const GATHER_MS = 20
/** How often Redis is asked for its time, which also shows whether it answers, in ms. */
const PULSE_MS = 500
/** Redis counts as away when it has not answered for this long, in ms. */
const SILENCE_MS = 1_500
/** How often the workers' beats are read, in ms. */
const WORKERS_EVERY = 2

const NOTHING_WAITS: StoredQueue = { waiting: 0, oldestAt: null, running: null, last: null }

/**
 * Keeps an in-memory copy of the site's state by following the `changes` stream.
 *
 * Whole entries replace each other, so applying one twice does no harm: after a loss of connection it reads the
 * stream's end, then all tables, then goes on from that end.
 */
export class SiteFollower implements SiteView {
  readonly descriptions = new Map<string, InstrumentDescription>()
  readonly snapshots = new Map<string, Snapshot>()
  readonly queues = new Map<string, StoredQueue>()
  readonly workers = new Map<string, WorkerRecord>()
  readonly archivers = new Map<string, ArchiverRecord>()
  samplesWaiting = 0
  readonly reservations = new Map<string, ReservationState>()
  readonly runs = new Map<string, RunRecord>()
  readonly recipes = new Map<string, RecipeDescription>()
  readonly alarms = new Map<string, AlarmRecord>()
  readonly schedules = new Map<string, ScheduleState>()
  readonly interlocks = new Map<string, InterlockRecord>()
  readonly calibrations = new Map<string, Calibration>()
  readonly drafts = new Map<string, CalibrationDraft>()
  epoch = ''
  head = '0-0'
  stop: StopState = NO_STOP
  bus: BusState
  /** Last round trip to Redis, in ms; null while it is away. */
  roundTripMs: number | null = null

  readonly #keys: Keys
  readonly #clock: SiteClock
  readonly #fast: Connection
  readonly #blocking: Connection
  readonly #listeners = new Set<(change: SiteChange) => void>()
  #closed = false
  #loaded = false
  #answeredAt = performance.now()
  /** When the stream was last read. */
  #readAt = performance.now()
  #pulse: NodeJS.Timeout
  #beats = 0

  /**
   * @param fast - for questions that may fail
   * @param blocking - its own connection, on which XREAD waits
   */
  constructor(keys: Keys, clock: SiteClock, fast: Connection, blocking: Connection) {
    this.#keys = keys
    this.#clock = clock
    this.#fast = fast
    this.#blocking = blocking
    this.bus = { ok: false, since: isoTime(clock.now()), message: 'Connecting to Redis.' }
    this.#pulse = setInterval(() => void this.#beat(), PULSE_MS)
    fast.on('close', () => this.#away('The connection to Redis is gone.'))
    fast.on('ready', () => void this.#beat())
    void this.#beat()
    void this.#follow()
  }

  now(): number {
    return this.#clock.now()
  }

  onChange(listener: (change: SiteChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#pulse)
    disconnect(this.#blocking)
  }

  async #beat(): Promise<void> {
    const silentMs = performance.now() - this.#answeredAt
    if (this.bus.ok && silentMs > SILENCE_MS) {
      this.#away(`Redis has not answered for ${(silentMs / 1000).toFixed(1)} s.`)
    }
    try {
      this.roundTripMs = await this.#clock.synchronise(this.#fast)
      this.#answeredAt = performance.now()
      if (this.#loaded && !this.bus.ok) this.#back()
      if (this.#beats++ % WORKERS_EVERY === 0) await this.#readWorkers()
    } catch (error) {
      if (!this.#closed) this.#away(`Redis does not answer: ${troubleOf(error)}.`)
    }
  }

  #away(message: string): void {
    this.roundTripMs = null
    if (!this.bus.ok) {
      this.bus = { ...this.bus, message }
      return
    }
    this.bus = { ok: false, since: isoTime(this.now()), message }
    this.#tell({ kind: 'bus' })
  }

  #back(): void {
    this.bus = { ok: true, since: isoTime(this.now()), message: 'Redis answers.' }
    this.#tell({ kind: 'bus' })
  }

  async #readWorkers(): Promise<void> {
    const [found, archivers, waiting, epoch] = await Promise.all([
      this.#fast.hgetall(this.#keys.workers),
      this.#fast.hgetall(this.#keys.archivers),
      this.#fast.xlen(this.#keys.samples),
      this.#fast.get(this.#keys.epoch),
    ])
    // init-db has been run, or Redis has lost its data: what is held here is of another life.
    if (this.#loaded && epoch !== this.epoch) this.#loaded = false
    this.workers.clear()
    for (const [id, json] of Object.entries(found)) this.workers.set(id, JSON.parse(json) as WorkerRecord)
    this.samplesWaiting = waiting
    this.archivers.clear()
    for (const [id, json] of Object.entries(archivers)) {
      this.archivers.set(id, JSON.parse(json) as ArchiverRecord)
    }
    this.#tell({ kind: 'workers' })
  }

  async #follow(): Promise<void> {
    this.#blocking.on('close', () => {
      this.#loaded = false
    })
    while (!this.#closed) {
      try {
        // After a long pause (this process was frozen, the machine slept) the stream may have moved on past the head.
        if (performance.now() - this.#readAt > MAX_PAUSE_MS) this.#loaded = false
        if (!this.#loaded) await this.#load()
        const streams = await this.#blocking.xread(
          'COUNT',
          BATCH,
          'BLOCK',
          BLOCK_MS,
          'STREAMS',
          this.#keys.changes,
          this.head,
        )
        this.#answeredAt = performance.now()
        this.#readAt = this.#answeredAt
        for (const [, entries] of streams ?? []) {
          for (const [id, fields] of entries) this.#apply(id, fields)
        }
        if (streams) await sleep(GATHER_MS)
      } catch (error) {
        if (this.#closed) return
        this.#loaded = false
        this.#away(`Redis does not answer: ${troubleOf(error)}.`)
        await sleep(50)
      }
    }
  }

  /** Reads everything anew. */
  async #load(): Promise<void> {
    const redis = this.#blocking
    await redis.set(this.#keys.epoch, randomUUID().slice(0, 8), 'NX')
    this.epoch = (await redis.get(this.#keys.epoch)) ?? ''
    const newest = await redis.xrevrange(this.#keys.changes, '+', '-', 'COUNT', 1)
    const head = newest[0]?.[0] ?? '0-0'
    const [descriptions, snapshots] = await Promise.all([
      redis.hgetall(this.#keys.descriptions),
      redis.hgetall(this.#keys.snapshots),
    ])
    const stop = await redis.hgetall(this.#keys.stop)
    this.descriptions.clear()
    this.snapshots.clear()
    this.queues.clear()
    for (const [id, json] of Object.entries(descriptions)) {
      this.descriptions.set(id, JSON.parse(json) as InstrumentDescription)
    }
    for (const [id, json] of Object.entries(snapshots)) this.snapshots.set(id, JSON.parse(json) as Snapshot)
    for (const id of this.descriptions.keys()) {
      const queue = await redis.hgetall(this.#keys.queue(id))
      if (queue['waiting'] !== undefined) this.queues.set(id, storedQueue(queue))
    }
    this.reservations.clear()
    for (const [id, json] of Object.entries(await redis.hgetall(this.#keys.reservations))) {
      this.reservations.set(id, reservationsFrom(id, json).state)
    }
    for (const table of RECORD_TABLES) {
      const records = this.#records(table)
      const found = await redis.hgetall(this.#keys.records(table))
      records.clear()
      for (const [id, json] of Object.entries(found)) records.set(id, JSON.parse(json))
    }
    this.stop = stopStateFrom(Object.entries(stop).flat())
    this.head = head
    await this.#readWorkers()
    this.#loaded = true
    this.#answeredAt = performance.now()
    this.#readAt = this.#answeredAt
    if (!this.bus.ok) this.#back()
    this.#tell({ kind: 'everything' })
  }

  #apply(id: string, flat: readonly string[]): void {
    this.head = id
    const fields: Record<string, string> = {}
    for (let n = 0; n + 1 < flat.length; n += 2) fields[flat[n] ?? ''] = flat[n + 1] ?? ''
    const instrument = fields['i'] ?? ''
    switch (fields['k']) {
      case 'snapshot':
        if (fields['v'] === '') return this.#gone(this.snapshots, instrument)
        this.snapshots.set(instrument, JSON.parse(fields['v'] ?? '{}') as Snapshot)
        this.#tell({ kind: 'snapshot', instrument })
        break
      case 'description':
        if (fields['v'] === '') return this.#gone(this.descriptions, instrument)
        this.descriptions.set(instrument, JSON.parse(fields['v'] ?? '{}') as InstrumentDescription)
        this.#tell({ kind: 'description', instrument })
        break
      case 'queue': {
        const queue = storedQueue(fields)
        this.queues.set(instrument, queue)
        this.#tell({ kind: 'queue', instrument })
        break
      }
      case 'reservation':
        this.reservations.set(instrument, reservationsFrom(instrument, fields['v'] ?? '').state)
        this.#tell({ kind: 'reservation', instrument })
        break
      case 'run':
      case 'recipe':
      case 'alarm':
      case 'schedule':
      case 'interlock':
      case 'calibration':
      case 'draft':
        this.#keep(fields['k'], instrument, fields['v'] ?? '')
        break
      case 'stop':
        void this.#readStop()
        break
      default:
        // Written by a newer golem: what this one does not show, it need not know.
        break
    }
  }

  /** A derived instrument is no more. */
  #gone(table: Map<string, unknown>, instrument: string): void {
    if (table.delete(instrument)) this.#tell({ kind: 'everything' })
  }

  /** @param json - the record, or nothing: it is no longer there */
  #keep(table: RecordTable, id: string, json: string): void {
    if (json === '') this.#records(table).delete(id)
    else this.#records(table).set(id, JSON.parse(json))
    this.#tell({ kind: 'record', table, id })
  }

  #records(table: RecordTable): Map<string, unknown> {
    return {
      run: this.runs,
      recipe: this.recipes,
      alarm: this.alarms,
      schedule: this.schedules,
      interlock: this.interlocks,
      calibration: this.calibrations,
      draft: this.drafts,
    }[table]
  }

  async #readStop(): Promise<void> {
    try {
      this.stop = stopStateFrom(Object.entries(await this.#fast.hgetall(this.#keys.stop)).flat())
      this.#tell({ kind: 'stop' })
    } catch (error) {
      // Read again with everything else when Redis is back.
      this.#loaded = false
      this.#away(`Redis does not answer: ${troubleOf(error)}.`)
    }
  }

  #tell(change: SiteChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

function storedQueue(fields: Readonly<Record<string, string>>): StoredQueue {
  return {
    ...NOTHING_WAITS,
    waiting: Number(fields['waiting'] ?? 0),
    oldestAt: fields['oldestAt'] ? Number(fields['oldestAt']) : null,
    running: fields['running'] ? recordFrom(fields['running']) : null,
    last: fields['last'] ? recordFrom(fields['last']) : null,
  }
}
