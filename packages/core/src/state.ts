import type { AlarmRecord } from './alarm.ts'
import type { CommandRecord } from './command.ts'
import type { InterlockRecord, InterlockView } from './interlock.ts'
import type { OutputState } from './output.ts'
import type { PowerReturn } from './power-return.ts'
import type { Condition, Reading } from './reading.ts'
import type { ReservationState } from './reservation.ts'
import type { RunRecord } from './run.ts'

/** Commands of one instrument that wait, run, or ended last. */
export interface QueueState {
  waiting: number
  /** How long the oldest has been waiting, in ms. */
  oldestMs: number
  /** The command that is being carried out. */
  running: CommandRecord | null
  /** The command that ended last. */
  last: CommandRecord | null
}

export interface InstrumentState {
  condition: Condition
  conditionSince: string
  message: string
  owner: string | null
  seenAt: string | null
  readings: Readonly<Record<string, Reading>>
  /** Interlocks that concern its outputs; absent: there are none. */
  interlocks?: readonly InterlockView[]
  /** It was without power, and a person is asked which values win. */
  powerReturn?: PowerReturn
  /** Its outputs that have rules; absent: it has none. */
  outputs?: Readonly<Record<string, OutputState>>
  queue: QueueState
  /** null: nobody has ever held it, waited for it or booked it. */
  reservation: ReservationState | null
}

/** One emergency stop that is in force. */
export interface StopRecord {
  since: string
  by: string
  reason: string
}

/** What is stopped: everything, or single instruments. */
export interface StopState {
  site: StopRecord | null
  instruments: Readonly<Record<string, StopRecord>>
}

/** Whether the web process hears from Redis. */
export interface BusState {
  ok: boolean
  since: string
  message: string
}

/** The answer of `GET /api/state`. */
export interface StateDocument {
  cursor: string
  /** When this was made, ISO 8601 UTC, by the site's clock. */
  at: string
  /** true: everything; false: only the instruments that changed since the cursor. */
  full: boolean
  /** By instrument id; each entry is whole and replaces the one before. */
  instruments: Readonly<Record<string, InstrumentState>>
  /** All that have not ended, and those that ended within the last hour. */
  runs: readonly RunRecord[]
  /** All that are not normal. */
  alarms: readonly AlarmRecord[]
  /** Those that have tripped and were not reset. */
  interlocks: readonly InterlockRecord[]
  stop: StopState
  bus: BusState
}

/** What every process with a record of its own says of itself. */
export interface ProcessDescription {
  pid: number
  version: string
  node: string
  startedAt: string
  rssMb: number
  /** Share of one core used since the last beat, in percent. */
  cpuPercent: number
}

/** What a worker process says of itself, once a second. */
export interface WorkerRecord extends ProcessDescription {
  id: string
  host: string
  /** Last beat, ISO 8601 UTC, by the site's clock. */
  lastSeen: string
  /** Links it owns. */
  links: readonly string[]
  /** How late the process's own timers are, in ms. */
  loopLagMs: number
  /** Devices on its machine that no instrument of the site stands for. */
  unclaimed?: readonly UnclaimedDevice[]
}

/** A device that hangs on a worker's machine and is no instrument yet. */
export interface UnclaimedDevice {
  kind: 'serial' | 'usbtmc' | 'hid'
  /** As site.yaml takes it. */
  address: string
  /** What it says of itself: maker, product, serial number. */
  label: string
  note?: string
}

/** What an archiver process says of itself, once a second. Of several one writes, the others stand by. */
export interface ArchiverRecord extends ProcessDescription {
  id: string
  host: string
  /** Last beat, ISO 8601 UTC, by the site's clock. */
  lastSeen: string
  /** Is it the one that writes? What follows is said of that one. */
  writes: boolean
  /** Entries of the worker processes that wait in Redis, and how many may wait before the oldest are lost. */
  backlog: number
  backlogLimit: number
  /** How old the oldest of them is, in ms; 0: none waits. */
  behindMs: number
  /** Entries that were lost since it was started, because more than `backlogLimit` waited. */
  lost: number
  /** Readings that were stored singly within the last minute, by the second. */
  samplesPerSecond: number
  /** How long the last transaction took, in ms. */
  commitMs: number
  /** What the archive takes on the disk; null: not known. */
  sizeBytes: number | null
  /** What of it each reading takes that is stored singly; null: too few to tell. */
  bytesPerSample: number | null
  /** What is left on the disk; null: not known. */
  freeBytes: number | null
  /** In how many days the disk is full, if it goes on like since it was started; null: not to be told yet. */
  daysLeft: number | null
  /** Absent: none. full: no room on the disk; slow: a transaction takes longer than its second; down: no database. */
  trouble?: { kind: 'full' | 'slow' | 'down'; message: string }
  /** Of the backups that the site has asked for; absent: none. */
  backup?: BackupState
}

/** How the backups of a site are. */
export interface BackupState {
  /** When the newest was made, ISO 8601 UTC; null: there is none. */
  lastAt: string | null
  /** Why the last attempt failed, as a sentence. */
  trouble?: string
}

export interface LeaseRecord {
  link: string
  worker: string
  /** Grows with each change of owner. */
  fence: number
}

/** The answer of `GET /api/fleet`. */
export interface FleetDocument {
  at: string
  workers: readonly (WorkerRecord & { alive: boolean; ageMs: number })[]
  archivers: readonly (ArchiverRecord & { alive: boolean; ageMs: number })[]
  leases: readonly LeaseRecord[]
  queues: Readonly<Record<string, { waiting: number; oldestMs: number; running: boolean }>>
  web: { pid: number; version: string; node: string; startedAt: string; rssMb: number }
  bus: BusState & { roundTripMs: number | null; redisVersion: string | null }
}

/** How serious an entry of the site's log is; as in syslog, without its two highest. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/** What an entry of the site's log has to do with. */
export interface EventDetails {
  /** Absent: info. */
  level?: LogLevel
  /** The command it tells of: an id of the ledger. */
  command?: string
  /** The run that it belongs to, or that caused it. */
  run?: string
  /** The stage that the run was at. */
  stage?: string
  /** Whatever else its kind has to tell, e.g. logger and exception of a script's line. */
  data?: Readonly<Record<string, unknown>>
}

/** One entry of the site's log. */
export interface SiteEvent extends EventDetails {
  /** Grows with time; the cursor of `GET /api/events?since=`. */
  id: string
  at: string
  /** e.g. `command`, `condition`, `stop`, `owner`, `worker`, `reboot` */
  kind: string
  instrument?: string
  by?: string
  message: string
}

export const EMPTY_QUEUE: QueueState = { waiting: 0, oldestMs: 0, running: null, last: null }
export const NO_STOP: StopState = { site: null, instruments: {} }
