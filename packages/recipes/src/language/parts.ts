import { DURATION_PATTERN } from '@golem/config'

/** The longest text in a recipe. */
const LONGEST = 1000
/** Names of parameters and variables, as they stand behind `$`. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_]{0,62}$'
const VARIABLE = '\\$[A-Za-z][A-Za-z0-9_]{0,62}'

export const text = (description: string): object => ({
  type: 'string',
  minLength: 1,
  maxLength: LONGEST,
  description,
})

/** A table with these keys and no others. */
export const table = (
  description: string,
  properties: Readonly<Record<string, object>>,
  required: readonly string[] = [],
): object => ({ type: 'object', description, additionalProperties: false, required, properties })

export const list = (description: string, items: object, minItems: number, maxItems: number): object => ({
  type: 'array',
  description,
  items,
  minItems,
  maxItems,
})

export const byName = (description: string, entry: object, pattern: string, what: string): object => ({
  type: 'object',
  description,
  minProperties: 1,
  propertyNames: { pattern, description: what },
  additionalProperties: entry,
})

/** A duration, or a `$name` that stands for one. */
export const duration = (description: string): object => ({
  type: 'string',
  pattern: `${DURATION_PATTERN}|^${VARIABLE}$`,
  description: `${description}; a time with its unit, e.g. 1 s or 2 min, or a $name`,
})

/** A number, or a `$name` that stands for one. */
export const number = (description: string): object => ({
  type: ['number', 'string'],
  pattern: `^${VARIABLE}$`,
  description: `${description}; a number or a $name`,
})

export const plainNumber = (description: string): object => ({ type: 'number', description })

/** Whatever a parameter of an instrument may take. */
export const value = (description: string): object => ({
  type: ['number', 'boolean', 'string', 'array'],
  items: { type: 'number' },
  maxItems: 4096,
  maxLength: LONGEST,
  description: `${description}; a number, true, false, a text, a list of numbers or a $name`,
})

export const flag = (description: string): object => ({ type: 'boolean', description })

export const inhibitAlarms = (when: string): object => ({
  ...list(
    `Alarms that call nobody ${when}`,
    {
      type: 'string',
      pattern: REF_PATTERN,
      description:
        'an alarm: instrument.parameter.kind, instrument.parameter for all of it, or instrument.lost',
    },
    1,
    100,
  ),
  uniqueItems: true,
})

export const REF_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}\\.[A-Za-z][A-Za-z0-9_.-]{0,127}$'

export const ref = (what: string): object => ({
  type: 'string',
  pattern: REF_PATTERN,
  description: `${what}, as instrument.name`,
})
