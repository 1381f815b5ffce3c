import { duration, table, text } from './schema-parts.ts'

/** A time after which something may be forgotten: longer than other durations, or for ever. */
export const KEEP_PATTERN = '^(forever|(\\d+(?:\\.\\d+)?) ?(h|d|w|y))$'

const keep = (what: string): object => ({
  type: 'string',
  pattern: KEEP_PATTERN,
  description: `how long ${what}, e.g. 48 h, 90 d, 4 w, 2 y or forever; default forever`,
})

/** `archive` of a site. */
export const archiveSchema = {
  description: 'where readings and what happened are kept: a table, or false for nowhere',
  if: { type: 'object' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: table('The archive', {
    place: text(
      'file of the archive, relative to the instance folder, or postgres://host/database without password; default archive/SITE.sqlite',
    ),
    stream: {
      type: 'integer',
      minimum: 1_000,
      maximum: 10_000_000,
      description: 'how many entries may wait in Redis for the archiver, 1000 to 10000000; default 500000',
    },
    keep: table('How long what is archived is kept', {
      raw: keep('readings stay that were stored singly'),
      minute: keep('minimum, maximum and mean of each minute stay'),
      hour: keep('minimum, maximum and mean of each hour stay'),
      events: keep('the log, the commands and the gaps stay'),
    }),
  }),
  else: { const: false, description: 'where readings and what happened are kept: a table, or false' },
}

/** `archive` of a parameter. */
export const parameterArchive = {
  description: 'which readings are stored singly: a table, or false for none at all',
  if: { type: 'object' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: table('Which readings are stored singly; those of each minute and hour are gathered from all', {
    deadband: {
      type: 'number',
      minimum: 0,
      description:
        'a value that differs by no more, in the unit of the parameter, counts as unchanged; default 0',
    },
    heartbeat: duration('how often a value that stays is stored; default 1 min, from 1 s to 24 h'),
  }),
  else: { const: false, description: 'which readings are stored singly: a table, or false' },
}

export interface RawArchive {
  place?: string
  stream?: number
  keep?: { raw?: string; minute?: string; hour?: string; events?: string }
}

export interface RawArchiveRule {
  deadband?: number
  heartbeat?: string
}
