import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { RecipeDescription, RunRecord } from '@golem/core'
import { open } from './app-in-memory.ts'
import type { ProblemDocument } from './problem.ts'

const RECIPE: RecipeDescription = {
  id: 'ventilation',
  label: 'Ventilation',
  parameters: {
    onFor: { type: 'duration', label: 'How long', min: 1000, max: 600_000, default: 240_000 },
    power: { type: 'number', label: 'Power', unit: '%', min: 0, max: 100 },
  },
  roles: { fan: { label: 'Board of the fans', default: 'relay-1' } },
  stages: ['open', 'blow', 'close'],
  commands: ['relay-1'],
  reads: [],
  kind: 'yaml',
  faults: [],
}

async function withRecipe(t: TestContext) {
  const site = await open(t)
  site.client.view.recipes.set(RECIPE.id, RECIPE)
  site.client.view.recipes.set('elsewhere', {
    ...RECIPE,
    id: 'elsewhere',
    roles: { fan: { label: 'Board of the fans', default: null } },
  })
  site.client.view.recipes.set('broken', { ...RECIPE, id: 'broken', faults: ['broken.yaml:3: no such step'] })
  const start = (payload: object, headers: Record<string, string> = {}) =>
    site.app.inject({ method: 'POST', url: '/api/runs', payload, headers })
  return { ...site, start }
}

test('a run is handed to the scheduler with its parameters complete, and is seen at once', async (t) => {
  const { app, client, start } = await withRecipe(t)
  const answer = await start({
    recipe: 'ventilation',
    parameters: { power: 40, onFor: '60 s' },
    note: 'leak test',
  })
  assert.equal(answer.statusCode, 202)
  const run = answer.json<RunRecord>()
  assert.deepEqual(run.parameters, { power: 40, onFor: 60_000 })
  assert.deepEqual([run.state, run.note, run.progress.stages], ['waiting', 'leak test', 3])
  assert.deepEqual(client.requests, [{ type: 'run', record: run }])
  assert.equal(answer.headers.location, `/api/runs/${run.id}`)
  assert.deepEqual((await app.inject(`/api/runs/${run.id}`)).json(), run)
  assert.equal((await app.inject('/api/runs?recipe=ventilation')).json<unknown[]>().length, 1)
  assert.equal((await app.inject('/api/runs?recipe=other')).json<unknown[]>().length, 0)
})

test('the same key starts one run, however often it is sent', async (t) => {
  const { client, start } = await withRecipe(t)
  const body = { recipe: 'ventilation', parameters: { power: 40 } }
  const ids = []
  for (let n = 0; n < 3; n += 1) {
    ids.push((await start(body, { 'idempotency-key': 'press-1' })).json<RunRecord>().id)
  }
  assert.equal(new Set(ids).size, 1)
  assert.equal(client.requests.length, 1)
})

test('what can not be started is refused with what is wrong, where', async (t) => {
  const { client, start } = await withRecipe(t)
  const cases: [object, string, string][] = [
    [{ recipe: 'nothing' }, 'NOT_FOUND', '/recipe'],
    [{ recipe: 'broken', parameters: { power: 1 } }, 'INVALID_REQUEST', '/recipe'],
    [{ recipe: 'ventilation' }, 'INVALID_REQUEST', '/parameters/power'],
    [{ recipe: 'ventilation', parameters: { power: 101 } }, 'OUT_OF_RANGE', '/parameters/power'],
    [{ recipe: 'ventilation', parameters: { power: 1, onFor: '1 h' } }, 'OUT_OF_RANGE', '/parameters/onFor'],
    [{ recipe: 'ventilation', parameters: { power: 1, speed: 2 } }, 'UNKNOWN_NAME', '/parameters/speed'],
    [
      { recipe: 'ventilation', parameters: { power: 1 }, instruments: { fan: 'relay-9' } },
      'UNKNOWN_INSTRUMENT',
      '/instruments/fan',
    ],
    [
      { recipe: 'ventilation', parameters: { power: 1 }, instruments: { pump: 'relay-1' } },
      'UNKNOWN_NAME',
      '/instruments/pump',
    ],
    [{ recipe: 'elsewhere', parameters: { power: 1 } }, 'INVALID_REQUEST', '/instruments/fan'],
  ]
  for (const [body, code, field] of cases) {
    const problem = (await start(body)).json<ProblemDocument>()
    assert.deepEqual([problem.code, problem['field']], [code, field], JSON.stringify(body))
  }
  assert.equal(client.requests.length, 0)
})

test('requests and changes go to the scheduler; a run that has ended takes none', async (t) => {
  const { app, client, start } = await withRecipe(t)
  const run = (await start({ recipe: 'ventilation', parameters: { power: 40 } })).json<RunRecord>()
  const tell = (what: string) => app.inject({ method: 'POST', url: `/api/runs/${run.id}/${what}` })
  assert.equal((await tell('pause')).statusCode, 202)
  const change = {
    method: 'PATCH',
    url: `/api/runs/${run.id}`,
    payload: { parameters: { power: 50 } },
  } as const
  assert.equal((await app.inject(change)).statusCode, 202)
  assert.deepEqual(client.requests.slice(1), [
    { type: 'run-request', run: run.id, request: 'pause', by: 'local', note: '' },
    { type: 'run-parameters', run: run.id, parameters: { power: 50 }, by: 'local' },
  ])
  const skip = { method: 'POST', url: `/api/runs/${run.id}/skip`, payload: { step: 3 } } as const
  assert.equal((await app.inject(skip)).statusCode, 202)
  assert.deepEqual(client.requests.at(-1), {
    type: 'run-request',
    run: run.id,
    request: 'skip',
    by: 'local',
    note: '',
    seen: 3,
  })
  assert.equal((await app.inject({ ...skip, payload: { step: -1 } })).statusCode, 422)
  assert.equal((await app.inject({ ...skip, url: `/api/runs/${run.id}/pause` })).statusCode, 400)
  assert.equal((await tell('explode')).statusCode, 404)
  client.view.runs.set(run.id, { ...run, state: 'ended', end: 'stopped', message: 'Stopped by anna.' })
  const problem = (await tell('resume')).json<ProblemDocument>()
  assert.equal(problem.code, 'RUN_ENDED')
  assert.match(String(problem.detail), /Stopped by anna/)
  assert.equal((await app.inject('/api/runs/none')).statusCode, 404)
})
