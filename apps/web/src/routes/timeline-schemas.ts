import { LOG_LEVELS } from '@golem/core'

/** JSON Schemas of the timeline and of notes. */

const moment = (what: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 40,
    description: `${what}: ISO 8601 UTC, e.g. 2026-05-01T08:30:00Z, or counted from now, e.g. -6h (ms, s, min, h, d, w), or now`,
  }) as const

const place = (what: string) =>
  ({ type: 'string', pattern: '^\\d{1,16}_\\d{1,16}-\\d{1,20}$', description: what }) as const

export const timelineQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: moment('Begin (default: the first entry)'),
    to: moment('End (default: the newest entry)'),
    before: place('`before` of the last answer: what came earlier'),
    after: place('`after` of the last answer: what comes later'),
    kind: {
      type: 'string',
      minLength: 1,
      maxLength: 400,
      description: 'One kind, or several with commas between',
    },
    level: { type: 'string', enum: LOG_LEVELS, description: 'Those of this level or a more serious one' },
    instrument: { type: 'string', minLength: 1, maxLength: 100 },
    run: { type: 'string', minLength: 1, maxLength: 200, description: 'Those of this run, or caused by it' },
    by: { type: 'string', minLength: 1, maxLength: 100, description: 'Part of the name of who did it' },
    text: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Those with this text in them, in whatever case',
    },
    limit: { type: 'integer', minimum: 1, maximum: 500, default: 100 },
  },
} as const

/** How long a note may be, in characters. */
const MAX_NOTE = 4_000

export const noteBody = {
  type: 'object',
  additionalProperties: false,
  required: ['text'],
  properties: {
    text: { type: 'string', minLength: 1, maxLength: MAX_NOTE, pattern: '\\S' },
    from: moment('When it was, or began (default: now)'),
    to: moment('When that ended'),
    instrument: { type: 'string', minLength: 1, maxLength: 100 },
    run: { type: 'string', minLength: 1, maxLength: 200 },
  },
} as const

const time = { type: 'string', format: 'date-time' } as const

const entryProperties = {
  id: { type: 'string' },
  at: { ...time, description: 'When it was written' },
  kind: {
    type: 'string',
    description: 'e.g. command, refusal, run, alarm, interlock, reservation, note, log',
  },
  instrument: { type: 'string' },
  by: { type: 'string' },
  message: { type: 'string' },
  level: { type: 'string', enum: LOG_LEVELS, description: 'Absent: info' },
  command: { type: 'string' },
  run: { type: 'string', description: 'The run that it belongs to, or that caused it' },
  stage: { type: 'string', description: 'Number and name of the stage it was at, e.g. `3: dry`' },
  data: { type: 'object', additionalProperties: true },
} as const

export const noteAnswer = { type: 'object', additionalProperties: true, properties: entryProperties } as const

export const timelineAnswer = {
  type: 'object',
  properties: {
    at: time,
    entries: {
      type: 'array',
      description: 'Oldest first',
      items: {
        type: 'object',
        additionalProperties: true,
        properties: {
          ...entryProperties,
          when: { ...time, description: 'Where it belongs: of a note the begin of what it is about' },
          commands: {
            type: 'array',
            description: 'The commands it tells of, with their outcomes',
            items: { type: 'object', additionalProperties: true },
          },
        },
      },
    },
    before: { type: ['string', 'null'], description: 'null: nothing came earlier' },
    after: { type: ['string', 'null'] },
    note: { type: 'string', description: 'Why entries may be missing' },
  },
} as const
