import { GolemError } from '@golem/core'
import type { FastifyRequest } from 'fastify'
import type { Identity } from './access.ts'
import { type WebContext, bounded, noAnswer } from './context.ts'

/**
 * Who asks, where a browser can't send a token: at the socket, and for a file that it is to save. The route is `open`, and
 * asks here first.
 *
 * @throws NOT_AUTHENTICATED
 */
export async function identifyByTicket(
  { query, identity, headers }: FastifyRequest<{ Querystring: { ticket?: string } }>,
  { access, client }: WebContext,
): Promise<Identity> {
  if (query.ticket !== undefined) {
    const bearer = await bounded(client.redeemTicket(query.ticket), noAnswer)
    if (bearer !== null) return JSON.parse(bearer) as Identity
    throw new GolemError('NOT_AUTHENTICATED', 'This ticket is unknown, was used or is too old.', {
      field: 'query.ticket',
    })
  }
  if (access.kind === 'tokens' && headers.authorization === undefined) {
    throw new GolemError(
      'NOT_AUTHENTICATED',
      'This site wants a token: send "Authorization: Bearer …", or a ticket of POST /api/session/ticket.',
      { field: 'header.authorization' },
    )
  }
  return identity
}
