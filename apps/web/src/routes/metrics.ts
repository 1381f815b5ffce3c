import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../metrics.ts'
import { answers, inMediaType } from '../schemas.ts'

/** For Prometheus. */
export function metricsRoutes(app: FastifyInstance, metrics: Metrics): void {
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Figures in the text format of Prometheus',
        tags: ['health'],
        response: answers({ 200: inMediaType('text/plain', 'Figures', { type: 'string' }) }),
      },
    },
    async (_request, reply) => reply.header('content-type', metrics.contentType).send(await metrics.text()),
  )
}
