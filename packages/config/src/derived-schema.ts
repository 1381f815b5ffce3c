import { type RawAlarms, parameterAlarms } from './alarms-schema.ts'
import { duration, ID_PATTERN, NAME_PATTERN, table, text } from './schema-parts.ts'

/** Of several readings, and of one over a time. */
export const COMBINING = ['difference', 'ratio', 'sum', 'product'] as const
export const WINDOWED = ['mean', 'rate', 'rSquared'] as const
const WAYS = [...COMBINING, ...WINDOWED]

const READING = '^[a-z0-9][a-z0-9-]{0,62}\\.[A-Za-z][A-Za-z0-9_-]{0,62}$'
const reading = (description: string): object => ({ type: 'string', pattern: READING, description })
const readings = (description: string, maxItems: number): object => ({
  type: 'array',
  minItems: 2,
  maxItems,
  items: reading('a reading as INSTRUMENT.PARAMETER'),
  description,
})

/** Twice not, so that it is one fault and not one for each way. */
const oneWay = { not: { not: { anyOf: WAYS.map((way) => ({ required: [way] })) } } }

const parameter = {
  ...table('One derived reading, as one of difference, ratio, sum, product, mean, rate and rSquared', {
    label: text('what the page calls it; default: its name'),
    group: text('heading under which the page shows it'),
    unit: { type: 'string', maxLength: 20, description: 'unit of the result' },
    decimals: { type: 'integer', minimum: 0, maximum: 12, description: 'decimals to show, 0 to 12' },
    note: text('what one should know about it, as a sentence'),
    difference: readings('the first less the others', 10),
    ratio: readings('the first divided by the second', 2),
    sum: readings('all together', 10),
    product: readings('all multiplied', 10),
    mean: reading('arithmetic mean over the window, of INSTRUMENT.PARAMETER'),
    rate: reading('slope of a straight line through the window, of INSTRUMENT.PARAMETER'),
    rSquared: reading('R² of that line, of INSTRUMENT.PARAMETER'),
    window: duration('how far back mean, rate and rSquared look, 1 s to 24 h'),
    per: duration('unit of time of the rate; default 1 min'),
    points: {
      type: 'integer',
      minimum: 2,
      maximum: 500,
      description: 'how many readings there have to be in the window, 2 to 500; default 5',
    },
    factor: {
      type: 'number',
      description: 'the result is multiplied by it; default 1. -1 makes an uptake of a fall',
    },
    alarms: parameterAlarms,
  }),
  ...oneWay,
}

/** `derived` in site.yaml. */
export const derivedSchema = {
  type: 'array',
  description: 'readings that are computed from others, gathered into instruments of their own, a list',
  items: table(
    'One instrument of derived readings',
    {
      id: {
        type: 'string',
        pattern: ID_PATTERN,
        description: 'its name in the API: a-z, 0-9 and -, at most 63',
      },
      label: text('what the page calls it; default: the id'),
      group: text('heading under which the page shows it'),
      parameters: {
        type: 'object',
        minProperties: 1,
        description: 'its readings, by name',
        propertyNames: { pattern: NAME_PATTERN, description: 'a name: letters, digits, _ and -' },
        additionalProperties: parameter,
      },
    },
    ['id', 'parameters'],
  ),
}

/** Derived readings as they are written. */
export interface RawDerived {
  id?: string
  label?: string
  group?: string
  parameters?: Record<string, RawDerivedParameter>
}

export interface RawDerivedParameter {
  label?: string
  group?: string
  unit?: string
  decimals?: number
  note?: string
  difference?: (string | undefined)[]
  ratio?: (string | undefined)[]
  sum?: (string | undefined)[]
  product?: (string | undefined)[]
  mean?: string
  rate?: string
  rSquared?: string
  window?: string
  per?: string
  points?: number
  factor?: number
  alarms?: RawAlarms
}
