import type { FastifyInstance } from 'fastify'
import { identifyByTicket } from '../by-ticket.ts'
import { type WebContext, bounded, noAnswer } from '../context.ts'
import type { PushHub } from '../push/hub.ts'
import { SocketClient } from '../push/socket.ts'
import { Upgrades } from '../push/upgrade.ts'
import { answers, inWords, noQuery, socketQuery } from '../schemas.ts'

interface SocketQuery {
  since?: string
  every?: number
  ticket?: string
}

/** The socket that shows the state as it comes and takes commands, and the tickets with which browsers open it. */
export function socketRoutes(app: FastifyInstance, context: WebContext, hub: PushHub): void {
  const upgrades = new Upgrades(app)

  app.get<{ Querystring: SocketQuery }>(
    '/ws',
    {
      // Who asks is looked at here: a ticket stands for the token.
      config: { open: true },
      exposeHeadRoute: false,
      schema: {
        summary: 'WebSocket, subprotocol golem.v1: states as they come, commands and their outcomes',
        description: 'The messages are described in apps/web/README.md.',
        tags: ['state'],
        querystring: socketQuery,
        response: answers({ 101: { description: 'Messages follow', type: 'null' } }),
      },
    },
    async (request, reply) => {
      upgrades.check(request)
      const identity = await identifyByTicket(request, context)
      hub.checkRoom()
      upgrades.accept(request, reply, (socket) => {
        const { since, every } = request.query
        // The client keeps itself: it hangs on the events of its socket.
        void new SocketClient(socket, { context, hub, identity, wish: { since, every } })
      })
      return reply
    },
  )

  app.post(
    '/api/session/ticket',
    {
      config: { harmless: true },
      schema: {
        summary:
          'A ticket for /ws, or for a file of /api/export, in place of a token; lets in once, within half a minute',
        tags: ['session'],
        querystring: noQuery,
        response: answers({ 200: inWords('ticket') }),
      },
    },
    async ({ identity }) => ({
      ticket: await bounded(context.client.issueTicket(JSON.stringify(identity)), noAnswer),
    }),
  )
}
