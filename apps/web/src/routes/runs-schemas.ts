/** JSON Schemas of the routes of runs. */

const name = { type: 'string', minLength: 1, maxLength: 100 } as const
const note = { type: 'string', maxLength: 500 } as const
const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 } as const
const values = {
  type: 'object',
  maxProperties: 100,
  additionalProperties: { type: ['number', 'boolean', 'string', 'array'], items: { type: 'number' } },
  description: 'By name, within the limits of the recipe; a duration is in ms, or a text such as "5 min"',
} as const

export const runBody = {
  type: 'object',
  additionalProperties: false,
  required: ['recipe'],
  properties: {
    recipe: name,
    parameters: values,
    instruments: {
      type: 'object',
      maxProperties: 50,
      additionalProperties: name,
      description: 'Instruments by the roles of the recipe, in place of those it names itself',
    },
    note,
  },
} as const

export const runParametersBody = {
  type: 'object',
  additionalProperties: false,
  required: ['parameters'],
  properties: { parameters: values },
} as const

export const noteBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { note },
} as const

/** Of `skip`. */
export const skipBody = {
  ...noteBody,
  properties: {
    note,
    step: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000_000,
      description: '`progress.step` of the run as it was seen: when it has gone on since, nothing is skipped',
    },
  },
} as const

export const runsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { recipe: name, limit },
} as const

export const rowsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    since: {
      type: 'string',
      pattern: '^\\d{1,16}(-\\d{1,20})?$',
      description: 'Id of a row: those after it',
    },
    limit: { ...limit, maximum: 100_000, default: 10_000 },
    format: { type: 'string', enum: ['json', 'csv'], default: 'json' },
  },
} as const

/** The record of a run. */
export const runAnswer = (description: string): object => ({
  description,
  type: 'object',
  additionalProperties: true,
  properties: {
    id: { type: 'string' },
    recipe: { type: 'string' },
    state: { type: 'string', enum: ['waiting', 'running', 'paused', 'asking', 'stopping', 'ended'] },
    end: { type: 'string', enum: ['completed', 'stopped', 'aborted', 'failed', 'killed'] },
    message: { type: 'string' },
  },
})
