import type { Derivation } from '@golem/calibration'
import type {
  Address,
  AlarmRule,
  Calibration,
  InterlockRule,
  OutputRules,
  Severity,
  Value,
} from '@golem/core'
import type { ScheduleConfig } from './check-schedules.ts'

/** What a token may do: viewer reads; operator commands; admin also releases stops and changes the site. */
export type Role = 'viewer' | 'operator' | 'admin'

export interface TokenConfig {
  /** Who this is; appears as `by` in the ledger. */
  name: string
  role: Role
  /** `sha256:` and 64 hexadecimal digits. */
  hash: string
}

/** loopback: no auth was configured, so only loopback addresses may be listened on, and whoever comes is admin. */
export type AuthConfig =
  { kind: 'loopback' } | { kind: 'none' } | { kind: 'tokens'; tokens: readonly TokenConfig[] }

export interface WebConfig {
  /** Address to listen on (default 127.0.0.1). */
  listen: string
  /** Port (default 8000); `portFixed` is false when nobody chose it, and another free one will do. */
  port: number
  portFixed: boolean
  /** Further host names by which browsers may reach the page, e.g. `stand.lab.example`. */
  hosts: readonly string[]
  auth: AuthConfig
}

/** A port, UDP and TCP, at which a web process takes syslog messages. */
export interface SyslogConfig {
  /** Address to listen on (default 127.0.0.1). */
  listen: string
  /** default 5514 */
  port: number
  /** Addresses and networks whose messages are taken (default: this machine only). */
  allow: readonly string[]
}

/** The group of an instrument to which the site gives none. */
export const DEFAULT_GROUP = 'Devices'

/** What a site says of one parameter; what is absent stays as the model has it. */
export interface ParameterOverride {
  label?: string
  group?: string
  unit?: string
  min?: number
  max?: number
  note?: string
  decimals?: number
  pollEveryMs?: number
  /** null: the emergency stop leaves it as it is. */
  safe?: Value | null
  /** true: not shown and not published. */
  hidden?: boolean
  /** What its worker holds it to. */
  rules?: OutputRules
  /** When its value calls a person. */
  alarms?: readonly AlarmRule[]
  /** false: its readings are not kept. */
  archive?: false | ArchiveRule
}

/** Which readings of a parameter are stored singly. */
export interface ArchiveRule {
  /** A value that differs from the stored one by no more counts as unchanged (default 0). */
  deadband: number
  /** A value that stays is stored so often all the same, in ms (default a minute). */
  heartbeatMs: number
}

/** Of parameters of which the site says nothing. */
export const DEFAULT_ARCHIVE_RULE: ArchiveRule = { deadband: 0, heartbeatMs: 60_000 }

/** What a site says of one action. */
export interface ActionOverride {
  label?: string
  group?: string
  hidden?: boolean
  /** Limits of its arguments. */
  arguments?: Readonly<Record<string, { min?: number; max?: number }>>
}

/** A TCP port at which foreign programs speak with an instrument in its own language. */
export interface GatewayConfig {
  /** Address to listen on (default 127.0.0.1). */
  listen: string
  port: number
  /** Addresses and networks whose clients may come (default: this machine only). */
  allow: readonly string[]
  /** Only queries pass. */
  readOnly: boolean
  /** rfc2217: clients speak telnet with the com port option. */
  telnet: 'raw' | 'rfc2217'
  /** The longest silence before and within an answer, in ms; null: as the model has it. */
  timeoutMs: number | null
}

export interface InstrumentConfig {
  id: string
  label: string
  group: string
  model: string
  /** As site.yaml has it, without credentials. */
  address: string
  /** Parsed, a `sim:` address already replaced by where the simulated device is, when that is known. */
  endpoint: Address
  /** Physical connection: instruments with the same one share it. */
  link: string
  host: string | null
  pollEveryMs: number
  onStop: 'hold' | 'safe'
  /** What becomes of outputs that are no longer as they were after it was without power; absent: hold. */
  onPowerReturn?: 'hold' | 'safe' | 'restore' | 'ask'
  /** Its outputs go safe when its worker has heard nothing of Redis for so long, in ms; absent: they hold. */
  orphanSafeAfterMs?: number
  /** Basic authentication of an HTTP instrument; the password came from a file or the environment. */
  auth: { user: string; password: string } | null
  /** null: it has none. */
  gateway: GatewayConfig | null
  options: Readonly<Record<string, unknown>>
  parameters: Readonly<Record<string, ParameterOverride>>
  actions: Readonly<Record<string, ActionOverride>>
  /** Further parameters that calibrations make of raw ones; absent: none. What the site says of them is in `parameters`. */
  calibrations?: Readonly<Record<string, CalibratedParameter>>
}

/** A parameter that a calibration makes of one or two others of the instrument. */
export interface CalibratedParameter {
  from: readonly string[]
  /** Name of the calibration. */
  use: string
  /** It can be set: the calibration is turned back. */
  writable: boolean
}

/** A reading that is computed from others. */
export interface DerivedParameter {
  label: string
  group?: string
  unit?: string
  decimals?: number
  note?: string
  alarms?: readonly AlarmRule[]
  derivation: Derivation
  from: readonly { instrument: string; parameter: string }[]
  /** The result is multiplied by it. */
  factor: number
}

/** Derived readings that are shown as an instrument of their own. */
export interface DerivedConfig {
  id: string
  label: string
  group: string
  parameters: Readonly<Record<string, DerivedParameter>>
}

/** Somebody who is told of alarms. Times in ms. */
export interface NotifierConfig {
  name: string
  target: NotifierTarget
  severities: readonly Severity[]
  /** An active alarm that nobody has acknowledged is told of again after this time; null: never. */
  repeatMs: number | null
  /** It is told only of what nobody has acknowledged for so long; 0: at once. */
  escalateAfterMs: number
  /** It also hears that an alarm was acknowledged, or is over. */
  followUps: boolean
  /** At most so many messages in this time. */
  rate: { messages: number; perMs: number }
  /** Then only what is critical is told. Minutes of the day in that time zone; null: never. */
  quiet: { from: number; until: number; timeZone: string } | null
}

/** By which way; secrets came from files or the environment. */
export type NotifierTarget =
  | {
      kind: 'email'
      host: string
      port: number
      /** From the first byte on; otherwise STARTTLS, where the server has it. */
      tls: boolean
      auth: { user: string; password: string } | null
      from: string
      to: readonly string[]
    }
  | {
      kind: 'webhook'
      url: string
      /** Key of the signature (HMAC-SHA256); null: it is not signed. */
      secret: string | null
    }
  | { kind: 'telegram'; url: string; token: string; chat: string }

/** The archive of a site. */
export interface ArchiveConfig {
  /** Path of a file, absolute, or the URL of a PostgreSQL database. */
  place: string
  /** How many entries of workers may wait in Redis for the archiver (default 500,000); the oldest are lost first. */
  stream: number
  /** How long what is archived is kept, in ms; null: for ever (default). */
  keep: ArchiveKeep
}

/** Nothing is ever forgotten. */
export const KEEP_ALL: ArchiveKeep = { raw: null, minute: null, hour: null, events: null }

export interface ArchiveKeep {
  /** Readings that were stored singly. */
  raw: number | null
  minute: number | null
  hour: number | null
  /** The log, commands, and gaps. */
  events: number | null
}

/** Backups that are made every day. */
export interface BackupConfig {
  /** Time of day of the machine that makes them, in minutes after midnight. */
  atMinutes: number
  /** Absolute. */
  folder: string
  /** How many stay: of the newest, and the newest of so many days, weeks and months. */
  keep: { last: number; daily: number; weekly: number; monthly: number }
  /** Absolute; null: not encrypted. */
  passphraseFile: string | null
  /** Program and arguments that carry a new one on; `{file}` stands for its path. */
  afterwards: readonly string[] | null
}

/** One installation, read from `instance/site.yaml` and found without fault. */
export interface Site {
  /** Names the key prefix in Redis: `{golem:<name>}`. */
  name: string
  /** Shown on the page. */
  title: string
  /** The file it came from. */
  file: string
  /** The folder for what golem keeps: journal, Redis data, run files. Absolute. */
  instanceDir: string
  /** redis:// or unix:// URL, comma-separated sentinels or cluster nodes; null: a private one is started by `golem up`. */
  redisUrl: string | null
  /** Where readings and what happened are kept; null: nowhere. */
  archive: ArchiveConfig | null
  /** Backups that are made by themselves; null: none. */
  backup: BackupConfig | null
  /** How long a worker owns a link without renewing, in ms (default 10000). */
  leaseMs: number
  /** How many commands may wait for one instrument (default 32). */
  maxWaiting: number
  web: WebConfig
  /** Where the log of boards and programs is listened for; null: nowhere. */
  syslog: SyslogConfig | null
  /** Who is told of alarms. */
  notify: readonly NotifierConfig[]
  instruments: readonly InstrumentConfig[]
  /** Which clock calendar times go by: `any` takes the site's clock as it is. */
  clock: 'synchronised' | 'any'
  schedules: readonly ScheduleConfig[]
  /** All versions of the calibrations in files. */
  calibrations: readonly Calibration[]
  derived: readonly DerivedConfig[]
  /** Rules across instruments. */
  interlocks: readonly InterlockRule[]
}
