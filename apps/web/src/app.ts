import swagger from '@fastify/swagger'
import { type Site, VERSION } from '@golem/config'
import { GolemError, isoTime } from '@golem/core'
import type { SiteClient } from '@golem/queue'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { setMaxListeners } from 'node:events'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { Access } from './access.ts'
import { ArchiveReader } from './archive-reader.ts'
import type { WebContext } from './context.ts'
import { BODY_LIMIT, acceptJsonBodies } from './json-body.ts'
import { type ApiRoutes, collectRoutes, refuseOtherMethods } from './methods.ts'
import { logKnock } from './log-intake/credentials.ts'
import { LogIntake } from './log-intake/intake.ts'
import { Metrics } from './metrics.ts'
import { clip, problemOf } from './problem.ts'
import { PushHub, type PushLimits } from './push/hub.ts'
import { Refusals } from './refusals.ts'
import { alarmRoutes } from './routes/alarms.ts'
import { commandRoutes } from './routes/commands.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { documentationRoutes } from './routes/documentation.ts'
import { eventRoutes } from './routes/events.ts'
import { exportRoutes } from './routes/export.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'
import { historyRoutes } from './routes/history.ts'
import { instrumentRoutes } from './routes/instruments.ts'
import { interlockRoutes } from './routes/interlocks.ts'
import { logRoutes } from './routes/log.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { reservationRoutes } from './routes/reservations.ts'
import { resultRoutes } from './routes/results.ts'
import { runArchiveRoutes } from './routes/run-archive.ts'
import { runRoutes } from './routes/runs.ts'
import { calibrationRoutes } from './routes/calibrations.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { sessionRoutes } from './routes/session.ts'
import { stateStreamRoutes } from './routes/state-stream.ts'
import { stateRoutes } from './routes/state.ts'
import { stopRoutes } from './routes/stop.ts'
import { timelineRoutes } from './routes/timeline.ts'
import { socketRoutes } from './routes/ws.ts'
import { StateDocuments } from './state-document.ts'
import { checkStrictly } from './validation.ts'

export interface AppOptions {
  site: Site
  client: SiteClient
  /** Folder of the built dashboard. */
  assetsDir: string
  log: Logger
  /** Limits of those who follow the state; as they are by default where left out. */
  push?: PushLimits
}

declare module 'fastify' {
  interface FastifyInstance {
    states: StateDocuments
    intake: LogIntake
    apiRoutes: ApiRoutes
    /** Those who are shown the state as it comes. */
    push: PushHub
    /** Aborting it answers all who wait for an outcome. */
    closing: AbortController
  }
}

/** The longest address of a request, in characters. */
const MAX_URL = 16_384

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Builds the web application. It opens no port; `client` stays the caller's to close. */
export async function buildApp({
  site,
  client,
  assetsDir,
  log,
  push: pushLimits,
}: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    // For long log records in addresses; other addresses are bounded by MAX_URL.
    http: { maxHeaderSize: 65_536 },
    // Longer ids are looked at too, so that the answer can name the field; the URL as a whole is bounded by Node.
    routerOptions: { maxParamLength: 16_384 },
    forceCloseConnections: true,
    requestTimeout: 30_000,
    keepAliveTimeout: 30_000,
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, error, log),
    clientErrorHandler: answerBrokenHttp,
  })
  const closing = new AbortController()
  // As many as wait for an outcome.
  setMaxListeners(0, closing.signal)
  const context: WebContext = {
    site,
    client,
    states: new StateDocuments({
      view: client.view,
      configured: site.instruments.map(({ id }) => id),
      leaseMs: site.leaseMs,
    }),
    access: new Access(site),
    archive: new ArchiveReader(site.archive?.place ?? null),
    intake: new LogIntake({ client, log }),
    refusals: new Refusals(client, log),
    log,
    version: VERSION,
    startedAt: isoTime(Date.now()),
    closing: closing.signal,
  }
  const push = new PushHub({ states: context.states, view: client.view, ...pushLimits })
  const metrics = new Metrics(client.view, site, push)

  app.decorate('states', context.states)
  app.decorate('push', push)
  app.decorate('closing', closing)
  app.addHook('onClose', context.states.start())
  app.addHook('onClose', () => context.intake.close())
  app.addHook('onClose', () => context.archive.close())
  app.decorate('intake', context.intake)
  app.addHook('preClose', () => {
    closing.abort()
    return push.close()
  })
  app.decorateRequest('identity')
  app.addHook('onRequest', (request, _reply, done) => {
    // What is no route is nobody's secret, but says so only to those who may ask.
    const open =
      request.routeOptions.config.open === true || (request.is404 && !request.url.startsWith('/api/'))
    const { harmless = false, writesLog = false, maxUrl = MAX_URL } = request.routeOptions.config
    const knock = request.raw as FastifyRequest['raw'] & { url: string; method: string }
    request.identity = context.access.admit(writesLog ? logKnock(knock) : knock, open, harmless)
    if (request.url.length > maxUrl) throw tooLong(maxUrl)
    done()
  })
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error, log))
  app.setNotFoundHandler((request) => {
    throw new GolemError('NOT_FOUND', `There is nothing at ${clip(request.url)}.`, { field: 'path' })
  })
  acceptJsonBodies(app)
  checkStrictly(app)
  // Answers are written as they are: the schemas of answers are documentation, not a filter.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  const routes = collectRoutes(app)
  app.decorate('apiRoutes', routes)

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: `golem: ${site.title}`,
        description:
          'Run a laboratory over the network. Errors are RFC 9457 problem documents with code and effect.',
        version: context.version,
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      ...(context.access.kind === 'tokens' ? { security: [{ token: [] }] } : {}),
    },
  })
  await app.register(async (polls) => stateRoutes(polls, context, metrics))
  await app.register(async (pushed) => {
    // Not in the figures of requests: these last for hours.
    stateStreamRoutes(pushed, push)
    socketRoutes(pushed, context, push)
  })
  await app.register(async (scope) => {
    scope.addHook('onSend', addSecurityHeaders)
    scope.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none'
      metrics.countRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000)
      done()
    })
    instrumentRoutes(scope, context)
    commandRoutes(scope, context)
    resultRoutes(scope, context)
    reservationRoutes(scope, context)
    stopRoutes(scope, context)
    interlockRoutes(scope, context)
    fleetRoutes(scope, context)
    eventRoutes(scope, context)
    timelineRoutes(scope, context)
    runRoutes(scope, context)
    exportRoutes(scope, context)
    runArchiveRoutes(scope, context)
    historyRoutes(scope, context)
    calibrationRoutes(scope, context)
    scheduleRoutes(scope, context)
    alarmRoutes(scope, context)
    sessionRoutes(scope, context)
    healthRoutes(scope, context)
    metricsRoutes(scope, metrics)
    await scope.register(async (records) => logRoutes(records, context))
    await documentationRoutes(scope)
    await dashboardRoutes(scope, assetsDir)
  })
  refuseOtherMethods(app, routes)
  return app
}

function tooLong(most: number): GolemError {
  return new GolemError('INVALID_REQUEST', `The address is longer than ${most} characters.`, {
    field: 'request',
    details: { status: 414 },
  })
}

function addSecurityHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) reply.header(name, value)
  if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', PAGE_POLICY)
  if (request.url.startsWith('/api/') && !reply.hasHeader('cache-control'))
    reply.header('cache-control', 'no-store')
  done(null, payload)
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, error: unknown, log: Logger): void {
  const reading = request.method === 'GET' || request.method === 'HEAD'
  const { document, headers, bug } = problemOf(error, reading)
  if (bug)
    log.error(
      {
        err: error,
        reference: document['reference'],
        method: request.method,
        url: clip(withoutToken(request.url)),
      },
      'a request met a bug',
    )
  const body = JSON.stringify(document)
  reply
    .code(document.status)
    .headers(headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    // A string would be serialised once more because of the JSON content type.
    .send(Buffer.from(body))
}

/** Senders of log records may have their token in the address. */
function withoutToken(url: string): string {
  return url.replace(/([?&]token=)[^&]*/g, '$1…')
}

/** Answers what is no HTTP, or has headers without end; no request exists yet at this point. */
function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }[error.code ?? ''] ?? 400
  const said = {
    431: 'The address or the headers of the request are too long.',
    408: 'The request did not arrive in time.',
    400: 'This is no HTTP request that can be understood.',
  }[status]
  const { document } = problemOf(
    new GolemError('INVALID_REQUEST', said ?? '', { field: 'request', details: { status } }),
  )
  const body = JSON.stringify(document)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
