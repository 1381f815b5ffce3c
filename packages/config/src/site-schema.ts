import { parameterAlarms, type RawAlarms } from './alarms-schema.ts'
import { type RawBackup, backupSchema } from './backup-schema.ts'
import { archiveSchema, parameterArchive, type RawArchive, type RawArchiveRule } from './archive-schema.ts'
import { type RawUse, useCalibrations } from './calibrations-schema.ts'
import { derivedSchema, type RawDerived } from './derived-schema.ts'
import { interlocksSchema, type RawInterlock } from './interlocks-schema.ts'
import { notifySchema, type RawNotifier } from './notify-schema.ts'
import { onOrphanedSchema, type RawOnOrphaned } from './orphan-schema.ts'
import { parameterRules, type RawRules } from './rules-schema.ts'
import { clockSchema, type RawSchedule, schedulesSchema } from './schedule-schema.ts'
import { byName, duration, flag, HOST_PATTERN, ID_PATTERN, table, text } from './schema-parts.ts'
import type { ActionOverride } from './site.ts'
import { type RawSyslog, syslogSchema } from './syslog-schema.ts'
import { TOKEN_HASH_PATTERN } from './token.ts'

/** The limits a site may narrow. */
const limits = {
  min: {
    type: 'number',
    description: 'lowest value that may be written here, within the limits of the model',
  },
  max: {
    type: 'number',
    description: 'highest value that may be written here, within the limits of the model',
  },
}

const parameter = table('What this site says of a parameter; what is left out stays as the model has it', {
  label: text('what the page calls it'),
  group: text('heading under which the page shows it'),
  unit: { type: 'string', maxLength: 20, description: 'unit as it is shown; nothing is converted' },
  ...limits,
  note: text('what one should know about it, as a sentence'),
  decimals: { type: 'integer', minimum: 0, maximum: 12, description: 'decimals to show, 0 to 12' },
  pollEvery: duration('how often it is read, from 100 ms to 1 h'),
  safe: {
    type: ['number', 'boolean', 'string', 'null'],
    description: 'value that the emergency stop gives it; null leaves it as it is',
  },
  hidden: flag('true: neither shown nor published'),
  ...parameterRules,
  alarms: parameterAlarms,
  archive: parameterArchive,
})

const action = table('What this site says of an action', {
  label: text('what the page calls it'),
  group: text('heading under which the page shows it'),
  hidden: flag('true: neither shown nor published'),
  arguments: byName(
    'Limits of its arguments, by name. The limits of a parameter also hold for an argument of the same name',
    table('What this site says of an argument', limits),
  ),
})

const listenAddress = (description: string): object => ({
  type: 'string',
  pattern: '^[A-Za-z0-9.:_-]{1,253}$',
  description,
})
/** What the whole site may say of its gateway ports, and each instrument again for its own. */
const gatewayAccess = {
  listen: listenAddress('address to listen on; default 127.0.0.1, this machine only'),
  allow: {
    type: 'array',
    minItems: 1,
    items: {
      type: 'string',
      maxLength: 100,
      description: 'an address or network, e.g. 10.0.0.7 or 10.0.0.0/24',
    },
    description: 'addresses and networks whose clients may come; default: this machine only',
  },
  readOnly: flag('true: only queries pass'),
}

const gateway = table(
  'A TCP port at which other programs speak with it in its own language; with a Modbus unit in Modbus TCP',
  {
    port: { type: 'integer', minimum: 1, maximum: 65535, description: 'port, 1 to 65535' },
    ...gatewayAccess,
    telnet: {
      enum: ['raw', 'rfc2217'],
      description: 'raw (default), or rfc2217: telnet with the settings of the serial line',
    },
    timeout: duration('the longest silence before and within an answer; default: as the model has it'),
  },
  ['port'],
)

const instrument = table(
  'One instrument',
  {
    id: {
      type: 'string',
      pattern: ID_PATTERN,
      description: 'its name in the API: a-z, 0-9 and -, at most 63',
    },
    label: text('what the page calls it; default: the id'),
    group: text(
      'tab for all it has, with the groups of its model as headings; default: each of those is a tab',
    ),
    model: text('kind of instrument, e.g. esp32-relay'),
    address: text('where it is: http://host, tcp://host:port, serial:/dev/serial/by-id/... or sim:name'),
    host: {
      type: 'string',
      pattern: HOST_PATTERN,
      description: 'machine whose worker owns it; default: any',
    },
    pollEvery: duration('how often it is read, from 100 ms to 1 h; default 1 s'),
    onStop: {
      enum: ['hold', 'safe'],
      description: 'what its outputs do when its worker is stopped: hold (default) or safe',
    },
    onOrphaned: onOrphanedSchema,
    onPowerReturn: {
      enum: ['hold', 'safe', 'restore', 'ask'],
      description:
        'what becomes of outputs that have changed while it was without power: hold (default), safe, restore, or ask',
    },
    auth: table(
      'Basic authentication of an HTTP instrument, or what an MQTT broker asks for: user, and passwordFile or passwordEnv',
      {
        user: text('user name'),
        passwordFile: text('file that holds the password, relative to the instance folder'),
        passwordEnv: {
          type: 'string',
          pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
          description: 'environment variable that holds the password',
        },
      },
      ['user'],
    ),
    gateway,
    options: { type: 'object', description: 'options of the model' },
    parameters: byName('What this site says of its parameters, by name', parameter),
    actions: byName('What this site says of its actions, by name', action),
    calibrations: useCalibrations,
  },
  ['id', 'model', 'address'],
)

const token = table(
  'One bearer token',
  {
    name: text('who this is; appears as "by" in the ledger'),
    role: { enum: ['viewer', 'operator', 'admin'], description: 'what it may do: viewer, operator or admin' },
    hash: {
      type: 'string',
      pattern: TOKEN_HASH_PATTERN,
      description: 'sha256: and 64 hexadecimal digits, the hash of the token and not the token itself',
    },
  },
  ['name', 'role', 'hash'],
)

/** The form of site.yaml. Ajv checks with it, and editors get it as instance/site.schema.json. */
export const siteSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'golem site',
  ...table(
    'One installation of golem',
    {
      site: {
        type: 'string',
        pattern: ID_PATTERN,
        description: 'name of this installation in Redis: a-z, 0-9 and -, at most 63',
      },
      title: text('what the page calls this installation; default: the name'),
      redis: text('address of Redis, without password; default: golem up starts its own'),
      archive: archiveSchema,
      backup: backupSchema,
      lease: duration('how long a worker owns a link without renewing, from 1 s to 10 min; default 10 s'),
      maxWaiting: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'how many commands may wait for one instrument, 1 to 1000; default 32',
      },
      web: table('The web page and API', {
        listen: {
          type: 'string',
          pattern: '^[A-Za-z0-9.:_-]{1,253}$',
          description: 'address to listen on; default 127.0.0.1, this machine only',
        },
        port: { type: 'integer', minimum: 0, maximum: 65535, description: 'port, 0 to 65535; default 8000' },
        hosts: {
          type: 'array',
          uniqueItems: true,
          items: {
            type: 'string',
            pattern: HOST_PATTERN,
            description: 'a host name, e.g. stand.lab.example',
          },
          description: 'further host names by which browsers may reach the page',
        },
      }),
      gateway: table('What holds for the gateway ports of all instruments', gatewayAccess),
      syslog: syslogSchema,
      auth: {
        description: 'who may do what: none, or a table with tokens',
        if: { type: 'object' },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: table(
          'Who may do what',
          {
            tokens: { type: 'array', minItems: 1, items: token, description: 'bearer tokens, at least one' },
          },
          ['tokens'],
        ),
        else: { const: 'none', description: 'who may do what: none, or a table with tokens' },
      },
      notify: notifySchema,
      clock: clockSchema,
      schedules: schedulesSchema,
      interlocks: interlocksSchema,
      derived: derivedSchema,
      instruments: { type: 'array', items: instrument, description: 'the instruments, a list' },
    },
    ['site', 'instruments'],
  ),
}

/** site.yaml as it is written. Everything may be missing: this is also what is left of a faulty file. */
export interface RawSite {
  site?: string
  title?: string
  redis?: string
  archive?: false | RawArchive
  backup?: RawBackup
  lease?: string
  maxWaiting?: number
  web?: { listen?: string; port?: number; hosts?: (string | undefined)[] }
  gateway?: { listen?: string; allow?: (string | undefined)[]; readOnly?: boolean }
  syslog?: RawSyslog
  auth?:
    | 'none'
    | { tokens?: ({ name?: string; role?: 'viewer' | 'operator' | 'admin'; hash?: string } | undefined)[] }
  notify?: (RawNotifier | undefined)[]
  clock?: 'synchronised' | 'any'
  schedules?: (RawSchedule | undefined)[]
  interlocks?: (RawInterlock | undefined)[]
  derived?: (RawDerived | undefined)[]
  instruments?: (RawInstrument | undefined)[]
}

export interface RawGateway {
  port?: number
  listen?: string
  allow?: (string | undefined)[]
  readOnly?: boolean
  telnet?: 'raw' | 'rfc2217'
  timeout?: string
}

export interface RawInstrument {
  id?: string
  label?: string
  group?: string
  model?: string
  address?: string
  host?: string
  pollEvery?: string
  onStop?: 'hold' | 'safe'
  onOrphaned?: RawOnOrphaned
  onPowerReturn?: 'hold' | 'safe' | 'restore' | 'ask'
  auth?: { user?: string; passwordFile?: string; passwordEnv?: string }
  gateway?: RawGateway
  options?: Record<string, unknown>
  parameters?: Record<string, RawParameter>
  actions?: Record<string, ActionOverride>
  calibrations?: Record<string, RawUse>
}

export interface RawParameter extends RawRules {
  label?: string
  group?: string
  unit?: string
  min?: number
  max?: number
  note?: string
  decimals?: number
  pollEvery?: string
  safe?: number | boolean | string | null
  hidden?: boolean
  alarms?: RawAlarms
  archive?: false | RawArchiveRule
}
