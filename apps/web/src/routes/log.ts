import { GolemError } from '@golem/core'
import { type LogRecord, readForm, readJson } from '@golem/logs'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WebContext } from '../context.ts'
import { queryOf } from '../log-intake/credentials.ts'
import type { LogSender } from '../log-intake/intake.ts'
import { answers } from '../schemas.ts'

/** The largest body with log records, in bytes. */
const LOG_BODY_LIMIT = 1_048_576
/** The longest address with a log record in it, in characters; others are bounded by `MAX_URL`. */
const MAX_LOG_URL = 49_152

const token = { description: "Token, where the sender can't set a header" }
const run = { description: 'Id of the run that the records belong to' }
const reservation = { description: 'Number of the reservation that the records belong to' }
/** Nothing is refused for a field too many: a record has whatever fields its writer gives it. */
const query = (properties: object): object => ({ type: 'object', additionalProperties: true, properties })

/**
 * Log records of people's programs. They are answered before they are stored: Python's HTTPHandler waits for the answer
 * without a time limit, and with it the program.
 */
export function logRoutes(app: FastifyInstance, context: WebContext): void {
  acceptLogBodies(app)
  const { intake } = context
  const config = { writesLog: true, maxUrl: MAX_LOG_URL }
  const taken = { 204: { description: 'Taken; written within a moment', type: 'null' }, ...answers({}) }

  app.post<{ Body?: LogBody }>(
    '/api/log',
    {
      config,
      bodyLimit: LOG_BODY_LIMIT,
      schema: {
        summary:
          "Write lines into the site's log: a JSON object with `message` and whatever else, an array of them, one on each line, or the form of Python's HTTPHandler",
        tags: ['events'],
        querystring: query({ token, run, reservation }),
        response: taken,
      },
    },
    (request, reply) => {
      const { body } = request
      if (!body) throw new GolemError('INVALID_REQUEST', 'There is no body.', { field: 'body' })
      const records = body.kind === 'form' ? [readForm(body.text)] : readJson(body.text)
      intake.take(withDefaults(records, request.url), senderOf(request, context))
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/log',
    {
      config,
      // A HEAD request would write, too.
      exposeHeadRoute: false,
      schema: {
        summary: "Write a line into the site's log, as Python's HTTPHandler does without `method='POST'`",
        tags: ['events'],
        querystring: query({
          token,
          run,
          reservation,
          msg: { description: 'The message; more fields may follow' },
        }),
        response: taken,
      },
    },
    (request, reply) => {
      intake.take([readForm(queryOf(request.url))], senderOf(request, context))
      return reply.code(204).send()
    },
  )
}

interface LogBody {
  kind: 'json' | 'form'
  text: string
}

/** Bodies are taken as text: what is no UTF-8 in them becomes U+FFFD, and keeps no record out. */
function acceptLogBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const accept = (types: string[], kind: LogBody['kind']): void => {
    app.addContentTypeParser(types, { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, { kind, text: body.toString() })
    })
  }
  accept(['application/json', 'application/x-ndjson', 'application/jsonl'], 'json')
  accept(['application/x-www-form-urlencoded'], 'form')
  app.setErrorHandler((error: Error & { code?: string }) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      throw new GolemError('BODY_TOO_LARGE', 'The body is larger than 1 MiB.', { field: 'body' })
    }
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      throw new GolemError(
        'WRONG_MEDIA_TYPE',
        'The body has to be JSON (application/json, application/x-ndjson) or a form (application/x-www-form-urlencoded).',
        { field: 'header.content-type' },
      )
    }
    throw error
  })
}

/** What the address says of run and reservation holds for records that say nothing themselves. */
function withDefaults(records: readonly LogRecord[], url: string): LogRecord[] {
  const given = new URLSearchParams(queryOf(url))
  const number = Number(given.get('reservation') ?? NaN)
  const named = given.get('run')
  return records.map((record) => ({
    ...(named ? { run: named.slice(0, 200) } : {}),
    ...(Number.isSafeInteger(number) && number > 0 ? { reservation: number } : {}),
    ...record,
  }))
}

function senderOf({ identity, ip }: FastifyRequest, { access }: WebContext): LogSender {
  const named = access.kind === 'tokens' || !['local', 'anybody'].includes(identity.name)
  return { by: identity.name, named, address: ip }
}
