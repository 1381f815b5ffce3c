import { EXPORT_FORMATS } from '@golem/archive'

/** JSON Schemas of the routes that give files. */

const time = (what: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 40,
    description: `${what}: ISO 8601 UTC, e.g. 2026-05-01T08:30:00Z, or counted from now, e.g. -7d (ms, s, min, h, d, w), or now`,
  }) as const

const span = {
  from: { ...time('Begin'), default: '-1d' },
  to: { ...time('End, not included'), default: 'now' },
} as const

const rows = {
  type: 'integer',
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  default: 0,
  description: 'With `after`: the rows that came before, so that the last line tells all of them',
} as const

const name = { type: 'string', minLength: 1, maxLength: 100 } as const

export const exportQuery = {
  type: 'object',
  additionalProperties: false,
  required: ['series'],
  properties: {
    series: {
      type: ['string', 'array'],
      items: { type: 'string' },
      description:
        'INSTRUMENT.PARAMETER, once or several times, or several with commas between; INSTRUMENT: all of it; *: all there are',
    },
    ...span,
    format: { type: 'string', enum: EXPORT_FORMATS, default: 'csv' },
    layout: {
      type: 'string',
      enum: ['long', 'wide'],
      default: 'long',
      description: 'long: a row for each reading; wide: a row for each time, with a column for each series',
    },
    every: {
      type: 'string',
      enum: ['exact', 'minute', 'hour'],
      default: 'exact',
      description:
        'exact: readings as they were stored, at their own times; else gathered: mean, in the long layout also min, max and count',
    },
    dialect: {
      type: 'string',
      enum: ['plain', 'excel', 'excel-semicolon'],
      default: 'plain',
      description:
        'Of CSV. excel: for Excel that speaks English; excel-semicolon: with semicolons and decimal commas',
    },
    after: {
      type: 'string',
      minLength: 1,
      maxLength: 240,
      description:
        'Go on after this row, without a head: TIME,SERIES of the last whole row (wide: TIME). Not of Parquet, which is of no use without its end',
    },
    rows,
    ticket: {
      type: 'string',
      maxLength: 100,
      description:
        'Of POST /api/session/ticket, in place of the header Authorization: for a browser that saves the file',
    },
  },
} as const

export const exportLogQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    what: {
      type: 'string',
      enum: ['events', 'commands', 'rows'],
      default: 'events',
      description: 'rows: what a run has measured',
    },
    ...span,
    instrument: { ...name, description: 'Only of this instrument' },
    run: { ...name, description: 'Only of this run' },
    kind: { ...name, maxLength: 40, description: 'Only events of this kind' },
    after: {
      type: 'string',
      pattern: '^\\d{1,15},[\\x21-\\x7e]{1,200}$',
      description:
        'Go on after this line, without a first one: `t`, a comma, and `id` of the last whole line',
    },
    rows,
  },
} as const

export const runArchiveAnswer = {
  type: 'object',
  properties: {
    run: { type: 'object', additionalProperties: true },
    instruments: { type: 'array', items: { type: 'string' }, description: 'Which it commanded or looked at' },
    documents: {
      type: 'array',
      description:
        'Descriptions and other texts that were in force when it began, and those that came while it went on',
      items: {
        type: 'object',
        properties: {
          kind: { type: 'string' },
          name: { type: 'string' },
          at: { type: 'string', format: 'date-time' },
          digest: { type: 'string' },
          body: { type: 'string' },
        },
      },
    },
  },
} as const
