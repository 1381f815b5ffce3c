import { duration, flag, table, text } from './schema-parts.ts'

/** `INSTRUMENT.NAME` */
const PLACE = '[a-z0-9][a-z0-9-]{0,62}\\.[A-Za-z][A-Za-z0-9_-]{0,62}'

const value = {
  type: ['number', 'boolean', 'string'],
  maxLength: 200,
  description: 'a number, a text, true or false',
}
const reading = {
  type: 'string',
  pattern: `^${PLACE}$`,
  description: 'a reading, as INSTRUMENT.PARAMETER',
}
const condition = {
  reading,
  above: { type: 'number', description: 'it acts above this' },
  below: { type: 'number', description: 'it acts below this' },
  equals: value,
  notEquals: value,
  hysteresis: {
    type: 'number',
    minimum: 0,
    description: 'how far back from the limit it has to be before it is over; default 0',
  },
  for: duration('it has to be so, or not to be known, for this long; default: at once, up to 1 h'),
  maxAge: duration('a reading older than this is not known; default: three polls, or a poll and 2 s'),
}
const conditions = (description: string): object => ({
  type: 'array',
  minItems: 1,
  maxItems: 32,
  items: table('A reading, and one of above, below, equals and notEquals', condition, ['reading']),
  description,
})

const interlock = table(
  'A rule across instruments: while something is so, outputs are refused or held',
  {
    name: {
      type: 'string',
      pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
      description: 'its name: a-z, 0-9 and -, at most 63',
    },
    watch: table('What must not be: a reading with a limit, or a list of them under any or all', {
      ...condition,
      any: conditions('it acts when one of these is so; a list of readings with limits'),
      all: conditions('it acts when all of these are so; a list of readings with limits'),
    }),
    refuse: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        pattern: `^${PLACE}( ?= ?\\S.{0,199})?$`,
        description: 'INSTRUMENT.PARAMETER, INSTRUMENT.PARAMETER = VALUE or INSTRUMENT.ACTION',
      },
      description:
        'what is not carried out while it is so: a list of INSTRUMENT.PARAMETER or INSTRUMENT.ACTION',
    },
    trip: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: `^${PLACE}$`, description: 'an output, as INSTRUMENT.PARAMETER' },
      additionalProperties: value,
      description: 'values that are written at once when it becomes so, by INSTRUMENT.PARAMETER',
    },
    allow: {
      type: 'array',
      items: { type: 'string', pattern: `^${PLACE}$`, description: 'an action, as INSTRUMENT.ACTION' },
      description: 'actions that stay allowed while outputs of their instruments are refused or held',
    },
    stale: {
      enum: ['trip', 'refuse', 'ignore'],
      description:
        'what a reading that is not known does: trip (default where something trips), refuse, or ignore',
    },
    latch: flag('false: a trip ends by itself when its cause does; default: a person has to reset it'),
    guidance: { ...text('what to do about it, as a sentence'), maxLength: 1000 },
  },
  ['name', 'watch'],
)

/** The interlocks of a site. */
export const interlocksSchema = {
  type: 'array',
  maxItems: 500,
  items: interlock,
  description: 'rules across instruments, a list',
}

type Scalar = number | boolean | string

export interface RawWatched {
  reading?: string
  above?: number
  below?: number
  equals?: Scalar
  notEquals?: Scalar
  hysteresis?: number
  for?: string
  maxAge?: string
}

export interface RawInterlock {
  name?: string
  watch?: RawWatched & { any?: (RawWatched | undefined)[]; all?: (RawWatched | undefined)[] }
  refuse?: (string | undefined)[]
  trip?: Record<string, Scalar>
  allow?: (string | undefined)[]
  stale?: 'trip' | 'refuse' | 'ignore'
  latch?: boolean
  guidance?: string
}
