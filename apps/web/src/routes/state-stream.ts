import type { FastifyInstance } from 'fastify'
import { EventStreamClient } from '../push/event-stream.ts'
import type { PushHub } from '../push/hub.ts'
import { answers, followQuery, inMediaType } from '../schemas.ts'

/** The state as it comes, for scripts that only look. */
export function stateStreamRoutes(app: FastifyInstance, hub: PushHub): void {
  app.get<{
    Querystring: { since?: string; every?: number }
    Headers: { 'last-event-id'?: string }
  }>(
    '/api/state/stream',
    {
      exposeHeadRoute: false,
      schema: {
        summary: 'Server-sent events: the state, then what changes, as it comes',
        description:
          'Events named `state` carry what GET /api/state answers; their id is the cursor. `gap`: states were left out for `ms`, ' +
          'because the client read slowly. A comment comes every 15 s.',
        tags: ['state'],
        querystring: followQuery,
        headers: {
          type: 'object',
          properties: {
            'last-event-id': { type: 'string', description: 'Cursor of the last event, as browsers send it' },
          },
        },
        response: answers({ 200: inMediaType('text/event-stream', 'Events', { type: 'string' }) }),
      },
    },
    ({ query, headers }, reply) => {
      hub.checkRoom()
      reply.hijack()
      const since = headers['last-event-id'] ?? query.since
      // The client keeps itself: it hangs on the events of its response.
      void new EventStreamClient(reply.raw, hub, { since, every: query.every })
    },
  )
}
