import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, noAnswer } from '../context.ts'
import { answers, eventsQuery, inWords } from '../schemas.ts'

/** The site's log. */
export function eventRoutes(app: FastifyInstance, { client }: WebContext): void {
  app.get<{ Querystring: { since?: string; limit: number; instrument?: string; kind?: string } }>(
    '/api/events',
    {
      schema: {
        summary: 'What happened, oldest first: after `since`, or the newest `limit` entries',
        tags: ['events'],
        querystring: eventsQuery,
        response: answers({ 200: inWords('Each with id, at, kind and message', 'array') }),
      },
    },
    (request) => bounded(client.events(request.query), noAnswer),
  )
}
