import type { FastifyInstance } from 'fastify'
import type { WebContext } from '../context.ts'
import { answers, inWords, noQuery } from '../schemas.ts'

/** Who am I, and where? */
export function sessionRoutes(app: FastifyInstance, { site, access, version }: WebContext): void {
  app.get(
    '/api/session',
    {
      schema: {
        summary: 'Name and role of who asks, and the site they are at',
        tags: ['session'],
        querystring: noQuery,
        response: answers({ 200: inWords('name, role, site, title, version, auth') }),
      },
    },
    (request) => ({ ...request.identity, site: site.name, title: site.title, version, auth: access.kind }),
  )
}
