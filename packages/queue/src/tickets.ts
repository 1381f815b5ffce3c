import { createHash, randomBytes } from 'node:crypto'
import type { Connection } from './connection.ts'
import { type Keys, TICKET_TTL_S } from './keys.ts'

/** Keeps who a new ticket lets in. Only its hash is kept, so that nobody who reads Redis can use it. */
export async function issueTicket(redis: Connection, keys: Keys, bearer: string): Promise<string> {
  const ticket = randomBytes(32).toString('base64url')
  await redis.set(keyOf(keys, ticket), bearer, 'EX', TICKET_TTL_S)
  return ticket
}

/** @returns who it lets in; null when it is unknown, has been used or is too old */
export function redeemTicket(redis: Connection, keys: Keys, ticket: string): Promise<string | null> {
  return redis.getdel(keyOf(keys, ticket))
}

function keyOf(keys: Keys, ticket: string): string {
  return keys.ticket(createHash('sha256').update(ticket).digest('hex'))
}
