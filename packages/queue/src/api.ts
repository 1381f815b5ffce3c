import type {
  AlarmRecord,
  ArchiverRecord,
  BusState,
  Calibration,
  CalibrationDraft,
  CommandRecord,
  CommandTarget,
  InstrumentDescription,
  InterlockRecord,
  LeaseRecord,
  MeasuredPoint,
  PlannedStart,
  PowerReturnChoice,
  QueueState,
  RecipeDescription,
  ReservationState,
  RunRecord,
  RunRequest,
  RunRow,
  ScheduleState,
  Snapshot,
  StopState,
  Value,
  WorkerRecord,
} from '@golem/core'
import type { RecordTable } from './keys.ts'
import type { EventPage, EventQuery, LogLine, NewEvent } from './events.ts'
import type { Reservations } from './reservations.ts'

/** Queue facts as they are kept: `oldestAt` (ms since 1970, site clock) instead of an age that grows. */
export interface StoredQueue extends Omit<QueueState, 'oldestMs'> {
  oldestAt: number | null
}

/** What changed, as the follower tells it. `everything`: read all tables anew (start, return of Redis, init-db). */
export type SiteChange =
  | { kind: 'snapshot' | 'queue' | 'description' | 'reservation'; instrument: string }
  | { kind: 'record'; table: RecordTable; id: string }
  | { kind: 'stop' | 'workers' | 'bus' | 'everything' }

/** A live, in-memory copy of the site's state in Redis. Reading it costs no round trip. */
export interface SiteView {
  /** Changes when the database is made anew; cursors of another epoch are void. */
  readonly epoch: string
  /** Id of the last change applied, `<ms>-<n>`, grows. */
  readonly head: string
  readonly descriptions: ReadonlyMap<string, InstrumentDescription>
  readonly snapshots: ReadonlyMap<string, Snapshot>
  readonly queues: ReadonlyMap<string, StoredQueue>
  readonly workers: ReadonlyMap<string, WorkerRecord>
  readonly archivers: ReadonlyMap<string, ArchiverRecord>
  /** How many entries of workers wait for the archiver. */
  readonly samplesWaiting: number
  /** Of instruments that were ever reserved. */
  readonly reservations: ReadonlyMap<string, ReservationState>
  readonly runs: ReadonlyMap<string, RunRecord>
  readonly recipes: ReadonlyMap<string, RecipeDescription>
  readonly alarms: ReadonlyMap<string, AlarmRecord>
  readonly schedules: ReadonlyMap<string, ScheduleState>
  /** Of those that have ever tripped. */
  readonly interlocks: ReadonlyMap<string, InterlockRecord>
  /** Every version, by `name version`. */
  readonly calibrations: ReadonlyMap<string, Calibration>
  /** Points of calibrations that are not made yet, by name. */
  readonly drafts: ReadonlyMap<string, CalibrationDraft>
  readonly stop: StopState
  readonly bus: BusState
  /** Site clock, ms since 1970. */
  now(): number
  /** Calls back after each change was applied; returns the function that ends it. */
  onChange(listener: (change: SiteChange) => void): () => void
}

export interface SubmitRequest {
  instrument: string
  target: CommandTarget
  by: string
  validForMs: number
  /** The Idempotency-Key header. */
  idempotencyKey?: string
  /** Only while this is the lease of the leading scheduler. */
  lead?: string
  /** Number of the reservation it is given under: it is refused when another one is in force by then. */
  reservation?: number
  /**
   * It was given before under the same key, and Redis has lost it: when that was at the earliest, ISO 8601 UTC. The worker
   * sends it only when its journal can tell that it was not sent then.
   */
  givenAt?: string
}

/**
 * What people and programs ask of the leading scheduler. It is carried out once, in the order it came, also by the
 * leader's successor.
 */
export type SchedulerRequest =
  | { type: 'run'; record: RunRecord }
  /** seen: for `skip`, `progress.step` as whoever asks has seen it */
  | { type: 'run-request'; run: string; request: RunRequest; by: string; note: string; seen?: number }
  | { type: 'run-parameters'; run: string; parameters: Readonly<Record<string, Value>>; by: string }
  | { type: 'schedule'; schedule: string; enabled: boolean; by: string }
  | { type: 'acknowledge'; alarm: string; by: string; note: string }
  | { type: 'notifier-test'; notifier: string; by: string }
  /** Its record stands already. */
  | { type: 'calibration'; name: string; version: string }
  /** One more point; `null`: what was measured is thrown away. */
  | { type: 'calibration-point'; name: string; of: string; point: MeasuredPoint | null; by: string }
  | { type: 'code'; run: string; event: string; value: Value; by: string }

/** Which commands of the ledger are wanted. */
export interface CommandQuery {
  instrument?: string
  /** Only those submitted later, ms since 1970. */
  since?: number
  limit: number
}

/** What web processes (and the CLI) do with the site. Every method fails fast with QUEUE_DOWN when Redis is away. */
export interface SiteClient {
  readonly view: SiteView
  readonly reservations: Reservations
  /**
   * Puts a command into the ledger and the instrument's queue.
   *
   * @returns the record, and whether it is new (false: the idempotency key was used for it before)
   * @throws QUEUE_FULL, STOPPED, INSTRUMENT_RESERVED, KEY_REUSED, QUEUE_DOWN (effect none), HANDOVER_UNKNOWN (details.command has the id)
   */
  submit(request: SubmitRequest): Promise<{ record: CommandRecord; created: boolean }>
  /** Waits until the command has ended or the time is over, and gives the record as it then is. */
  waitForOutcome(id: string, timeoutMs: number): Promise<CommandRecord>
  /** @throws UNKNOWN_COMMAND */
  getCommand(id: string): Promise<CommandRecord>
  /**
   * The numbers of a result that was too long for the ledger.
   *
   * @throws UNKNOWN_COMMAND; NOT_FOUND when it has none, or its hour is over
   */
  result(id: string): Promise<Float64Array>
  /** Newest first. */
  listCommands(query: CommandQuery): Promise<CommandRecord[]>
  /** Cancels one that waits. @throws UNKNOWN_COMMAND, NOT_WAITING; INSTRUMENT_RESERVED: by others, and not one's own */
  cancel(id: string, by: string): Promise<CommandRecord>
  /** Emergency stop of the site, or of one instrument. */
  stop(request: { instrument?: string; by: string; reason: string }): Promise<StopState>
  /** Lifts it. Without `instrument`: the site's stop and those of all instruments. */
  releaseStop(request: { instrument?: string; by: string }): Promise<StopState>
  /** Says which values win after an instrument was without power; its worker sees to it. @throws QUEUE_DOWN */
  settlePowerReturn(request: { instrument: string; keep: PowerReturnChoice; by: string }): Promise<void>
  /**
   * Resets an interlock that has tripped; nothing is switched on again by this.
   *
   * @throws NOT_FOUND when nothing of this name has tripped; QUEUE_DOWN
   */
  resetInterlock(request: { name: string; by: string; note: string }): Promise<InterlockRecord>
  /**
   * Hands a request to the leading scheduler.
   *
   * @param record - what is to be seen of it from now on, e.g. the run that is to start
   * @returns the record that stands under its id already, or undefined: it is new
   * @throws SCHEDULER_AWAY when nobody leads: what nobody will do soon is not accepted; QUEUE_DOWN
   */
  request(
    request: SchedulerRequest,
    record?: { table: RecordTable; id: string; value: object },
  ): Promise<unknown>
  /**
   * Writes lines into the site's log.
   *
   * @param number - grows with each batch of a writer: one that is sent again, because nobody knows whether it has arrived, is
   *   written once
   * @throws QUEUE_DOWN
   */
  writeLog(writer: string, number: number, lines: readonly LogLine[]): Promise<void>
  /** A run as Redis has it now: the view may hear of a new one a moment later. @throws QUEUE_DOWN */
  run(id: string): Promise<RunRecord | undefined>
  /** What a run has measured, oldest first. @param since - id of the last row that is known */
  rows(run: string, query: { since?: string; limit: number }): Promise<RunRow[]>
  /** What became of planned starts, newest first. */
  starts(query: { schedule?: string; limit: number }): Promise<PlannedStart[]>
  /** Writes one entry into the site's log. @returns its id. @throws QUEUE_DOWN */
  tell(event: NewEvent): Promise<string>
  /** Records of the ledger; those that are not there any more are left out. @throws QUEUE_DOWN */
  commands(ids: readonly string[]): Promise<CommandRecord[]>
  /** Oldest first after `since` (an event id), or the newest `limit` ones without it. */
  events(query: EventQuery): Promise<EventPage>
  /**
   * A word that lets its bearer in once, at any web process, within half a minute: for a WebSocket, to whose request a
   * browser adds no header.
   *
   * @param bearer - what `redeemTicket` gives back
   * @throws QUEUE_DOWN
   */
  issueTicket(bearer: string): Promise<string>
  /** @returns what it was issued for, or null: it is unknown, has been used or is too old. @throws QUEUE_DOWN */
  redeemTicket(ticket: string): Promise<string | null>
  fleet(): Promise<{ leases: LeaseRecord[]; roundTripMs: number; redisVersion: string }>
  close(): Promise<void>
}
