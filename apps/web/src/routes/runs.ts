import {
  GolemError,
  type RecipeDescription,
  RUN_REQUESTS,
  type RunRecord,
  type RunRequest,
  type Value,
  isoTime,
} from '@golem/core'
import { commandIdFor } from '@golem/queue'
import { checkGiven, checkParameters } from '@golem/recipes'
import type { FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import { type WebContext, bounded, checkKnown, handedOver, noAnswer, noConfirmation } from '../context.ts'
import { clip } from '../problem.ts'
import { idempotencyKey } from '../request-headers.ts'
import { answers, commandHeaders, idParams, inWords, noQuery } from '../schemas.ts'
import { asCsv } from './rows-csv.ts'
import {
  noteBody,
  rowsQuery,
  runAnswer,
  runBody,
  runParametersBody,
  runsQuery,
  skipBody,
} from './runs-schemas.ts'

interface RunBody {
  recipe: string
  parameters?: Readonly<Record<string, unknown>>
  instruments?: Readonly<Record<string, string>>
  note?: string
}

/** Recipes, and the runs of them. What is asked here is done by the scheduler; the run's record says what came of it. */
export function runRoutes(app: FastifyInstance, context: WebContext): void {
  const { client } = context
  const { view } = client

  app.get(
    '/api/recipes',
    {
      schema: {
        summary: 'Recipes of this site, shipped ones and its own',
        tags: ['runs'],
        querystring: noQuery,
        response: answers({ 200: inWords('By label', 'array') }),
      },
    },
    () => [...view.recipes.values()].toSorted((a, b) => a.label.localeCompare(b.label)),
  )

  app.post<{ Body: RunBody }>(
    '/api/runs',
    {
      schema: {
        summary: 'Start a run of a recipe',
        tags: ['runs'],
        querystring: noQuery,
        headers: commandHeaders,
        body: runBody,
        response: answers({ 202: runAnswer('Accepted; Location says where it can be followed') }),
      },
    },
    async (request, reply) => {
      const key = idempotencyKey(request.headers['idempotency-key'])
      const by = request.identity.name
      const id = (key === undefined ? randomUUID() : commandIdFor(by, key)).replaceAll('-', '').slice(0, 12)
      const record = newRun(context, { id, by }, request.body)
      const known = await handedOver(
        client.request({ type: 'run', record }, { table: 'run', id, value: record }),
        () => noConfirmation('the run'),
      )
      return reply
        .code(202)
        .header('location', `/api/runs/${id}`)
        .send(known ?? record)
    },
  )

  app.get<{ Querystring: { recipe?: string; limit: number } }>(
    '/api/runs',
    {
      schema: {
        summary: 'Runs, newest first; ended ones are kept for 30 days',
        tags: ['runs'],
        querystring: runsQuery,
        response: answers({ 200: inWords('Newest first', 'array') }),
      },
    },
    ({ query: { recipe, limit } }) =>
      [...view.runs.values()]
        .filter((run) => recipe === undefined || run.recipe === recipe)
        .toSorted((a, b) => b.submittedAt.localeCompare(a.submittedAt))
        .slice(0, limit),
  )

  app.get<{ Params: { id: string } }>(
    '/api/runs/:id',
    {
      schema: {
        summary: 'One run',
        tags: ['runs'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: runAnswer('As it is now') }),
      },
    },
    ({ params: { id } }) => runOf(context, id),
  )

  app.get<{ Params: { id: string }; Querystring: { since?: string; limit: number; format: 'json' | 'csv' } }>(
    '/api/runs/:id/rows',
    {
      schema: {
        summary: 'What a run has measured',
        tags: ['runs'],
        params: idParams,
        querystring: rowsQuery,
        response: answers({ 200: { description: 'Oldest first' } }),
      },
    },
    async ({ params: { id }, query: { format, ...query } }, reply) => {
      await runOf(context, id)
      const rows = await bounded(client.rows(id, query), noAnswer)
      if (format === 'json') return rows
      return reply
        .type('text/csv')
        .header('content-disposition', `attachment; filename="run-${clip(id)}.csv"`)
        .send(asCsv(rows))
    },
  )

  app.patch<{ Params: { id: string }; Body: { parameters: Readonly<Record<string, unknown>> } }>(
    '/api/runs/:id',
    {
      schema: {
        summary: 'Change parameters of a run while it goes on; each change is recorded',
        tags: ['runs'],
        params: idParams,
        querystring: noQuery,
        body: runParametersBody,
        response: answers({ 202: runAnswer('Accepted: the scheduler will do it') }),
      },
    },
    async ({ params: { id }, body, identity }, reply) => {
      const run = await goingOn(context, id)
      const recipe = view.recipes.get(run.recipe)
      const parameters = recipe ? checkGiven(recipe.parameters, body.parameters) : asValues(body.parameters)
      await handedOver(
        client.request({ type: 'run-parameters', run: id, parameters, by: identity.name }),
        () => noConfirmation('the change'),
      )
      return reply.code(202).send(run)
    },
  )

  for (const what of RUN_REQUESTS) {
    app.post<{ Params: { id: string }; Body: { note?: string; step?: number } | null }>(
      `/api/runs/:id/${what}`,
      {
        schema: {
          summary: MEANINGS[what],
          tags: ['runs'],
          params: idParams,
          querystring: noQuery,
          body: what === 'skip' ? skipBody : noteBody,
          response: answers({ 202: runAnswer('Accepted: the scheduler will do it') }),
        },
      },
      async ({ params: { id }, body, identity }, reply) => {
        const run = await goingOn(context, id)
        await handedOver(
          client.request({
            type: 'run-request',
            run: id,
            request: what,
            by: identity.name,
            note: body?.note ?? '',
            ...(body?.step === undefined ? {} : { seen: body.step }),
          }),
          () => noConfirmation('the request'),
        )
        return reply.code(202).send(run)
      },
    )
  }
}

/** What each request means, for the documentation. */
const MEANINGS: Readonly<Record<RunRequest, string>> = {
  pause: 'Hold a run where it is; its outputs stay as they are',
  resume: 'Let a run go on that is paused or asks',
  stop: 'End a run in order: what its recipe does at the end is done',
  abort: 'End a run at once: its instruments go to their safe state',
  skip: 'End the waiting of the step a run is at',
  reset: 'Begin the recipe anew, with the same parameters',
  ping: 'Have the run say how it is, now',
  kill: 'Forget a run at once; its outputs stay as they are',
}

/** The record of a run that is asked for. @throws NOT_FOUND, INVALID_REQUEST and what the parameters throw */
function newRun(context: WebContext, { id, by }: { id: string; by: string }, body: RunBody): RunRecord {
  const { client } = context
  const recipe = client.view.recipes.get(body.recipe)
  if (!recipe) {
    const known = [...client.view.recipes.keys()].join(', ') || 'none: is a scheduler running?'
    throw new GolemError('NOT_FOUND', `There is no recipe "${clip(body.recipe)}". There are: ${known}.`, {
      field: '/recipe',
    })
  }
  if (recipe.faults.length > 0) {
    throw new GolemError(
      'INVALID_REQUEST',
      `${recipe.id} can't be started: ${recipe.faults.slice(0, 3).join(' ')}`,
      { field: '/recipe' },
    )
  }
  const { instruments } = body
  checkRoles(context, recipe, instruments ?? {})
  const at = isoTime(client.view.now())
  return {
    id,
    recipe: recipe.id,
    label: recipe.label,
    by,
    ...(body.note === undefined ? {} : { note: body.note }),
    parameters: checkParameters(recipe.parameters, body.parameters ?? {}),
    ...(instruments === undefined ? {} : { instruments }),
    state: 'waiting',
    message: 'The scheduler has not begun it yet.',
    submittedAt: at,
    progress: {
      stage: null,
      stageNumber: 0,
      stages: recipe.stages.length,
      step: 0,
      steps: null,
      doing: 'waits for the scheduler',
      fraction: null,
      endsAt: null,
    },
    seenAt: at,
    interruptions: { count: 0, ms: 0 },
    rows: 0,
    scheduler: null,
  }
}

/** @throws UNKNOWN_NAME, UNKNOWN_INSTRUMENT, INVALID_REQUEST */
function checkRoles(
  context: WebContext,
  { id, roles }: RecipeDescription,
  given: Readonly<Record<string, string>>,
): void {
  for (const [role, instrument] of Object.entries(given)) {
    const field = `/instruments/${role}`
    if (!Object.hasOwn(roles, role)) {
      const known = Object.keys(roles).join(', ') || 'none'
      throw new GolemError('UNKNOWN_NAME', `${id} has no role "${clip(role)}". It has: ${known}.`, { field })
    }
    checkKnown(context, instrument, field)
  }
  for (const [role, { label, default: usual }] of Object.entries(roles)) {
    if (usual !== null || Object.hasOwn(given, role)) continue
    throw new GolemError(
      'INVALID_REQUEST',
      `Say which instrument is the "${role}" (${label}): this site does not have the one that ${id} names.`,
      { field: `/instruments/${role}` },
    )
  }
}

/** @throws NOT_FOUND, QUEUE_DOWN */
async function runOf({ client }: WebContext, id: string): Promise<RunRecord> {
  // Who has just been told that it was accepted, perhaps by another process, finds it.
  const run = client.view.runs.get(id) ?? (await bounded(client.run(id), noAnswer))
  if (run) return run
  throw new GolemError('NOT_FOUND', `There is no run "${clip(id)}"; ended ones are kept for 30 days.`, {
    field: 'path.id',
  })
}

/** @throws NOT_FOUND, RUN_ENDED, QUEUE_DOWN */
async function goingOn(context: WebContext, id: string): Promise<RunRecord> {
  const run = await runOf(context, id)
  if (run.state !== 'ended') return run
  throw new GolemError('RUN_ENDED', `Run ${id} has ended (${run.end ?? 'ended'}): ${run.message}`, {
    field: 'path.id',
  })
}

/** Of a program of the site only its own code knows what its parameters may be. */
function asValues(given: Readonly<Record<string, unknown>>): Record<string, Value> {
  return given as Record<string, Value>
}
