/** JSON Schemas of the routes of schedules. */

const name = { type: 'string', minLength: 1, maxLength: 100 } as const
const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 } as const

export const startsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { schedule: name, limit },
} as const

export const plannedQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    schedule: name,
    hours: { type: 'number', minimum: 0, maximum: 24 * 31, default: 48, description: 'how far ahead' },
    limit,
  },
} as const

export const scheduleBody = {
  type: 'object',
  additionalProperties: false,
  required: ['enabled'],
  properties: { enabled: { type: 'boolean' } },
} as const

/** The record of a schedule. */
export const scheduleAnswer = (description: string): object => ({
  description,
  type: 'object',
  additionalProperties: true,
  properties: {
    id: { type: 'string' },
    enabled: { type: 'boolean' },
    next: { type: 'array', items: { type: 'string' } },
    message: { type: 'string' },
  },
})
