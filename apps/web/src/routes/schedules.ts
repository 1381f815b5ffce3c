import { GolemError, type ScheduleState, isoTime } from '@golem/core'
import { startsBetween } from '@golem/recipes'
import type { FastifyInstance } from 'fastify'
import { type WebContext, bounded, handedOver, noAnswer, noConfirmation } from '../context.ts'
import { clip } from '../problem.ts'
import { answers, idParams, inWords, noQuery } from '../schemas.ts'
import { plannedQuery, scheduleAnswer, scheduleBody, startsQuery } from './schedules-schemas.ts'

const HOUR_MS = 3_600_000

/** When runs start by themselves, and what became of it. */
export function scheduleRoutes(app: FastifyInstance, context: WebContext): void {
  const { client, site } = context
  const { view } = client

  app.get(
    '/api/schedules',
    {
      schema: {
        summary: 'Schedules and what they will start next',
        tags: ['schedules'],
        querystring: noQuery,
        response: answers({ 200: inWords('By label', 'array') }),
      },
    },
    () => [...view.schedules.values()].toSorted((a, b) => a.label.localeCompare(b.label)),
  )

  app.get<{ Querystring: { schedule?: string; limit: number } }>(
    '/api/schedules/starts',
    {
      schema: {
        summary: 'What became of planned starts',
        tags: ['schedules'],
        querystring: startsQuery,
        response: answers({ 200: inWords('Newest first', 'array') }),
      },
    },
    ({ query }) => bounded(client.starts(query), noAnswer),
  )

  app.get<{ Querystring: { schedule?: string; hours: number; limit: number } }>(
    '/api/schedules/planned',
    {
      schema: {
        summary: 'Starts that are planned in the coming hours, of schedules that are switched on',
        tags: ['schedules'],
        querystring: plannedQuery,
        response: answers({ 200: inWords('The earliest first, at most `limit` of each schedule', 'array') }),
      },
    },
    ({ query: { schedule, hours, limit } }) => {
      const now = view.now()
      return site.schedules
        .filter(({ id }) => (schedule ?? id) === id && view.schedules.get(id)?.enabled === true)
        .flatMap(({ id, when }) =>
          startsBetween(when, now, now + hours * HOUR_MS, limit).map((ms) => ({
            schedule: id,
            plannedAt: isoTime(ms),
          })),
        )
        .toSorted((a, b) => a.plannedAt.localeCompare(b.plannedAt))
    },
  )

  app.patch<{ Params: { id: string }; Body: { enabled: boolean } }>(
    '/api/schedules/:id',
    {
      schema: {
        summary: 'Switch a schedule on or off; runs that go on are left alone',
        tags: ['schedules'],
        params: idParams,
        querystring: noQuery,
        body: scheduleBody,
        response: answers({ 202: scheduleAnswer('Accepted: the scheduler will do it') }),
      },
    },
    async ({ params: { id }, body: { enabled }, identity }, reply) => {
      const schedule = scheduleOf(context, id)
      await handedOver(client.request({ type: 'schedule', schedule: id, enabled, by: identity.name }), () =>
        noConfirmation('the change'),
      )
      return reply.code(202).send(schedule)
    },
  )
}

/** @throws NOT_FOUND */
function scheduleOf({ client }: WebContext, id: string): ScheduleState {
  const { schedules } = client.view
  const schedule = schedules.get(id)
  if (schedule) return schedule
  const known = [...schedules.keys()].join(', ') || 'none; the site file names them'
  throw new GolemError('NOT_FOUND', `There is no schedule "${clip(id)}". There are: ${known}.`, {
    field: 'path.id',
  })
}
