import { worstCases } from '@golem/config'
import { GolemError, POWER_RETURN_CHOICES, type PowerReturnChoice } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, checkKnown, handedOver, noConfirmation } from '../context.ts'
import { answers, idParams, inWords, noQuery } from '../schemas.ts'

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

const powerReturnBody = {
  type: 'object',
  additionalProperties: false,
  required: ['keep'],
  properties: {
    keep: {
      type: 'string',
      enum: POWER_RETURN_CHOICES,
      description: 'device: what it has now; golem: what was there before; safe: the safe values',
    },
  },
} as const

/** What safety asks of people: the reset of interlocks, and which values win after an instrument was without power. */
export function interlockRoutes(app: FastifyInstance, context: WebContext): void {
  const { client, site } = context
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

  app.get<{ Params: { id: string } }>(
    '/api/instruments/:id/worst-cases',
    {
      schema: {
        summary: 'How long each output may stay in a state that nobody wants any more, by what has failed',
        tags: ['interlocks'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: inWords('Sentences by parameter') }),
      },
    },
    ({ params: { id } }) => {
      checkKnown(context, id)
      const instrument = site.instruments.find((one) => one.id === id)
      const outputs = Object.entries(view.descriptions.get(id)?.parameters ?? {}).filter(
        ([, { writable }]) => writable,
      )
      if (!instrument) return {}
      return Object.fromEntries(
        outputs.map(([name, described]) => [name, worstCases(site, instrument, name, described)]),
      )
    },
  )

  app.post<{ Params: { id: string }; Body: { keep: PowerReturnChoice } }>(
    '/api/instruments/:id/power-return',
    {
      schema: {
        summary: 'Say which values win after an instrument was without power',
        tags: ['interlocks'],
        params: idParams,
        querystring: noQuery,
        body: powerReturnBody,
        response: answers({ 202: inWords('The question, as its worker has it until it has done so') }),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      checkKnown(context, id)
      const question = view.snapshots.get(id)?.powerReturn
      if (!question) throw new GolemError('NOT_FOUND', `Nothing is asked about ${id}.`, { field: 'path.id' })
      const { keep } = request.body
      const by = request.identity.name
      await handedOver(client.settlePowerReturn({ instrument: id, keep, by }), () =>
        noConfirmation('the decision'),
      )
      return reply.code(202).send(question)
    },
  )

  /** How an interlock stands at each instrument whose outputs it concerns. */
  function standing(name: string) {
    return [...view.snapshots.values()].flatMap(({ id, interlocks = [] }) =>
      interlocks.filter((one) => one.name === name).map((one) => ({ instrument: id, ...one })),
    )
  }
}
