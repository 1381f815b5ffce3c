import {
  type Calibration,
  type CommandRecord,
  type EventDetails,
  type GolemError,
  type InstrumentDescription,
  type Outcome,
  type PowerReturnChoice,
  type Settlement,
  type Snapshot,
  type StopState,
  type WorkerRecord,
  isoTime,
} from '@golem/core'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { SiteClock } from './clock.ts'
import { type Connection, connect, disconnect } from './connection.ts'
import { type Consumer, consumeCommands } from './consume.ts'
import { type Keys, keysOf, RESULT_TTL_S } from './keys.ts'
import { detailsToJson } from './events.ts'
import { expireCommands } from './expire.ts'
import { type RedisLife, LeaseKeeper, readRedisLife } from './leases.ts'
import { endingOf, fingerprintOf, recordFrom, requestOf, stopStateFrom } from './records.ts'
import type { NumberedSample } from './samples.ts'
import { type KnownReservations, reservationsFrom } from './reservation-records.ts'
import { type ScriptName, runScript, withScripts } from './scripts.ts'

/** What comes over the control channel. `instrument: null`: the whole site. */
export type ControlMessage =
  | { type: 'stop'; instrument: string | null; by: string; reason: string }
  | { type: 'release'; instrument: string | null }
  | { type: 'safe'; id: string; instruments: readonly string[]; by: string; reason: string }
  | { type: 'power-return'; instrument: string; keep: PowerReturnChoice; by: string }
  | { type: 'released'; link: string }
  | { type: 'worker'; worker: string }
  /** Another version of this calibration was made. */
  | { type: 'calibration'; name: string }
  /** `state` is JSON, see reservationsFrom. */
  | { type: 'reservation'; instrument: string; state: string }

/** What Redis says when a worker asks to carry out a command. */
export type Begin =
  /** `under`: number of the reservation it was given under; '': none. */
  | {
      answer: 'ok' | 'unsafe' | 'reserved' | 'fence'
      record: CommandRecord
      reservations: KnownReservations
      under: string
    }
  | { answer: 'running' | 'ended' | 'expired' | 'after'; record: CommandRecord }
  | { answer: 'notowner' | 'stopped'; record: CommandRecord; detail: string }
  | { answer: 'missing' }

export interface WorkerClientOptions {
  site: string
  redisUrl: string
  worker: string
  leaseMs: number
  onError: (error: Error) => void
  onControl: (message: ControlMessage) => void
  onLeaseLost: (link: string, why: string) => void
  /** Redis answers again after it was away, or for the first time. */
  onReady: () => void
}

/** The worker processes' side of the site: leases, begin and finish of commands, snapshots, beats. */
export class WorkerClient {
  readonly clock = new SiteClock()
  readonly leases: LeaseKeeper
  readonly #keys: Keys
  readonly #patient: Connection
  readonly #beat: Connection
  readonly #subscriber: Connection
  readonly #worker: string
  readonly #leaseMs: number
  readonly #writing = new Set<Promise<unknown>>()
  readonly #onError: (error: Error) => void
  /** The last beat was answered. */
  #answers = false

  constructor(options: WorkerClientOptions) {
    const { site, redisUrl, worker, leaseMs, onError } = options
    this.#keys = keysOf(site)
    this.#worker = worker
    this.#leaseMs = leaseMs
    this.#onError = onError
    this.#patient = withScripts(connect(redisUrl, 'patient', onError))
    this.#beat = withScripts(connect(redisUrl, 'fast', onError))
    this.#subscriber = connect(redisUrl, 'patient', onError)
    this.leases = new LeaseKeeper({
      keys: this.#keys,
      redis: this.#beat,
      worker,
      leaseMs,
      onLost: options.onLeaseLost,
    })
    this.#beat.on('ready', options.onReady)
    this.#subscriber.on('message', (_channel: string, text: string) => {
      options.onControl(JSON.parse(text) as ControlMessage)
    })
    this.#subscriber.subscribe(this.#keys.control).catch(onError)
  }

  /** Redis is there, as far as is known just now: a stop would be heard of, and a record be written. */
  get isReachable(): boolean {
    const connections = [this.#patient, this.#beat, this.#subscriber]
    return this.#answers && connections.every(({ status }) => status === 'ready')
  }

  /**
   * Asks for the time and writes this worker's record.
   *
   * @returns the record of another process that goes by this worker's id and has been heard of within the lease
   *   time; then this one's is not written
   * @throws when Redis does not answer in time
   */
  async beat(record: WorkerRecord): Promise<WorkerRecord | null> {
    try {
      await this.clock.synchronise(this.#beat)
      this.#answers = true
    } catch (error) {
      this.#answers = false
      throw error
    }
    const json = await this.#beat.hget(this.#keys.workers, this.#worker)
    if (json) {
      const other = JSON.parse(json) as WorkerRecord
      const heard = this.clock.now() - Date.parse(other.lastSeen) < this.#leaseMs
      if (heard && isAnotherProcess(other, record)) return other
    }
    await this.#beat.hset(this.#keys.workers, this.#worker, JSON.stringify(record))
    return null
  }

  async workers(): Promise<WorkerRecord[]> {
    const found = await this.#beat.hvals(this.#keys.workers)
    return found.map((json) => JSON.parse(json) as WorkerRecord)
  }

  /** Removes a worker's record; its own when it ends, others' when they have been gone for a day. */
  async forgetWorker(id: string): Promise<void> {
    await this.#beat.hdel(this.#keys.workers, id)
    await this.#beat.publish(this.#keys.control, JSON.stringify({ type: 'worker', worker: id }))
  }

  redisLife(): Promise<RedisLife> {
    return readRedisLife(this.#beat, this.clock)
  }

  async stopState(): Promise<StopState> {
    return stopStateFrom(Object.entries(await this.#beat.hgetall(this.#keys.stop)).flat())
  }

  /**
   * Writes descriptions and snapshots, tells the followers, and hands readings to the archiver, all in one. Waits while
   * Redis is away.
   *
   * @param samples - each is written once by the archiver, also when it comes twice
   * @param streamMax - how many of them may wait in Redis
   */
  async publish(
    entries: readonly (
      { table: 'description'; value: InstrumentDescription } | { table: 'snapshot'; value: Snapshot }
    )[],
    samples: readonly NumberedSample[] = [],
    streamMax = 0,
  ): Promise<void> {
    if (entries.length + samples.length === 0) return
    await this.#script(
      'golemPublish',
      samples.length,
      streamMax,
      ...samples.flatMap(({ life, n, entry }) => [`${this.#worker} ${life} ${n}`, JSON.stringify(entry)]),
      ...entries.flatMap(({ table, value }) => [table, value.id, JSON.stringify(value)]),
    )
  }

  /** The calibrations that were made on the page, by programs or with `golem calibrate`. */
  async calibrations(): Promise<Calibration[]> {
    const found = await this.#beat.hvals(this.#keys.records('calibration'))
    return found.map((json) => JSON.parse(json) as Calibration).filter(({ source }) => source === 'site')
  }

  /** What an instrument's last owner, on whatever machine, has published; null: nothing. */
  async snapshot(instrument: string): Promise<Snapshot | null> {
    const json = await this.#beat.hget(this.#keys.snapshots, instrument)
    return json ? (JSON.parse(json) as Snapshot) : null
  }

  /** Starts taking an instrument's commands. */
  consume(instrument: string, handle: (id: string) => Promise<void>): Consumer {
    return consumeCommands({
      keys: this.#keys,
      connection: this.#patient,
      instrument,
      handle,
      onError: this.#onError,
    })
  }

  /**
   * Asks to carry out a command; what Redis answers is decided in one step with what it writes.
   *
   * @param safeAfter - number of the reservation after whose end the outputs were last made safe; 0: none
   */
  async begin(id: string, instrument: string, link: string, safeAfter: number): Promise<Begin> {
    const [answer, json, detail = '', under = ''] = (await this.#script(
      'golemBegin',
      id,
      instrument,
      this.#worker,
      link,
      this.leases.fence(link),
      safeAfter,
    )) as [Begin['answer'], string, string?, string?]
    if (answer === 'missing') return { answer }
    const record = recordFrom(json)
    switch (answer) {
      case 'notowner':
      case 'stopped':
        return { answer, record, detail }
      case 'ok':
      case 'unsafe':
      case 'reserved':
      case 'fence':
        return { answer, record, reservations: reservationsFrom(instrument, detail), under }
      default:
        return { answer, record }
    }
  }

  /** Brings the reservations of these instruments up to date, and gives those of the whole site. */
  async reservations(instruments: readonly string[]): Promise<Map<string, KnownReservations>> {
    if (instruments.length > 0) {
      await runScript(this.#beat, 'golemReservationsSettle', this.#keys.root, ...instruments)
    }
    const found = Object.entries(await this.#beat.hgetall(this.#keys.reservations))
    return new Map(found.map(([id, json]) => [id, reservationsFrom(id, json)]))
  }

  /** The outputs are safe after the end of a reservation. @param fence - its number */
  async madeSafe(instrument: string, fence: number): Promise<void> {
    await this.#script('golemReservationSafe', instrument, fence)
  }

  /**
   * Keeps the numbers of a long result for an hour.
   *
   * @throws when Redis is away: unlike an outcome they are not waited with
   */
  async keepResult(id: string, values: readonly number[]): Promise<void> {
    const bytes = Buffer.from(Float64Array.from(values).buffer)
    await this.#beat.set(this.#keys.result(id), bytes, 'EX', RESULT_TTL_S)
  }

  /**
   * Writes how a command ended. Waits while Redis is away. A command that had ended before stays as it was.
   *
   * @returns false when it had ended before
   */
  async finish(record: CommandRecord, outcome: Outcome, endedAt: number): Promise<boolean> {
    const words = outcome.message ?? ''
    const writing = this.#script(
      'golemFinish',
      record.id,
      record.instrument,
      requestOf(record),
      Date.parse(record.submittedAt),
      Date.parse(record.validUntil),
      record.startedAt === undefined ? '' : Date.parse(record.startedAt),
      record.worker ?? '',
      endedAt,
      endingOf(outcome),
      `${record.parameter ?? record.action ?? record.exchange ?? ''}: ${outcome.outcome}${words ? ` (${words})` : ''}`,
      record.by,
      fingerprintOf(record),
    )
    this.#writing.add(writing)
    try {
      return (await writing) === 1
    } finally {
      this.#writing.delete(writing)
    }
  }

  /**
   * Writes a record of what has been done already and came by no queue. Waits while Redis is away.
   *
   * @param done - began and ended by the site's clock, in ms since 1970
   */
  async record(
    done: { id: string; instrument: string; exchange: string; by: string; beganAt: number; endedAt: number },
    outcome: Outcome,
  ): Promise<void> {
    const { beganAt, endedAt, ...request } = done
    const began = isoTime(beganAt)
    await this.finish(
      {
        ...request,
        submittedAt: began,
        validUntil: began,
        startedAt: began,
        worker: this.#worker,
        state: 'ended',
      },
      outcome,
      endedAt,
    )
  }

  /** Waits for the outcomes that are on their way to Redis. @param timeoutMs - when it is away, for so long */
  async flush(timeoutMs: number): Promise<void> {
    const late = new AbortController()
    const timeout = sleep(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)
    await Promise.race([Promise.allSettled(this.#writing), timeout])
    late.abort()
  }

  /** Adds to a command of unknown outcome what reading back showed. */
  async settle(record: CommandRecord, settled: Settlement): Promise<void> {
    await this.#script(
      'golemSettle',
      record.id,
      record.instrument,
      JSON.stringify(settled),
      `command ${record.id}: ${settled.message}`,
    )
  }

  /** Refuses the commands that have waited past their valid-until. @returns how many */
  expire(instruments: readonly string[]): Promise<number> {
    return expireCommands(this.#beat, this.#keys.root, instruments)
  }

  /**
   * Waiting commands of these instruments that some worker took off the queue and did not begin: it died, or had
   * lost the link.
   *
   * @returns instrument and id of each, of one instrument in the order of submission
   */
  async stranded(instruments: readonly string[]): Promise<{ instrument: string; id: string }[]> {
    if (instruments.length === 0) return []
    const flat = (await runScript(this.#beat, 'golemStranded', this.#keys.root, ...instruments)) as string[]
    return flat.flatMap((instrument, n) => {
      const id = flat[n + 1]
      return n % 2 === 0 && id !== undefined ? [{ instrument, id }] : []
    })
  }

  /** The command that Redis believes to be running on an instrument, or null. */
  async running(instrument: string): Promise<CommandRecord | null> {
    const json = await this.#beat.hget(this.#keys.queue(instrument), 'running')
    return json ? recordFrom(json) : null
  }

  /** Ledger records. */
  async records(ids: readonly string[]): Promise<(CommandRecord | null)[]> {
    if (ids.length === 0) return []
    const found = (await this.#script('golemRecords', ...ids)) as (string | null)[]
    return found.map((json) => (json ? recordFrom(json) : null))
  }

  /**
   * Keeps the digests of this host's configuration.
   *
   * @returns those that were kept before; null: there were none
   */
  async configured(
    host: string,
    digests: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>> | null> {
    const before = await this.#script('golemConfigured', host, JSON.stringify(digests))
    return before === '' ? null : (JSON.parse(String(before)) as Record<string, string>)
  }

  /** Adds a line to the site's log. */
  async event(
    kind: string,
    instrument: string,
    message: string,
    by = '',
    details: EventDetails = {},
  ): Promise<void> {
    await this.#script('golemEvent', kind, instrument, by, message, detailsToJson(details))
  }

  close(): void {
    for (const connection of [this.#subscriber, this.#beat, this.#patient]) disconnect(connection)
  }

  #script(name: ScriptName, ...args: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#patient, name, this.#keys.root, ...args)
  }
}

/** Is this somebody else, and not a former life of the same service, whose process has ended? */
function isAnotherProcess(other: WorkerRecord, own: WorkerRecord): boolean {
  if (other.host !== own.host) return true
  return other.pid !== own.pid && existsSync(`/proc/${other.pid}`) && other.startedAt !== own.startedAt
}

/** What a command of which nothing trustworthy is known ends as. */
export function unknownOutcome(message: string): Outcome {
  return { outcome: 'unknown', effect: 'unknown', code: 'WORKER_LOST', message }
}

/** An error as the outcome of a command, `sent` being whether a byte of it has gone out. */
export function outcomeOf(error: GolemError, sent: boolean): Outcome {
  return sent
    ? sentOutcome(error)
    : { outcome: 'refused', effect: 'none', code: error.code, message: error.message }
}

function sentOutcome(error: GolemError): Outcome {
  const kind = error.outcome
  // A code that stands for "never sent" can't be believed once something has been sent.
  if (kind === 'refused') {
    return { outcome: 'unknown', effect: 'unknown', code: error.code, message: error.message }
  }
  return { outcome: kind, effect: error.effect, code: error.code, message: error.message }
}
