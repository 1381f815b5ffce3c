import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, checkCommandId, noAnswer } from '../context.ts'
import { answers, idParams } from '../schemas.ts'

/** Long results of commands, e.g. waveforms, in a form for programs and one for people. */
export function resultRoutes(app: FastifyInstance, { client }: WebContext): void {
  app.get<{ Params: { id: string }; Querystring: { format: 'json' | 'csv' | 'f64' } }>(
    '/api/commands/:id/result',
    {
      schema: {
        summary: 'The numbers of a result that is too long for the ledger (`resultItems`); kept for an hour',
        tags: ['commands'],
        params: idParams,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            format: {
              type: 'string',
              enum: ['json', 'csv', 'f64'],
              default: 'json',
              description: 'json: a list; csv: a number a line; f64: 64-bit floats, little-endian',
            },
          },
        },
        response: answers({ 200: { description: 'The numbers' } }),
      },
    },
    async (request, reply) => {
      checkCommandId(request.params.id)
      const values = await bounded(client.result(request.params.id), noAnswer)
      const name = `attachment; filename="${request.params.id}.${request.query.format}"`
      switch (request.query.format) {
        case 'json':
          return reply.type('application/json').send(`[${values.join(',')}]`)
        case 'csv':
          return reply
            .type('text/csv')
            .header('content-disposition', name)
            .send(`${values.join('\n')}\n`)
        case 'f64':
          return reply
            .type('application/octet-stream')
            .header('content-disposition', name)
            .send(Buffer.from(values.buffer))
      }
    },
  )
}
