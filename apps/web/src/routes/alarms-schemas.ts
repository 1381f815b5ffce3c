/** JSON Schemas of the routes of alarms. */

import { eventsQuery } from '../schemas.ts'

export const acknowledgeBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    note: { type: 'string', maxLength: 500, description: 'What you make of it, or do about it' },
  },
} as const

const { instrument, since, limit } = eventsQuery.properties

export const historyQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { instrument, since, limit },
} as const

const time = { type: 'string', format: 'date-time' } as const

export const alarmAnswer = {
  description: 'Accepted: the scheduler will do it. The alarm as it was',
  type: 'object',
  additionalProperties: true,
  properties: {
    id: { type: 'string' },
    instrument: { type: 'string' },
    parameter: { type: 'string' },
    severity: { type: 'string', enum: ['info', 'warning', 'critical'] },
    condition: { type: 'string', enum: ['active', 'returned'] },
    message: { type: 'string' },
    guidance: { type: 'string' },
    since: time,
    returnedAt: time,
    inhibited: { type: 'string', description: 'Why nobody is called' },
    count: { type: 'integer' },
  },
} as const
