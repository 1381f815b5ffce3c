import {
  type ExportJob,
  type LogSelection,
  type ReadingsJob,
  exportInThread,
  exportsEnded,
} from '@golem/archive'
import { GolemError, isoTime } from '@golem/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { identifyByTicket } from '../by-ticket.ts'
import type { WebContext } from '../context.ts'
import { clip } from '../problem.ts'
import { answers } from '../schemas.ts'
import { spanOf } from '../time-span.ts'
import { timeOf } from '../utc-time.ts'
import { exportLogQuery, exportQuery } from './export-schemas.ts'

/** Exports at the same time in one web process. Each has a thread and a connection to the archive. */
const MOST_AT_ONCE = 4

const TYPES = {
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  ndjson: 'application/x-ndjson',
} as const

type ReadingsRequest = Pick<ReadingsJob, 'format' | 'layout' | 'every' | 'dialect'> & {
  series: string | readonly string[]
  from: string
  to: string
  after?: string
  rows: number
  ticket?: string
}

type LogRequest = Pick<LogSelection, 'what' | 'instrument' | 'run' | 'kind'> & {
  from: string
  to: string
  after?: string
  rows: number
}

/** Files of what the archive has, however long. */
export function exportRoutes(app: FastifyInstance, context: WebContext): void {
  const exporter = new Exporter(context)
  app.addHook('onClose', exportsEnded)

  app.get<{ Querystring: ReadingsRequest }>(
    '/api/export',
    {
      // Who asks is looked at here: a ticket stands for the token.
      config: { open: true },
      schema: {
        summary: 'Readings as a file: CSV, Parquet or lines of JSON',
        description:
          'The first lines (of Parquet: its metadata, `golem.*`) say where it comes from, units and calibrations; gaps are told where they are. ' +
          'Times are UTC. The last line says how many rows there are: without it the file is not whole, and the connection was broken ' +
          'off. It goes on with `after`. `golem-rows-estimate` says about how many rows there will be; a HEAD request asks only for that.',
        tags: ['archive'],
        querystring: exportQuery,
        response: answers({ 200: { description: 'The file' } }),
      },
    },
    async (request, reply) => {
      await identifyByTicket(request, context)
      const { query } = request
      const span = exporter.span(query)
      const names = namesIn(query.series)
      const { format, layout, every, dialect, rows } = query
      if (format === 'parquet' && query.after !== undefined) {
        throw invalid(
          "Parquet can't be gone on with: its table of contents comes last. Ask for the whole again.",
        )
      }
      const again = { series: names.join(','), ...span.words, format, layout, every, dialect }
      const job: ExportJob = {
        of: 'readings',
        origin: exporter.origin('/api/export', again),
        names,
        from: span.from,
        to: span.to,
        every,
        layout,
        format,
        dialect,
        rowsBefore: rows,
        ...(query.after === undefined ? {} : { after: positionIn(query.after) }),
      }
      return exporter.send(request, reply, job, {
        type: TYPES[format],
        name: `readings-${span.label}.${format}`,
      })
    },
  )

  app.get<{ Querystring: LogRequest }>(
    '/api/export/log',
    {
      schema: {
        summary: 'Events, commands or what a run has measured, as lines of JSON',
        description:
          'Of the archive, so also what the site has long forgotten. The last line is `{"what":"end","rows":N}`.',
        tags: ['archive'],
        querystring: exportLogQuery,
        response: answers({ 200: { description: 'The file' } }),
      },
    },
    (request, reply) => {
      const { what, instrument, run, kind, after, rows } = request.query
      const span = exporter.span(request.query)
      if (what === 'rows' && run === undefined)
        throw invalid('Name the run whose rows are wanted.', 'query.run')
      if (kind !== undefined && what !== 'events') throw invalid('Only events have kinds.', 'query.kind')
      if (instrument !== undefined && what === 'rows') throw invalid('Rows are of a run.', 'query.instrument')
      const filters = {
        ...(instrument === undefined ? {} : { instrument }),
        ...(run === undefined ? {} : { run }),
        ...(kind === undefined ? {} : { kind }),
      }
      const comma = after?.indexOf(',') ?? 0
      const job: ExportJob = {
        of: 'log',
        origin: exporter.origin('/api/export/log', { what, ...span.words, ...filters }),
        selection: {
          what,
          from: span.from,
          to: span.to,
          ...filters,
          ...(after === undefined
            ? {}
            : { after: { t: Number(after.slice(0, comma)), id: after.slice(comma + 1) } }),
        },
        rowsBefore: rows,
      }
      return exporter.send(request, reply, job, { type: TYPES.ndjson, name: `${what}-${span.label}.ndjson` })
    },
  )
}

interface ExportSpan {
  /** ms since 1970 */
  from: number
  to: number
  /** As a query has them. */
  words: { from: string; to: string }
  /** As a file name has them. */
  label: string
}

class Exporter {
  readonly #context: WebContext
  #underWay = 0

  constructor(context: WebContext) {
    this.#context = context
  }

  /** What lies in the future is not exported, so that the same request gives the same rows later. */
  span(query: { from: string; to: string }): ExportSpan {
    const now = Math.round(this.#context.client.view.now())
    const asked = spanOf(query, now)
    const { from, to } = { from: asked.from, to: Math.max(asked.from, Math.min(asked.to, now)) }
    const words = { from: isoTime(from), to: isoTime(to) }
    const label = [words.from, words.to].map((time) => time.slice(0, 16).replaceAll(/[-:]/g, '')).join('-')
    return { from, to, words, label: `${this.#context.site.name}-${label}` }
  }

  origin(path: string, query: Readonly<Record<string, string>>): ExportJob['origin'] {
    const { site, version, client } = this.#context
    return {
      site: site.name,
      title: site.title,
      golem: version,
      exportedAt: isoTime(client.view.now()),
      query: `${path}?${String(new URLSearchParams(query))}`,
    }
  }

  /** @throws ARCHIVE_DOWN, TOO_MANY_REQUESTS and what the export throws before its first byte */
  async send(
    request: FastifyRequest,
    reply: FastifyReply,
    job: ExportJob,
    file: { type: string; name: string },
  ): Promise<FastifyReply> {
    const { site, closing } = this.#context
    if (site.archive === null) {
      throw new GolemError('ARCHIVE_DOWN', 'This site keeps no archive: site.yaml says "archive: none".')
    }
    if (this.#underWay >= MOST_AT_ONCE) {
      throw new GolemError(
        'TOO_MANY_REQUESTS',
        `${MOST_AT_ONCE} exports are under way already. Try again when one has ended.`,
      )
    }
    this.#underWay += 1
    // Also when the client goes away: nobody would read the thread to its end.
    const gone = new AbortController()
    reply.raw.once('close', () => {
      this.#underWay -= 1
      gone.abort()
    })
    const started = await exportInThread(site.archive.place, job, AbortSignal.any([gone.signal, closing]))
    if (started.rows !== null) reply.header('golem-rows-estimate', String(started.rows))
    reply.type(file.type).header('content-disposition', `attachment; filename="golem-${file.name}"`)
    if (request.method === 'HEAD') {
      await started.bytes.return(undefined)
      gone.abort()
      return reply.send()
    }
    return reply.send(Readable.from(started.bytes, { objectMode: false, highWaterMark: 1 }))
  }
}

/** @throws INVALID_REQUEST */
function namesIn(series: string | readonly string[]): string[] {
  const names = [...new Set([series].flat().flatMap((text) => text.split(',').map((name) => name.trim())))]
  if (names.includes('')) throw invalid('Name each series as INSTRUMENT.PARAMETER.', 'query.series')
  return names
}

/** @throws INVALID_REQUEST */
function positionIn(after: string): NonNullable<ReadingsJob['after']> {
  const [time = '', series, ...more] = after.split(',')
  if (more.length > 0) throw invalid(`"${clip(after)}" is no row: write TIME,SERIES.`)
  const t = timeOf(time, 'query.after')
  return series === undefined ? { t } : { t, series }
}

function invalid(message: string, field = 'query.after'): GolemError {
  return new GolemError('INVALID_REQUEST', message, { field })
}
