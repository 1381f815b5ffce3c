import type { LogLevel } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, handedOver, noAnswer, noConfirmation } from '../context.ts'
import { answers, eventsQuery, inWords, logBody, noQuery } from '../schemas.ts'

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

  app.post<{ Body: { message: string; level: LogLevel } }>(
    '/api/log',
    {
      schema: {
        summary: "Write a line of your own into the site's log",
        tags: ['events'],
        querystring: noQuery,
        body: logBody,
        response: { 204: { description: 'Written', type: 'null' }, ...answers({}) },
      },
    },
    async ({ body, identity }, reply) => {
      await handedOver(client.log({ ...body, by: identity.name }), () => noConfirmation('the line'))
      return reply.code(204).send()
    },
  )
}
