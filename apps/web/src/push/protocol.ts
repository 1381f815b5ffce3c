import { GolemError } from '@golem/core'
import type { CommandBody } from '../commanding.ts'
import { parseJson } from '../json-body.ts'
import { commandBody, stopBody } from '../schemas.ts'
import { strictCheck } from '../validation.ts'

/** The WebSocket subprotocol: JSON objects with a `type`, one in each text message. */
export const SUBPROTOCOL = 'golem.v1'
/** The longest message that is read, in bytes; as bodies over HTTP. */
export const MAX_MESSAGE = 65_536

/** How a client names what it asks, to find the answers to it. */
export type MessageId = string | number

/** What a client may send. */
export type ClientMessage =
  | ({ type: 'command'; id: MessageId; instrument: string; idempotencyKey?: string } & CommandBody)
  | { type: 'stop'; id: MessageId; instrument?: string; reason?: string }
  | { type: 'ping'; id?: MessageId }

/** Why a connection is ended by the server (RFC 6455 codes; those from 4000 are golem's own). */
export const CLOSE = {
  going: [1001, 'this process is being ended; connect again'],
  binary: [1003, 'text messages only'],
  slow: [4408, 'reads too slowly; connect again with the last cursor'],
} as const
export type Farewell = (typeof CLOSE)[keyof typeof CLOSE]

const id = { type: ['string', 'integer'], minLength: 1, maxLength: 100 } as const
const instrument = { type: 'string', minLength: 1, maxLength: 100 } as const

const checks: { [type in ClientMessage['type']]: (value: unknown) => ClientMessage } = {
  command: strictCheck({
    type: 'object',
    additionalProperties: false,
    required: ['id', 'instrument'],
    properties: {
      type: { const: 'command' },
      id,
      instrument,
      idempotencyKey: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
      ...commandBody.properties,
    },
  }),
  stop: strictCheck({
    type: 'object',
    additionalProperties: false,
    required: ['id'],
    properties: { type: { const: 'stop' }, id, instrument, ...stopBody.properties },
  }),
  ping: strictCheck({
    type: 'object',
    additionalProperties: false,
    properties: { type: { const: 'ping' }, id },
  }),
}

/** The `id` of a message, also of one that is wrong otherwise, so that its sender learns which one it was. */
export function idOf(message: unknown): MessageId | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message)) return undefined
  const { id: found } = message
  return typeof found === 'number' || (typeof found === 'string' && found.length <= 100) ? found : undefined
}

/**
 * @param text - one message
 * @throws INVALID_REQUEST when it is no JSON object
 */
export function readMessage(text: string): object {
  const message = parseJson(text)
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message
  throw new GolemError('INVALID_REQUEST', 'A message has to be a JSON object.', { field: 'body' })
}

/** @throws INVALID_REQUEST, or the error of a schema, which `problemOf` tells in words */
export function checkMessage(message: object): ClientMessage {
  const type = 'type' in message ? message.type : undefined
  if (typeof type === 'string' && Object.hasOwn(checks, type)) {
    return checks[type as ClientMessage['type']](message)
  }
  throw new GolemError(
    'INVALID_REQUEST',
    `"type" has to be one of ${Object.keys(checks).join(', ')}; messages are described in apps/web/README.md.`,
    { field: '/type' },
  )
}

const STATE_HEAD = Buffer.from('{"type":"state",')

/** A state as a message of the socket. @param document - as `GET /api/state` answers it */
export function asMessage(document: Buffer): Buffer {
  return Buffer.concat([STATE_HEAD, document.subarray(1)])
}

const EVENT_END = Buffer.from('\n\n')

/** A state as an event of the stream; its id is the cursor, so that a client comes back with it. */
export function asEvent(document: Buffer, cursor: string): Buffer {
  return Buffer.concat([Buffer.from(`id: ${cursor}\nevent: state\ndata: `), document, EVENT_END])
}
