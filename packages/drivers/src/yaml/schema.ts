import { DURATION_PATTERN } from '@golem/config'
import type { JsonSchema } from '@golem/core'
import type { Language } from './model-file.ts'

const ID_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$'
/** Names of parameters, arguments, actions and groups: also names of groups in patterns, so without - signs. */
export const NAME_PATTERN = '^[A-Za-z][A-Za-z0-9_]{0,62}$'
/** The longest text that is sent, and the longest pattern. */
const LONGEST = 1000

export const text = (description: string): object => ({
  type: 'string',
  minLength: 1,
  maxLength: LONGEST,
  description,
})
export const flag = (description: string): object => ({ type: 'boolean', description })
export const number = (description: string): object => ({ type: 'number', description })
export const integer = (minimum: number, maximum: number, description: string): object => ({
  type: 'integer',
  minimum,
  maximum,
  description,
})
export const duration = (description: string): object => ({
  type: 'string',
  pattern: DURATION_PATTERN,
  description: `${description}; a time with its unit, e.g. 500 ms, 1 s or 2 min`,
})
/** A table with these keys and no others. */
export const table = (
  description: string,
  properties: Readonly<Record<string, object>>,
  required: readonly string[] = [],
): object => ({ type: 'object', description, additionalProperties: false, required, properties })
export const list = (description: string, items: object, minItems = 0): object => ({
  type: 'array',
  description,
  items,
  minItems,
})
export const byName = (description: string, entry: object, what: string): object => ({
  type: 'object',
  description,
  propertyNames: {
    pattern: NAME_PATTERN,
    description: `${what}: a letter, then letters, digits and _, at most 63`,
  },
  additionalProperties: entry,
})
/** A short form (a text) or a table: `fullForm` is what the table has. */
export const textOr = (description: string, fullForm: object): object => ({
  description,
  if: { type: 'string' },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: text(description),
  else: fullForm,
})

const wireText = {
  description: 'what stands on the wire for it: a text or number, or a list of them (the first is sent)',
  type: ['string', 'number', 'array'],
  items: { type: ['string', 'number'] },
}

/** How a value looks to people and on the wire; the same for parameters, arguments and results. */
export const valueProperties: Readonly<Record<string, object>> = {
  type: {
    enum: ['number', 'integer', 'boolean', 'choice', 'text', 'array'],
    description: 'number, integer, boolean, choice, text or array (of numbers)',
  },
  unit: { type: 'string', maxLength: 20, description: 'unit as it is shown, e.g. V' },
  min: number('lowest value that may be written, in the unit shown'),
  max: number('highest value that may be written, in the unit shown'),
  choices: {
    ...list('the values of a choice, as people see them', text('one of them'), 1),
    uniqueItems: true,
  },
  maxLength: integer(1, 4000, 'the most characters of a text; default 256'),
  maxItems: integer(1, 4096, 'the most numbers of an array; default 4096'),
  scale: number('the value is the number on the wire times this, plus offset; default 1'),
  offset: number('added after scale; default 0'),
  format: {
    type: 'string',
    pattern: '^(plain|integer|hex|fixed \\d|exponent \\d)$',
    description: 'how a number is sent: plain (default), integer, hex, fixed N or exponent N (N decimals)',
  },
  map: {
    type: 'object',
    description:
      'what stands on the wire for each value: for a choice its choices, for a boolean the keys on and off',
    additionalProperties: wireText,
  },
  bit: integer(0, 31, 'a boolean is this bit of the number on the wire, 0 to 31'),
  bits: {
    type: 'array',
    minItems: 2,
    maxItems: 2,
    items: { type: 'integer', minimum: 0, maximum: 32 },
    description:
      'a choice, number or integer is these bits of the number on the wire: the lowest, and how many',
  },
  faults: {
    type: 'object',
    description:
      'what on the wire is no value (e.g. -255) and why, as a sentence: the reading is then bad, not wrong',
    additionalProperties: text('why, as a sentence'),
  },
  quote: {
    enum: ['none', 'double', 'single'],
    description: 'quotes around a text that is sent: none (default), double or single',
  },
  allowed: text('pattern that a text has to match as a whole before it is sent'),
}

const parameterProperties: Readonly<Record<string, object>> = {
  label: text('what the page calls it'),
  group: text('heading under which the page shows it'),
  note: text('what one should know about it, as a sentence'),
  step: number('step of a control on the page'),
  decimals: integer(0, 12, 'decimals to show, 0 to 12'),
  safe: {
    type: ['number', 'boolean', 'string'],
    description: 'value that the emergency stop gives it; without it the stop leaves it as it is',
  },
  ...valueProperties,
}

const argumentProperties: Readonly<Record<string, object>> = {
  label: text('what the page calls it'),
  step: number('step of a control on the page'),
  default: {
    type: ['number', 'boolean', 'string'],
    description: 'used when the argument is left out; without it the argument is required',
  },
  ...valueProperties,
}

const actionProperties: Readonly<Record<string, object>> = {
  label: text('what the page calls it'),
  group: text('heading under which the page shows it'),
  note: text('what one should know about it, as a sentence'),
  confirm: flag('true: the page asks before it does this'),
  arguments: byName('What it takes', table('One argument', argumentProperties, ['label', 'type']), 'name'),
}

/** The form of a model file of one transport. */
export function schemaOf(name: string, { schema }: Language): JsonSchema {
  const { top, required = [], parameter, parameterRequired = [], action, actionRequired = [] } = schema
  return table(
    `A model with transport: ${name}`,
    {
      model: {
        type: 'string',
        pattern: ID_PATTERN,
        description: 'its id, as site.yaml names it: a-z, 0-9 and -, at most 63',
      },
      label: text('maker and type, e.g. Rigol DP832'),
      kind: text('kind of instrument, e.g. power supply'),
      source: text('where its protocol is written down, and what of it has been tried on hardware'),
      transport: { const: name, description: `${name}` },
      uptime: text(
        'the parameter that counts seconds since boot: when it falls, the instrument has rebooted',
      ),
      parameters: byName(
        'What can be read and written, by name',
        table('One parameter', { ...parameterProperties, ...parameter }, [
          'label',
          'type',
          ...parameterRequired,
        ]),
        'name of a parameter',
      ),
      actions: byName(
        'What it can do besides, by name',
        table('One action', { ...actionProperties, ...action }, ['label', ...actionRequired]),
        'name of an action',
      ),
      ...top,
    },
    ['model', 'label', 'kind', 'source', 'transport', ...required],
  ) as JsonSchema
}

/** The form of any model file, for editors: instance/model.schema.json. */
export function editorSchema(languages: ReadonlyMap<string, Language>): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'golem model',
    type: 'object',
    required: ['transport'],
    properties: { transport: { enum: [...languages.keys()] } },
    allOf: [...languages].map(([name, language]) => ({
      if: { properties: { transport: { const: name } }, required: ['transport'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: schemaOf(name, language),
    })),
  }
}
