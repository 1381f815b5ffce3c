import { DURATION_PATTERN } from './duration.ts'
import { flag, ID_PATTERN, NAME_PATTERN, table, text } from './schema-parts.ts'

/** Days of the week as the site file has them. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const MISSED = ['skip', 'once', 'catch-up'] as const
export const ON_OVERLAP = ['skip', 'wait'] as const

const span = (description: string): object => ({ type: 'string', pattern: DURATION_PATTERN, description })
/** One of something, or a list of them. */
const oneOrMore = (description: string, item: object): object => ({
  if: { type: 'array' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { type: 'array', minItems: 1, maxItems: 500, uniqueItems: true, items: item, description },
  else: item,
  description,
})

/** Twice not, so that it is one fault and not one for each way. */
const oneWay = { not: { not: { anyOf: ['every', 'at', 'once'].map((way) => ({ required: [way] })) } } }

const whenTable = table('when it starts, as every, at or once, e.g. { every: 10 min }', {
  every: span(
    'every so often, e.g. 10 min; counted in UTC from the top of the hour, whole hours from midnight',
  ),
  offset: span('by how much the marks of `every` are later, e.g. 2 min'),
  at: oneOrMore('times of the day, e.g. "06:00" or ["06:00", "18:00:30"]', {
    type: 'string',
    pattern: '^([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?$',
    description: 'a time of the day as HH:MM or HH:MM:SS',
  }),
  zone: text('time zone of `at` and `once`, e.g. Europe/Berlin or UTC'),
  days: oneOrMore('days of the week for `at`, e.g. [mon, fri]; default: every day', {
    enum: WEEKDAYS,
    description: 'mon, tue, wed, thu, fri, sat or sun',
  }),
  dates: oneOrMore('days for `at`: "2026-12-24", "12-24" of each year, or 1 to 31 of each month', {
    if: { type: 'string' },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: {
      type: 'string',
      pattern: '^(\\d{4}-)?\\d{2}-\\d{2}$',
      description: 'a day as YYYY-MM-DD, as MM-DD for each year, or 1 to 31 for each month',
    },
    else: {
      type: 'integer',
      minimum: 1,
      maximum: 31,
      description: 'a day as YYYY-MM-DD, as MM-DD for each year, or 1 to 31 for each month',
    },
  }),
  once: oneOrMore('single moments, e.g. "2026-12-24 06:00"', {
    type: 'string',
    pattern: '^\\d{4}-\\d{2}-\\d{2}[ T]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?(Z|[+-]\\d{2}:\\d{2})?$',
    description: 'a moment as YYYY-MM-DD HH:MM in `zone`, or with Z or an offset, e.g. 2026-12-24T06:00Z',
  }),
})

const when = { ...whenTable, ...oneWay }

/** The form of `schedules` in site.yaml. */
export const schedulesSchema = {
  type: 'array',
  description: 'when runs of recipes start by themselves, a list',
  items: table(
    'One schedule',
    {
      id: { type: 'string', pattern: ID_PATTERN, description: 'its name: a-z, 0-9 and -, at most 63' },
      label: text('what the page calls it; default: the id'),
      recipe: {
        type: 'string',
        pattern: ID_PATTERN,
        description: 'id of the recipe, its file name without .yaml',
      },
      parameters: {
        type: 'object',
        description: 'parameters of the recipe, by name',
        propertyNames: { pattern: NAME_PATTERN, description: 'name as the recipe has it' },
        additionalProperties: {
          type: ['number', 'boolean', 'string'],
          description: 'a number, a text (a time with its unit too), true or false',
        },
      },
      instruments: {
        type: 'object',
        description: 'instruments by the roles of the recipe, in place of those it names itself',
        propertyNames: { pattern: NAME_PATTERN, description: 'role as the recipe has it' },
        additionalProperties: { type: 'string', pattern: ID_PATTERN, description: 'id of an instrument' },
      },
      when,
      missed: {
        enum: MISSED,
        description:
          'what happens to starts that were missed: skip (default), once: one for all, catch-up: each, up to 24',
      },
      within: span('how late a start may be before it counts as missed, from 1 s to 24 h; default 1 min'),
      onOverlap: {
        enum: ON_OVERLAP,
        description:
          'while a run of it still goes on: skip (default) the start, or wait and start afterwards',
      },
      enabled: flag('false: it plans nothing until somebody switches it on; default true'),
    },
    ['id', 'recipe', 'when'],
  ),
}

/** `clock` in site.yaml. */
export const clockSchema = {
  enum: ['synchronised', 'any'],
  description:
    'which clock calendar times go by: synchronised (default: they wait while the machine says that its clock is not) or any',
}

/** A schedule as it is written. */
export interface RawSchedule {
  id?: string
  label?: string
  recipe?: string
  parameters?: Record<string, number | boolean | string>
  instruments?: Record<string, string>
  when?: RawWhen
  missed?: (typeof MISSED)[number]
  within?: string
  onOverlap?: (typeof ON_OVERLAP)[number]
  enabled?: boolean
}

type OneOrMore<T> = T | (T | undefined)[]

export interface RawWhen {
  every?: string
  offset?: string
  at?: OneOrMore<string>
  zone?: string
  days?: OneOrMore<(typeof WEEKDAYS)[number]>
  dates?: OneOrMore<string | number>
  once?: OneOrMore<string>
}
