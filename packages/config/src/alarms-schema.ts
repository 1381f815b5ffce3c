import { duration, flag, table, text } from './schema-parts.ts'
import { SEVERITIES, type Severity } from '@golem/core'

const number = (description: string): object => ({ type: 'number', description })

const common = {
  delay: duration('it has to be so for this long; default: at once, up to 24 h'),
  offDelay: duration('it has to be over for this long; default: at once, up to 24 h'),
  latch: flag('true: it stays until it is acknowledged after it was over; default false'),
  severity: { enum: SEVERITIES, description: 'info, warning (default) or critical' },
  guidance: { ...text('what to do about it, as a sentence'), maxLength: 1000 },
  inhibitDuring: {
    type: 'array',
    items: { type: 'string', minLength: 1, maxLength: 200, description: 'RECIPE, or RECIPE/STAGE' },
    description: 'nobody is called while a run of one of these recipes goes on, or is in that stage',
  },
}
const hysteresis = {
  type: 'number',
  minimum: 0,
  description: 'how far back it has to be before it is over, in the unit of the parameter; default 0',
}
const limit = (description: string): object =>
  table(description, { at: number('the limit, a number'), hysteresis, ...common }, ['at'])

const scalar = {
  type: ['number', 'boolean', 'string'],
  maxLength: 200,
  description: 'a number, a text, true or false',
}
const values = {
  if: { type: 'array' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { type: 'array', minItems: 1, items: scalar, description: 'values, at least one' },
  else: scalar,
  description: 'a value, or a list of values',
}

/** The alarms of one parameter. */
export const parameterAlarms = table('When its value calls a person', {
  lowLow: limit('Below this it is dangerous'),
  low: limit('Below this somebody should look'),
  high: limit('Above this somebody should look'),
  highHigh: limit('Above this it is dangerous'),
  deviation: table(
    'Too far from where it should be',
    {
      from: {
        type: ['number', 'string'],
        maxLength: 200,
        description: 'a number, or another reading as INSTRUMENT.PARAMETER',
      },
      by: {
        type: 'number',
        exclusiveMinimum: 0,
        description: 'how far it may be away, in the unit of the parameter',
      },
      hysteresis,
      ...common,
    },
    ['from', 'by'],
  ),
  state: table('It has, or has not, one of these values: either equals or notEquals', {
    equals: values,
    notEquals: values,
    ...common,
  }),
  stale: table('It is not read', {
    after: duration('for how long it may not be read; default 1 min, from 1 s to 24 h'),
    ...common,
  }),
})

interface RawCommon {
  delay?: string
  offDelay?: string
  latch?: boolean
  severity?: Severity
  guidance?: string
  inhibitDuring?: (string | undefined)[]
}
type Scalar = number | boolean | string
type Scalars = Scalar | (Scalar | undefined)[]
type RawLimit = RawCommon & { at?: number; hysteresis?: number }

export interface RawAlarms {
  lowLow?: RawLimit
  low?: RawLimit
  high?: RawLimit
  highHigh?: RawLimit
  deviation?: RawCommon & { from?: number | string; by?: number; hysteresis?: number }
  state?: RawCommon & { equals?: Scalars; notEquals?: Scalars }
  stale?: RawCommon & { after?: string }
}
