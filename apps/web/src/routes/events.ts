import type { EventQuery } from '@golem/queue'
import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, noAnswer } from '../context.ts'
import { answers, eventsQuery, inWords } from '../schemas.ts'

/** The site's log. */
export function eventRoutes(app: FastifyInstance, { client }: WebContext): void {
  app.get<{ Querystring: EventQuery }>(
    '/api/events',
    {
      schema: {
        summary: 'What happened, oldest first: after `since`, or the newest `limit` entries',
        tags: ['events'],
        querystring: eventsQuery,
        response: answers({
          200: {
            ...inWords('Each with id, at, kind and message; those of scripts with level and data', 'array'),
            headers: {
              'golem-cursor': {
                type: 'string',
                description: '`since` of the next question, also when nothing was found',
              },
            },
          },
        }),
      },
    },
    async (request, reply) => {
      const { events, cursor } = await bounded(client.events(request.query), noAnswer)
      if (cursor !== '') reply.header('golem-cursor', cursor)
      return events
    },
  )
}
