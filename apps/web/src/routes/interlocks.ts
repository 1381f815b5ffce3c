import { GolemError } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, handedOver, noConfirmation } from '../context.ts'
import { answers, inWords, noQuery } from '../schemas.ts'

const nameParams = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: { type: 'string', minLength: 1, maxLength: 63 } },
} as const

const resetBody = {
  type: ['object', 'null'],
  additionalProperties: false,
  properties: { note: { type: 'string', maxLength: 500, description: 'What was found, and done about it' } },
} as const

/** The interlocks of the site: how they stand, and their reset by a person. */
export function interlockRoutes(app: FastifyInstance, { client, site }: WebContext): void {
  const { view } = client

  app.get(
    '/api/interlocks',
    {
      schema: {
        summary:
          'The interlocks of the site, with what each watches, how it stands at each instrument, and its trip',
        tags: ['interlocks'],
        querystring: noQuery,
        response: answers({ 200: inWords('In the order of site.yaml', 'array') }),
      },
    },
    () =>
      site.interlocks.map((rule) => ({
        ...rule,
        at: Object.fromEntries(standing(rule.name).map(({ instrument, ...rest }) => [instrument, rest])),
        tripped: view.interlocks.get(rule.name)?.tripped ?? null,
        reset: view.interlocks.get(rule.name)?.reset ?? null,
      })),
  )

  app.post<{ Params: { name: string }; Body: { note?: string } | null }>(
    '/api/interlocks/:name/reset',
    {
      schema: {
        summary:
          'Reset an interlock that has tripped, once its cause is over; nothing is switched on again by this',
        tags: ['interlocks'],
        params: nameParams,
        querystring: noQuery,
        body: resetBody,
        response: answers({ 200: inWords('Its trip, or its last reset') }),
      },
    },
    (request) => {
      const { name } = request.params
      const cause = standing(name).find(({ condition }) => condition === 'holds' || condition === 'unknown')
      if (cause && view.bus.ok) {
        throw new GolemError(
          'INTERLOCKED',
          `The interlock "${name}" can't be reset while its cause is there: ${cause.message}`,
          { details: { interlock: name } },
        )
      }
      const by = request.identity.name
      return handedOver(client.resetInterlock({ name, by, note: request.body?.note ?? '' }), () =>
        noConfirmation('the reset'),
      )
    },
  )

  /** How an interlock stands at each instrument whose outputs it concerns. */
  function standing(name: string) {
    return [...view.snapshots.values()].flatMap(({ id, interlocks = [] }) =>
      interlocks.filter((one) => one.name === name).map((one) => ({ instrument: id, ...one })),
    )
  }
}
