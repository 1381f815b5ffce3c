import { LOG_LEVELS } from '@golem/core'

/** JSON Schemas of the HTTP API: what is accepted (enforced) and what is answered (for the documentation). */

const time = { type: 'string', format: 'date-time' } as const
const id = { type: 'string', description: 'Id of the instrument, as in site.yaml' } as const
const value = {
  type: ['number', 'boolean', 'string', 'array'],
  items: { type: 'number' },
  description: 'Of the type, and within the limits, that the description of the instrument gives',
} as const

export const idParams = {
  type: 'object',
  additionalProperties: false,
  required: ['id'],
  properties: { id: { type: 'string', minLength: 1, maxLength: 100 } },
} as const

export const noQuery = { type: 'object', additionalProperties: false, properties: {} } as const

export const stateQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    since: { type: 'string', description: '`cursor` of the last answer, of whichever web process' },
  },
} as const

/** Of those who follow the state by a socket or a stream. */
export const followQuery = {
  ...stateQuery,
  properties: {
    ...stateQuery.properties,
    every: {
      type: 'integer',
      minimum: 0,
      maximum: 60_000,
      default: 0,
      description: 'Gather what changes for so long, in ms; 0: send each change at once',
    },
  },
} as const

export const socketQuery = {
  ...followQuery,
  properties: {
    ...followQuery.properties,
    ticket: {
      type: 'string',
      maxLength: 100,
      description: 'Of POST /api/session/ticket, in place of the header Authorization',
    },
  },
} as const

const limit = { type: 'integer', minimum: 1, maximum: 1000, default: 100 } as const

export const commandsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instrument: { ...id, minLength: 1, maxLength: 100 },
    since: {
      type: 'string',
      maxLength: 40,
      description: 'Only those submitted later; ISO 8601 UTC, e.g. 2026-05-01T08:30:00.000Z',
    },
    limit,
  },
} as const

export const eventsQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    instrument: { ...id, minLength: 1, maxLength: 100 },
    kind: { type: 'string', minLength: 1, maxLength: 40 },
    level: { type: 'string', enum: LOG_LEVELS, description: 'Those of this level or a more serious one' },
    run: { type: 'string', minLength: 1, maxLength: 200, description: 'Those of this run' },
    text: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'Those with this text in them, among the nearest 10,000',
    },
    since: {
      type: 'string',
      pattern: '^\\d{1,16}(-\\d{1,20})?$',
      description: 'Id of an event: those after it',
    },
    limit,
  },
} as const

export const commandBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    parameter: { type: 'string', maxLength: 100 },
    value,
    action: { type: 'string', maxLength: 100 },
    arguments: { type: 'object', maxProperties: 32, additionalProperties: value },
    validForMs: {
      type: 'integer',
      minimum: 1,
      maximum: 3_600_000,
      default: 30_000,
      description: 'How long it may wait; after that it is refused, never carried out late',
    },
    reservation: {
      type: 'integer',
      minimum: 1,
      description:
        'Number (fence) of the reservation it is given under: refused when that one is over by then',
    },
  },
} as const

export const commandHeaders = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      description: 'A request repeated with the same key is the same command',
    },
    prefer: { type: 'string', description: 'wait=SECONDS waits for the outcome, at most 60' },
    'x-golem-user': { type: 'string', description: 'Who asks, where the site has no tokens' },
  },
} as const

export const stopBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { reason: { type: 'string', maxLength: 200 } },
} as const

export const releaseBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { instrument: { ...id, minLength: 1, maxLength: 100 } },
} as const

const problem = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    effect: { type: 'string', enum: ['none', 'unknown', 'done'] },
    field: { type: 'string' },
  },
} as const

const commandRecord = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    instrument: { type: 'string' },
    parameter: { type: 'string' },
    value,
    action: { type: 'string' },
    arguments: { type: 'object', additionalProperties: true },
    exchange: { type: 'string', description: 'What a foreign program sent through the gateway' },
    by: { type: 'string' },
    reservation: { type: 'integer', description: 'Number of the reservation it was given under' },
    submittedAt: time,
    validUntil: time,
    state: { type: 'string', enum: ['queued', 'running', 'ended'] },
    outcome: { type: 'string', enum: ['done', 'refused', 'failed', 'unknown'] },
    effect: { type: 'string', enum: ['none', 'unknown', 'done'] },
    code: { type: 'string' },
    message: { type: 'string' },
    result: value,
    resultItems: {
      type: 'integer',
      description: 'The result is this many numbers: GET /api/commands/{id}/result, within an hour',
    },
    worker: { type: 'string' },
    startedAt: time,
    endedAt: time,
    settled: {
      type: 'object',
      additionalProperties: true,
      description: 'What reading back showed afterwards',
    },
  },
} as const

/** The answers of a route, for the documentation: its own ones and the problem document. */
export function answers(own: Record<string, object>): Record<string, object> {
  const wrong = inMediaType('application/problem+json', 'What was wrong, as RFC 9457 has it', problem)
  return { ...own, '4xx': wrong, '5xx': wrong }
}

/** An answer that is not `application/json`. */
export function inMediaType(mediaType: string, description: string, schema: object): object {
  return { description, content: { [mediaType]: { schema } } }
}

/** An answer that is described in words only. */
export function inWords(description: string, type: 'object' | 'array' = 'object'): object {
  if (type === 'array') return { description, type, items: { type: 'object', additionalProperties: true } }
  return { description, type, additionalProperties: true }
}

export const commandAnswer = (description: string): object => ({ description, ...commandRecord })
export const commandsAnswer = { description: 'Newest first', type: 'array', items: commandRecord } as const
