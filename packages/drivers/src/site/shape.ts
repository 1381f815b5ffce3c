import { checkSchema } from '@golem/config'
import { ADDRESS_KINDS, GolemError, type JsonSchema } from '@golem/core'
import type { DriverShape, ModelShape } from './messages.ts'

const text = { type: 'string', minLength: 1, description: 'a text' } as const
const yesOrNo = { type: 'boolean', description: 'true or false' } as const
const number = { type: 'number', description: 'a number' } as const
const milliseconds = { type: 'number', minimum: 0, description: 'a time in ms' } as const
const transport = {
  enum: Object.keys(ADDRESS_KINDS),
  description: `one of ${Object.keys(ADDRESS_KINDS).join(', ')}`,
} as const
const anyTable = { type: 'object', description: 'a table' } as const

const VALUE = {
  label: text,
  type: {
    enum: ['number', 'integer', 'boolean', 'choice', 'text', 'array'],
    description: 'number, integer, boolean, choice, text or array',
  },
  unit: { type: 'string', description: 'a text' },
  min: number,
  max: number,
  step: number,
  choices: { type: 'array', items: text, minItems: 1, description: 'a list of texts' },
  maxLength: { type: 'integer', minimum: 1, description: 'a whole number' },
  maxItems: { type: 'integer', minimum: 1, description: 'a whole number' },
  note: { type: 'string', description: 'a text' },
  group: { type: 'string', description: 'a text' },
}

const MODEL: JsonSchema = {
  type: 'object',
  required: ['id', 'label', 'kind', 'source', 'transport', 'optionsSchema'],
  properties: {
    id: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]*$', description: 'a name of a-z, 0-9 and -' },
    label: text,
    kind: text,
    source: text,
    transport,
    optionsSchema: anyTable,
  },
}

const names = (spec: JsonSchema): JsonSchema => ({
  type: 'object',
  propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]*$', not: { enum: ['constructor', 'prototype'] } },
  additionalProperties: spec,
})

const DRIVER: JsonSchema = {
  type: 'object',
  properties: {
    transport,
    link: {
      type: 'object',
      required: ['replyTimeoutMs'],
      properties: {
        replyTimeoutMs: milliseconds,
        quietMs: milliseconds,
        gapMs: milliseconds,
        connectTimeoutMs: milliseconds,
        sendTerminator: { type: 'string', description: 'a text' },
        receiveTerminator: { type: 'string', description: 'a text' },
        reportBytes: { type: 'integer', minimum: 1, description: 'a whole number' },
      },
    },
    parameters: names({
      ...anyTable,
      required: ['label', 'type'],
      additionalProperties: false,
      properties: {
        ...VALUE,
        readable: yesOrNo,
        decimals: { type: 'integer', description: 'a whole number' },
        safe: {},
        timed: {
          ...anyTable,
          required: ['minMs', 'maxMs'],
          properties: { minMs: milliseconds, maxMs: milliseconds },
        },
        // Which functions it has.
        has: {},
      },
    }),
    actions: names({
      ...anyTable,
      required: ['label'],
      additionalProperties: false,
      properties: {
        label: VALUE.label,
        group: VALUE.group,
        note: VALUE.note,
        confirm: yesOrNo,
        timeLimitMs: { type: 'number', minimum: 1, maximum: 86_400_000, description: 'a time in ms' },
        arguments: names({
          ...anyTable,
          required: ['label', 'type'],
          additionalProperties: false,
          properties: { ...VALUE, default: {} },
        }),
      },
    }),
  },
}

/** What the link of each transport can't do without. */
const LINK_NEEDS: Readonly<Record<DriverShape['transport'], readonly string[]>> = {
  http: ['connectTimeoutMs'],
  line: ['sendTerminator', 'receiveTerminator', 'quietMs'],
  modbus: ['gapMs'],
  mqtt: [],
  hid: ['reportBytes'],
}

/**
 * Is it a model? What is written in JavaScript may be anything.
 *
 * @param name - of the file, for messages
 * @throws CONFIG_INVALID
 */
export function checkedModel(name: string, model: unknown): ModelShape {
  const faults = checkSchema(model, MODEL)
  if (faults.length > 0) throw invalid(name, 'its model', faults)
  const shape = model as ModelShape
  try {
    checkSchema({}, shape.optionsSchema)
  } catch (error) {
    throw new GolemError('CONFIG_INVALID', `${name}: optionsSchema is no JSON Schema: ${String(error)}`)
  }
  return shape
}

/** Is it a driver of this model? @throws CONFIG_INVALID */
export function checkedDriver(name: string, model: ModelShape, driver: unknown): DriverShape {
  const faults = checkSchema(driver, DRIVER)
  if (faults.length > 0) throw invalid(name, 'what create returned', faults)
  const shape = driver as DriverShape
  if (shape.transport !== model.transport) {
    throw new GolemError(
      'CONFIG_INVALID',
      `${name}: the model says transport "${model.transport}" and its driver "${shape.transport}".`,
    )
  }
  const missing = LINK_NEEDS[shape.transport].filter((key) => shape.link[key] === undefined)
  if (missing.length > 0) {
    throw new GolemError('CONFIG_INVALID', `${name}: the link of its driver has no ${missing.join(', ')}.`)
  }
  if (shape.transport === 'mqtt' && !Array.isArray(shape.rest['subscriptions'])) {
    throw new GolemError('CONFIG_INVALID', `${name}: its driver has no list of subscriptions.`)
  }
  return shape
}

function invalid(
  name: string,
  what: string,
  faults: readonly { path: readonly (string | number)[]; message: string }[],
): GolemError {
  const said = faults.map(({ path, message }) => `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`)
  return new GolemError('CONFIG_INVALID', `${name}: ${what} is not as it should be: ${said.join(' ')}`)
}
