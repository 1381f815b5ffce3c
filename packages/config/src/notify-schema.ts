import { SEVERITIES, type Severity } from '@golem/core'
import { duration, flag, ID_PATTERN, table, text } from './schema-parts.ts'

const variable = (description: string): object => ({
  type: 'string',
  pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  description,
})
const minuteOfDay = (description: string): object => ({
  type: 'string',
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
  description: `${description}, as "22:00"`,
})
const mailAddress = {
  type: 'string',
  maxLength: 200,
  pattern: '^[^\\s@<>,;]+@[^\\s@<>,;]+$',
  description: 'an address, e.g. ada@lab.example',
}

const notifier = table(
  'Somebody who is told of alarms',
  {
    name: { type: 'string', pattern: ID_PATTERN, description: 'its name: a-z, 0-9 and -, at most 63' },
    kind: { enum: ['email', 'webhook', 'telegram'], description: 'email, webhook or telegram' },
    severities: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: SEVERITIES, description: 'info, warning or critical' },
      description: 'what it is told of; default: warning and critical',
    },
    repeat: duration('an alarm that nobody has acknowledged is told again after this time, from 1 min'),
    escalateAfter: duration('it is told only of what nobody has acknowledged for so long, from 1 s'),
    followUps: flag('false: it does not hear that an alarm was acknowledged or is over; default true'),
    rate: table(
      'How many messages it gets at most; what is held back is told in the next one. Twice as many when something is critical',
      {
        messages: { type: 'integer', minimum: 1, maximum: 1000, description: 'how many; default 6' },
        per: duration('in this time; default 10 min'),
      },
    ),
    quiet: table(
      'Hours in which it is told only of what is critical, and of the rest afterwards',
      {
        from: minuteOfDay('when they begin'),
        until: minuteOfDay('when they end'),
        timeZone: text('time zone, e.g. Europe/Berlin; default UTC'),
      },
      ['from', 'until'],
    ),
    server: text('mail server: smtp://host:port, or smtps://host:port for TLS from the first byte on'),
    from: { ...mailAddress, description: 'sender of the mail, an address' },
    to: { type: 'array', minItems: 1, items: mailAddress, description: 'who gets the mail, addresses' },
    user: text('user name at the mail server'),
    url: text('where a webhook is called; for telegram the server, default https://api.telegram.org'),
    urlFile: text('file that holds the url, where that is a secret, relative to the instance folder'),
    urlEnv: variable('environment variable that holds the url'),
    chat: text('chat of telegram, e.g. "-1001234567890"'),
    secretFile: text(
      "file that holds the user's password (email), the key of the signature (webhook) or the bot's token (telegram), relative to the instance folder",
    ),
    secretEnv: variable('environment variable that holds the same'),
  },
  ['name', 'kind'],
)

/** Who is told of alarms. */
export const notifySchema = {
  type: 'array',
  maxItems: 50,
  items: notifier,
  description: 'who is told of alarms, a list',
}

export interface RawNotifier {
  name?: string
  kind?: 'email' | 'webhook' | 'telegram'
  severities?: (Severity | undefined)[]
  repeat?: string
  escalateAfter?: string
  followUps?: boolean
  rate?: { messages?: number; per?: string }
  quiet?: { from?: string; until?: string; timeZone?: string }
  server?: string
  from?: string
  to?: (string | undefined)[]
  user?: string
  url?: string
  urlFile?: string
  urlEnv?: string
  chat?: string
  secretFile?: string
  secretEnv?: string
}
