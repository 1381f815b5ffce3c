import { type AlarmRecord, GolemError, SEVERITIES } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, handedOver, noAnswer, noConfirmation } from '../context.ts'
import { clip } from '../problem.ts'
import { answers, idParams, inWords, noQuery } from '../schemas.ts'
import { acknowledgeBody, alarmAnswer, historyQuery } from './alarms-schemas.ts'

/** Alarms, and who is told of them. What is asked here is done by the scheduler. */
export function alarmRoutes(app: FastifyInstance, { client, site }: WebContext): void {
  const { view } = client

  app.get(
    '/api/alarms',
    {
      schema: {
        summary: 'Alarms that are not normal: active, or over and not yet acknowledged',
        tags: ['alarms'],
        querystring: noQuery,
        response: answers({ 200: inWords('The worst first, then the newest', 'array') }),
      },
    },
    () => [...view.alarms.values()].toSorted(worstFirst),
  )

  app.get<{ Querystring: { since?: string; limit: number; instrument?: string } }>(
    '/api/alarms/history',
    {
      schema: {
        summary:
          'What became of alarms, from the log, oldest first: after `since`, or the newest `limit` entries',
        tags: ['alarms'],
        querystring: historyQuery,
        response: answers({ 200: inWords('Each with id, at, kind and message', 'array') }),
      },
    },
    async ({ query }) => (await bounded(client.events({ ...query, kind: 'alarm' }), noAnswer)).events,
  )

  app.post<{ Params: { id: string }; Body: { note?: string } | null }>(
    '/api/alarms/:id/acknowledge',
    {
      schema: {
        summary: 'Say that you have seen an alarm, with a note; one that is over is settled with that',
        tags: ['alarms'],
        params: idParams,
        querystring: noQuery,
        body: acknowledgeBody,
        response: answers({ 202: alarmAnswer }),
      },
    },
    async ({ params: { id }, body, identity }, reply) => {
      const alarm = view.alarms.get(id)
      if (!alarm) {
        throw new GolemError('NOT_FOUND', `There is no alarm "${clip(id)}", or it is over and settled.`, {
          field: 'path.id',
        })
      }
      const note = body?.note?.trim() ?? ''
      await handedOver(client.request({ type: 'acknowledge', alarm: id, by: identity.name, note }), () =>
        noConfirmation('the acknowledgement'),
      )
      return reply.code(202).send(alarm)
    },
  )

  app.get(
    '/api/notifiers',
    {
      schema: {
        summary: 'Who is told of alarms',
        tags: ['alarms'],
        querystring: noQuery,
        response: answers({ 200: inWords('In the order of site.yaml', 'array') }),
      },
    },
    () =>
      site.notify.map(({ name, target, severities, repeatMs, escalateAfterMs, quiet }) => ({
        name,
        kind: target.kind,
        severities,
        repeatMs,
        escalateAfterMs,
        quiet,
        failing: view.alarms.get(`notifier.${name}`)?.message ?? null,
      })),
  )

  app.post<{ Params: { id: string } }>(
    '/api/notifiers/:id/test',
    {
      schema: {
        summary: 'Send a test; the log says what came of it (kind `notify`). Takes the role admin',
        tags: ['alarms'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 202: inWords('Accepted: the scheduler will do it') }),
      },
    },
    async ({ params: { id }, identity: { name, role } }, reply) => {
      if (role !== 'admin') {
        throw new GolemError('NOT_ALLOWED', `${name} may not send tests: that takes the role admin.`, {
          field: 'header.authorization',
        })
      }
      if (!site.notify.some((notifier) => notifier.name === id)) {
        const known = site.notify.map((notifier) => notifier.name).join(', ') || 'none'
        throw new GolemError('NOT_FOUND', `There is no notifier "${clip(id)}". There are: ${known}.`, {
          field: 'path.id',
        })
      }
      await handedOver(client.request({ type: 'notifier-test', notifier: id, by: name }), () =>
        noConfirmation('the test'),
      )
      return reply.code(202).send({ notifier: id })
    },
  )
}

function worstFirst(a: AlarmRecord, b: AlarmRecord): number {
  return SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || b.since.localeCompare(a.since)
}
