import { type EventFilter, GolemError, type LogLevel, type SiteEvent, isoTime, parsePlace } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { type WebContext, checkKnown, handedOver, noConfirmation } from '../context.ts'
import { answers } from '../schemas.ts'
import { momentOf } from '../time-span.ts'
import { type TimelineRequest, readTimeline } from '../timeline.ts'
import { noteAnswer, noteBody, timelineAnswer, timelineQuery } from './timeline-schemas.ts'

interface TimelineQuery {
  from?: string
  to?: string
  before?: string
  after?: string
  kind?: string
  level?: LogLevel
  instrument?: string
  run?: string
  by?: string
  text?: string
  limit: number
}

interface NoteBody {
  text: string
  from?: string
  to?: string
  instrument?: string
  run?: string
}

/** What happened and why, from the first archived entry to now; and what people have to say about it. */
export function timelineRoutes(app: FastifyInstance, context: WebContext): void {
  app.get<{ Querystring: TimelineQuery }>(
    '/api/timeline',
    {
      schema: {
        summary: 'What happened, and why: the whole log with outcomes, filtered, in pages both ways',
        description:
          'Without `before` and `after` the newest entries. What the archive has not yet comes from Redis. A page may have fewer ' +
          'entries than asked for, even none, while `before` is not null: a rare word is looked for in steps.',
        tags: ['archive'],
        querystring: timelineQuery,
        response: answers({ 200: { description: 'Oldest first', ...timelineAnswer } }),
      },
    },
    ({ query }) => readTimeline(context, requestOf(query, context.client.view.now())),
  )

  app.post<{ Body: NoteBody }>(
    '/api/notes',
    {
      schema: {
        summary: 'Note something about a moment or a span of time; it stands there in the timeline',
        tags: ['archive'],
        body: noteBody,
        response: answers({ 201: { description: 'The entry of the log', ...noteAnswer } }),
      },
    },
    async ({ body, identity }, reply) => {
      const { text, from, to, instrument, run } = body
      const now = context.client.view.now()
      if (instrument !== undefined) checkKnown(context, instrument, 'body.instrument')
      const begin = from === undefined ? Math.round(now) : momentOf(from, 'body.from', now)
      const end = to === undefined ? undefined : momentOf(to, 'body.to', now)
      checkSpan(begin, end)
      const event = {
        kind: 'note',
        by: identity.name,
        message: text.trim(),
        ...(instrument === undefined ? {} : { instrument }),
        ...(run === undefined ? {} : { run }),
        data: { from: isoTime(begin), ...(end === undefined ? {} : { to: isoTime(end) }) },
      }
      const id = await handedOver(context.client.tell(event), () => noConfirmation('the note'))
      return reply.code(201).send({ id, at: isoTime(now), ...event } satisfies SiteEvent)
    },
  )
}

function requestOf(
  { from, to, before, after, limit, ...filter }: TimelineQuery,
  now: number,
): TimelineRequest {
  if (before !== undefined && after !== undefined) {
    throw new GolemError('INVALID_REQUEST', 'Ask for what came before or after, not for both.', {
      field: 'query.after',
    })
  }
  const cursor = before ?? after
  const place = cursor === undefined ? undefined : parsePlace(cursor)
  return {
    filter: filterOf(filter),
    from: from === undefined ? 0 : momentOf(from, 'query.from', now),
    to: to === undefined ? Number.MAX_SAFE_INTEGER : momentOf(to, 'query.to', now),
    limit,
    ...(place === undefined ? {} : { edge: { side: before === undefined ? 'after' : 'before', place } }),
  }
}

function filterOf({ kind, ...others }: Omit<EventFilter, 'kinds'> & { kind?: string }): EventFilter {
  return { ...others, ...(kind === undefined ? {} : { kinds: kind.split(',') }) }
}

/** @throws INVALID_REQUEST */
function checkSpan(begin: number, end: number | undefined): void {
  if (begin >= 0 && (end === undefined || end > begin)) return
  throw new GolemError('INVALID_REQUEST', 'What a note is about has to end after it begins.', {
    field: end === undefined ? 'body.from' : 'body.to',
  })
}
