import {
  type ActionDescription,
  type CommandRecord,
  type CommandTarget,
  DEFAULT_VALID_FOR_MS,
  GolemError,
  isoTime,
  validateTarget,
} from '@golem/core'
import { commandIdFor } from '@golem/queue'
import type { FastifyInstance } from 'fastify'
import type { Identity } from '../access.ts'
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

interface CommandBody {
  parameter?: string
  value?: unknown
  action?: string
  arguments?: unknown
  validForMs?: number
  reservation?: number
}

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
      const by = request.identity.name
      const repeated = key === undefined ? undefined : commandIdFor(by, key)
      const target = await checkCommand(context, id, request.body, { repeated, identity: request.identity })
      const { record } = await bounded(
        client.submit({
          instrument: id,
          target,
          by,
          validForMs: request.body.validForMs ?? DEFAULT_VALID_FOR_MS,
          ...(key === undefined ? {} : { idempotencyKey: key }),
          ...(request.body.reservation === undefined ? {} : { reservation: request.body.reservation }),
        }),
        () => noConfirmation('the command'),
      )
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

/**
 * All that can be checked before a command is handed over; what fails here has reached no queue.
 *
 * @param repeated - id of the command that an earlier request with the same key would have made
 */
async function checkCommand(
  context: WebContext,
  id: string,
  body: CommandBody,
  { repeated, identity }: { repeated: string | undefined; identity: Identity },
): Promise<CommandTarget> {
  const { view } = context.client
  checkKnown(context, id)
  checkBus(context)
  const description = view.descriptions.get(id)
  if (!description) {
    throw new GolemError('WORKER_AWAY', `No worker has announced ${id} yet. Is a worker running on its host?`)
  }
  const target = validateTarget(description, body)
  if ('action' in target) checkRole(identity, description.actions[target.action])
  const missing = context.states.missingOwner(id)
  // A repeated request asks what became of the first; that a worker is away now is no answer to it.
  if (missing && !(repeated !== undefined && (await isInLedger(context, repeated)))) {
    const who =
      missing.worker === null
        ? `No worker has owned ${id}`
        : `The worker of ${id}, ${missing.worker}, has been silent`
    throw new GolemError('WORKER_AWAY', `${who} since ${isoTime(missing.since)}. Nothing was sent.`)
  }
  return target
}

async function isInLedger({ client }: WebContext, id: string): Promise<boolean> {
  try {
    await bounded(client.getCommand(id), noAnswer)
    return true
  } catch (error) {
    if (error instanceof GolemError && error.code === 'UNKNOWN_COMMAND') return false
    throw error
  }
}

/** @throws QUEUE_DOWN while the web process does not hear from Redis: it can't know what it would command */
function checkBus({ client }: WebContext): void {
  const { bus } = client.view
  if (bus.ok) return
  throw new GolemError('QUEUE_DOWN', `${bus.message} Nothing was sent; try again when Redis is back.`)
}

/** Waits for the outcome. A command once accepted stays accepted: trouble while waiting is no error of it. */
async function outcomeOf(
  { client, log }: WebContext,
  record: CommandRecord,
  seconds: number,
): Promise<CommandRecord> {
  if (record.state === 'ended') return record
  const waitMs = seconds * 1000
  try {
    return await bounded(client.waitForOutcome(record.id, waitMs), noAnswer, waitMs + 2_500)
  } catch (error) {
    log.warn(
      { err: error, command: record.id },
      'waiting for an outcome was cut short; the command stays in the queue',
    )
    return record
  }
}

/** @throws NOT_ALLOWED */
function checkRole({ name, role }: Identity, action: ActionDescription | undefined): void {
  if (action?.role !== 'admin' || role === 'admin') return
  throw new GolemError('NOT_ALLOWED', `"${action.label}" takes the role admin, and ${name} has not.`, {
    field: 'header.authorization',
  })
}
