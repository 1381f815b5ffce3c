import type { FastifyInstance } from 'fastify'
import { type CommandBody, outcomeOf, submitCommand } from '../commanding.ts'
import {
  type WebContext,
  bounded,
  checkCommandId,
  checkKnown,
  handedOver,
  noAnswer,
  noConfirmation,
} from '../context.ts'
import { idempotencyKey, waitSeconds } from '../request-headers.ts'
import {
  answers,
  commandAnswer,
  commandBody,
  commandHeaders,
  commandsAnswer,
  commandsQuery,
  idParams,
  noQuery,
} from '../schemas.ts'
import { timeOf } from '../utc-time.ts'

/** Commands: submit, look up, list, cancel. */
export function commandRoutes(app: FastifyInstance, context: WebContext): void {
  const { client } = context

  app.post<{ Params: { id: string }; Body: CommandBody }>(
    '/api/instruments/:id/commands',
    {
      schema: {
        summary: 'Write a parameter or run an action',
        tags: ['commands'],
        params: idParams,
        querystring: noQuery,
        headers: commandHeaders,
        body: commandBody,
        response: answers({
          200: commandAnswer('The outcome is in'),
          202: commandAnswer('Accepted; Location says where its outcome will be'),
        }),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const seconds = waitSeconds(request.headers.prefer?.toString())
      const key = idempotencyKey(request.headers['idempotency-key'])
      const record = await submitCommand(context, {
        instrument: id,
        body: request.body,
        identity: request.identity,
        key,
      })
      const latest = seconds ? await outcomeOf(context, record, seconds) : record
      if (seconds !== null) reply.header('preference-applied', `wait=${seconds}`)
      return reply
        .code(latest.state === 'ended' ? 200 : 202)
        .header('location', `/api/commands/${encodeURIComponent(latest.id)}`)
        .send(latest)
    },
  )

  app.get<{ Params: { id: string } }>(
    '/api/commands/:id',
    {
      schema: {
        summary: 'The ledger record of a command',
        tags: ['commands'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: commandAnswer('As it is now') }),
      },
    },
    (request) => {
      checkCommandId(request.params.id)
      return bounded(client.getCommand(request.params.id), noAnswer)
    },
  )

  app.get<{ Querystring: { instrument?: string; since?: string; limit: number } }>(
    '/api/commands',
    {
      schema: {
        summary: 'The ledger',
        tags: ['commands'],
        querystring: commandsQuery,
        response: answers({ 200: commandsAnswer }),
      },
    },
    (request) => {
      const { instrument, since, limit } = request.query
      if (instrument !== undefined) checkKnown(context, instrument, 'query.instrument')
      return bounded(
        client.listCommands({
          limit,
          ...(instrument === undefined ? {} : { instrument }),
          ...(since === undefined ? {} : { since: timeOf(since, 'query.since') }),
        }),
        noAnswer,
      )
    },
  )

  app.delete<{ Params: { id: string } }>(
    '/api/commands/:id',
    {
      schema: {
        summary: 'Cancel a command that waits',
        tags: ['commands'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: commandAnswer('Cancelled') }),
      },
    },
    (request) => {
      checkCommandId(request.params.id)
      return handedOver(client.cancel(request.params.id, request.identity.name), () =>
        noConfirmation('the cancellation'),
      )
    },
  )
}
