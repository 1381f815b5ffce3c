import { MAX_RESERVATION_MS } from '@golem/core'

/** JSON Schemas of reservations: what is accepted (enforced) and what is answered (for the documentation). */

const time = { type: 'string', format: 'date-time' } as const
const timeGiven = {
  type: 'string',
  maxLength: 40,
  description: 'ISO 8601 UTC, e.g. 2026-05-01T08:30:00.000Z',
} as const
const name = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  pattern: '^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ]+$',
} as const
const reason = { type: 'string', minLength: 1, maxLength: 200 } as const

export const reservationBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: {
    forMs: {
      type: 'integer',
      minimum: 1_000,
      maximum: MAX_RESERVATION_MS,
      description: 'How long from now, in ms (default: an hour); when it is yours already: from now on',
    },
    until: { ...timeGiven, description: 'Instead: until when' },
    from: { ...timeGiven, description: 'Books a time to come; with forMs or until' },
    note: { type: 'string', maxLength: 200, description: 'What for; everybody sees it' },
    onExpiry: {
      type: 'string',
      enum: ['hold', 'safe'],
      description:
        'What outputs do when it ends without being given back: stay as they are (default), or go to their safe state',
    },
    quietUntil: {
      type: ['string', 'null'],
      maxLength: 40,
      description: 'Until then nothing will be heard of you, and nobody is to take it for abandoned',
    },
    share: {
      type: 'array',
      maxItems: 20,
      items: name,
      description: 'Others who may command it too, by name; `gateway ADDRESS`: foreign programs from there',
    },
    wait: { type: 'boolean', description: 'Wait in line when somebody else has it' },
    to: { ...name, description: 'Hands it over to this person' },
  },
} as const

export const giveBackQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    fence: { type: 'integer', minimum: 1, description: 'Only when it is this reservation that is in force' },
    booking: { type: 'string', minLength: 1, maxLength: 40, description: 'Cancels this booking instead' },
    waiting: { type: 'boolean', description: 'Leaves the line instead' },
    reason: { ...reason, description: 'Why, when it is not yours: takes the role admin' },
  },
} as const

const holder = {
  type: 'object',
  properties: { kind: { type: 'string', enum: ['person', 'run'] }, name: { type: 'string' } },
} as const
const note = { type: 'string' } as const
const fence = { type: 'integer', description: 'Its number; grows with each new reservation' } as const

/** Who has an instrument, who waits for it and who has booked it. */
export const reservationAnswer = (description: string): object => ({
  description,
  type: 'object',
  properties: {
    current: {
      type: ['object', 'null'],
      description: 'null: nobody holds it',
      properties: {
        instrument: { type: 'string' },
        holder,
        fence,
        since: time,
        until: time,
        quietUntil: time,
        idleSince: { ...time, description: 'Its holder has sent no command since then' },
        sharedWith: { type: 'array', items: { type: 'string' } },
        onExpiry: { type: 'string', enum: ['hold', 'safe'] },
        note,
      },
    },
    waiting: {
      type: 'array',
      items: { type: 'object', properties: { holder, since: time, forMs: { type: 'integer' }, note } },
    },
    bookings: {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: { type: 'string' }, holder, from: time, until: time, note },
      },
    },
    ended: {
      type: 'object',
      description: 'How the one before ended',
      properties: {
        holder,
        fence,
        at: time,
        how: { type: 'string', enum: ['released', 'expired', 'forced', 'handed over'] },
        by: { type: 'string' },
        reason: { type: 'string' },
      },
    },
  },
})
