import type { FastifyInstance } from 'fastify'
import type { WebContext } from '../context.ts'
import { answers, inWords } from '../schemas.ts'

/** For service managers and proxies. Neither asks Redis: both have to answer at once when it is away. */
export function healthRoutes(app: FastifyInstance, { client }: WebContext): void {
  app.get(
    '/healthz',
    {
      config: { open: true },
      schema: {
        summary: 'The process is alive',
        tags: ['health'],
        response: answers({ 200: inWords('ok') }),
      },
    },
    () => ({ ok: true }),
  )

  app.get(
    '/readyz',
    {
      config: { open: true },
      schema: {
        summary: 'Redis is reachable: commands are accepted',
        tags: ['health'],
        response: answers({ 200: inWords('ok, since, message'), 503: inWords('ok, since, message') }),
      },
    },
    (_request, reply) => reply.code(client.view.bus.ok ? 200 : 503).send(client.view.bus),
  )
}
