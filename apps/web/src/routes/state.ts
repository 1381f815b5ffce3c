import type { FastifyInstance } from 'fastify'
import type { WebContext } from '../context.ts'
import type { Metrics } from '../metrics.ts'
import { answers, inWords, stateQuery } from '../schemas.ts'

/** The state of the site. Every page asks once a second, so this route takes the shortest way. */
export function stateRoutes(app: FastifyInstance, { states }: WebContext, metrics: Metrics): void {
  app.get<{ Querystring: { since?: string } }>(
    '/api/state',
    {
      schema: {
        summary: 'Readings, conditions and queues; with `since` only what changed',
        tags: ['state'],
        querystring: stateQuery,
        headers: { type: 'object', properties: { 'if-none-match': { type: 'string' } } },
        response: answers({
          200: inWords('The state'),
          304: { description: 'Nothing has changed', type: 'null' },
        }),
      },
    },
    (request, reply) => {
      const { etag, body, full } = states.answer(request.query.since, request.headers['if-none-match'])
      metrics.countState(body === null ? 'unchanged' : full ? 'full' : 'delta')
      reply.header('etag', etag).header('cache-control', 'no-store')
      if (body === null) return reply.code(304).send()
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('x-content-type-options', 'nosniff')
        .send(body)
    },
  )
}
