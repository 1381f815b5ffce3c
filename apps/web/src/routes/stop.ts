import { GolemError } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import type { Identity } from '../access.ts'
import { giveStop } from '../commanding.ts'
import { type WebContext, checkKnown, handedOver, noConfirmation } from '../context.ts'
import { answers, idParams, inWords, noQuery, releaseBody, stopBody } from '../schemas.ts'

const stopState = inWords('What is stopped now')

/** Emergency stop, and its deliberate release. */
export function stopRoutes(app: FastifyInstance, context: WebContext): void {
  const { client } = context

  app.post<{ Body: { reason?: string } | null }>(
    '/api/stop',
    {
      schema: {
        summary: 'Emergency stop of everything; no body needed',
        tags: ['stop'],
        querystring: noQuery,
        body: stopBody,
        response: answers({ 200: stopState }),
      },
    },
    ({ body, identity }) =>
      giveStop(context, { instrument: undefined, reason: body?.reason, by: identity.name }),
  )

  app.post<{ Params: { id: string }; Body: { reason?: string } | null }>(
    '/api/instruments/:id/stop',
    {
      schema: {
        summary: 'Emergency stop of one instrument; no body needed',
        tags: ['stop'],
        params: idParams,
        querystring: noQuery,
        body: stopBody,
        response: answers({ 200: stopState }),
      },
    },
    ({ params, body, identity }) =>
      giveStop(context, { instrument: params.id, reason: body?.reason, by: identity.name }),
  )

  app.post<{ Body: { instrument?: string } | null }>(
    '/api/stop/release',
    {
      schema: {
        summary: 'Release the stop of one instrument, or of everything; takes the role admin',
        tags: ['stop'],
        querystring: noQuery,
        body: releaseBody,
        response: answers({ 200: stopState }),
      },
    },
    (request) => {
      const instrument = request.body?.instrument
      checkMayRelease(request.identity)
      if (instrument !== undefined) checkKnown(context, instrument, '/instrument')
      const { name: by } = request.identity
      return handedOver(client.releaseStop({ by, ...(instrument === undefined ? {} : { instrument }) }), () =>
        noConfirmation('the release'),
      )
    },
  )
}

/** @throws NOT_ALLOWED: whoever may command may stop, but not undo what somebody else has stopped */
function checkMayRelease({ name, role }: Identity): void {
  if (role === 'admin') return
  throw new GolemError('NOT_ALLOWED', `${name} may stop, but not release: that takes the role admin.`, {
    field: 'header.authorization',
  })
}
