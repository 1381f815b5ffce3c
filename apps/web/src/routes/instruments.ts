import type { FastifyInstance } from 'fastify'
import { type WebContext, checkKnown, describe } from '../context.ts'
import { answers, idParams, inWords, noQuery } from '../schemas.ts'

/** What there is, and what it can do. */
export function instrumentRoutes(app: FastifyInstance, context: WebContext): void {
  const { site, client } = context
  const ids = (): string[] => [
    ...new Set([...site.instruments.map(({ id }) => id), ...client.view.descriptions.keys()]),
  ]

  app.get(
    '/api/instruments',
    {
      schema: {
        summary: 'Descriptions of all instruments',
        tags: ['instruments'],
        querystring: noQuery,
        response: answers({ 200: inWords('In the order of site.yaml', 'array') }),
      },
    },
    () => ids().map((id) => describe(context, id)),
  )

  app.get<{ Params: { id: string } }>(
    '/api/instruments/:id',
    {
      schema: {
        summary: 'Description of one instrument',
        tags: ['instruments'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: inWords('Its parameters with units and limits, and its actions') }),
      },
    },
    (request) => {
      checkKnown(context, request.params.id)
      return describe(context, request.params.id)
    },
  )
}
