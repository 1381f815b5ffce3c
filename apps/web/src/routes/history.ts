import { type Database, type Series, allSeries, archivedSeries, history, nameOf } from '@golem/archive'
import { GolemError, type HistoryDocument, isoTime } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { setImmediate as othersFirst } from 'node:timers/promises'
import { type WebContext, checkKnown } from '../context.ts'
import { clip } from '../problem.ts'
import { answers } from '../schemas.ts'
import { momentOf, spanOf } from '../time-span.ts'
import { historyAnswer, historyQuery, seriesAnswer, seriesQuery } from './history-schemas.ts'

/** Points of all series of one answer together: some 7 MB. */
const MOST_POINTS = 100_000

interface HistoryRequest {
  series: string | readonly string[]
  from: string
  to: string
  points: number
}

/** What the archive has of readings. */
export function historyRoutes(app: FastifyInstance, context: WebContext): void {
  const { archive, client } = context

  app.get<{ Querystring: HistoryRequest }>(
    '/api/history',
    {
      schema: {
        summary: 'How readings went, in a bounded number of points: no extreme is lost, gaps have reasons',
        description:
          'For `series=oven.temperature&series=oven.power`, or with a comma between. Buckets at the ends of the span are whole, so they ' +
          'may reach beyond it; a single reading from before it is the value that still held. Readings of the last second or so may ' +
          'not be archived yet: GET /api/state has them.',
        tags: ['archive'],
        querystring: historyQuery,
        headers: { type: 'object', properties: { 'if-none-match': { type: 'string' } } },
        response: answers({
          200: { description: 'Columns', ...historyAnswer },
          304: { description: 'Nothing has changed', type: 'null' },
        }),
      },
    },
    async ({ query, headers }, reply) => {
      const now = client.view.now()
      const span = spanOf(query, now)
      const names = namesIn(query)
      const series = await archive.use((database) =>
        historyOf(context, database, names, { ...span, points: query.points, now }),
      )
      const [from, to, at] = [isoTime(span.from), isoTime(span.to), isoTime(now)]
      const digest = createHash('sha1').update(`${from} ${to} ${series}`).digest('base64url')
      const etag = `W/"${digest}"`
      reply.header('etag', etag).header('cache-control', 'private, no-cache')
      if (headers['if-none-match'] === etag) return reply.code(304).send()
      const head = JSON.stringify({ from, to, at } satisfies Omit<HistoryDocument, 'series'>)
      return reply.type('application/json; charset=utf-8').send(`${head.slice(0, -1)},"series":[${series}]}`)
    },
  )

  app.get<{ Querystring: { from?: string; to: string } }>(
    '/api/series',
    {
      schema: {
        summary: 'What is archived: since when, until when, and how completely',
        tags: ['archive'],
        querystring: seriesQuery,
        response: answers({ 200: { description: 'By name', ...seriesAnswer } }),
      },
    },
    ({ query: { from, to } }) => {
      const now = client.view.now()
      const span =
        from === undefined ? { from: 0, to: momentOf(to, 'query.to', now) } : spanOf({ from, to }, now)
      return archive.use((database) => archivedSeries(database, { ...span, now }))
    },
  )
}

/** @throws INVALID_REQUEST, OUT_OF_RANGE */
function namesIn({ series, points }: HistoryRequest): string[] {
  const names = [...new Set([series].flat().flatMap((text) => text.split(',').map((name) => name.trim())))]
  if (names.includes('')) {
    throw new GolemError('INVALID_REQUEST', 'Name each series as INSTRUMENT.PARAMETER.', {
      field: 'query.series',
    })
  }
  if (names.length * points > MOST_POINTS) {
    throw new GolemError(
      'OUT_OF_RANGE',
      `${names.length} series with ${points} points each are more than one answer holds (${MOST_POINTS}): ask for fewer points, or in parts.`,
      { field: 'query.points' },
    )
  }
  return names
}

/** The series as they stand in the answer, each written when it is found. */
async function historyOf(
  context: WebContext,
  database: Database,
  names: readonly string[],
  what: { from: number; to: number; points: number; now: number },
): Promise<string> {
  const known = new Map((await allSeries(database)).map((series) => [nameOf(series), series]))
  const found: string[] = []
  for (const name of names) {
    const series = known.get(name) ?? describedSeries(context, name)
    found.push(await inTurn(async () => JSON.stringify(await history(database, { ...what, series }))))
  }
  return found.join(',')
}

let lastTurn: Promise<unknown> = Promise.resolve()

/**
 * One series after the other, whoever asks, and whatever else the process has to do in between: reading holds the
 * processor, and a hundred pages at once must not keep a stop waiting for a hundred of them.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = lastTurn.then(work)
  lastTurn = mine.catch(() => undefined).then(() => othersFirst())
  return mine
}

/** A parameter of which nothing is archived yet. @throws UNKNOWN_INSTRUMENT, UNKNOWN_NAME */
function describedSeries(context: WebContext, name: string): Series {
  const at = name.indexOf('.')
  const [instrument, parameter] = at === -1 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)]
  checkKnown(context, instrument, 'query.series')
  const parameters = context.client.view.descriptions.get(instrument)?.parameters ?? {}
  const described = Object.hasOwn(parameters, parameter) ? parameters[parameter] : undefined
  if (!described) {
    throw new GolemError(
      'UNKNOWN_NAME',
      `${clip(instrument)} has no parameter "${clip(parameter)}", and nothing of it is archived.`,
      { field: 'query.series' },
    )
  }
  const { type, label, unit = null } = described
  const never = { firstAt: null, lastAt: null, keptAt: null, keptValue: null }
  // No series of the archive has this number.
  return { id: -1, instrument, parameter, type, label, unit, ...never }
}
