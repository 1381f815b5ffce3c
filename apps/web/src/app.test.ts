import { GolemError } from '@golem/core'
import type { FastifyInstance, InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { InMemoryClient, descriptionOf, siteOf, snapshotOf } from './in-memory-site.ts'
import type { ProblemDocument } from './problem.ts'

const COMMANDS = '/api/instruments/relay-1/commands'
const JSON_TYPE = { 'content-type': 'application/json' }

async function open(t: TestContext, web = {}): Promise<{ app: FastifyInstance; client: InMemoryClient }> {
  const client = new InMemoryClient()
  client.view.descriptions.set('relay-1', descriptionOf('relay-1'))
  client.view.beat('worker-1')
  client.view.publish(snapshotOf('relay-1', client.view.timeMs))
  const assetsDir = mkdtempSync(join(tmpdir(), 'golem-web-'))
  const log = pino({ level: 'silent' })
  const app = await buildApp({ site: siteOf(['relay-1', 'relay-2'], web), client, assetsDir, log })
  t.after(async () => {
    await app.close()
    rmSync(assetsDir, { recursive: true })
  })
  return { app, client }
}

function problemIn(body: string, type: unknown): ProblemDocument {
  assert.match(String(type), /^application\/problem\+json/)
  const problem = JSON.parse(body) as ProblemDocument
  assert.match(problem.type, /^urn:golem:error:[A-Z_]+$/)
  assert.ok(problem.title && problem.detail)
  return problem
}

/** status, code and field of the problem document that a request gets */
async function fault(app: FastifyInstance, request: InjectOptions): Promise<unknown[]> {
  const response = await app.inject(request)
  const { status, code, field } = problemIn(response.body, response.headers['content-type'])
  assert.equal(response.statusCode, status)
  return [status, code, field]
}

const post = (payload: unknown, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: COMMANDS,
  headers: { ...JSON_TYPE, ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

const GOOD = { parameter: 'relay0', value: true }
const nested = (depth: number): string =>
  `{"parameter":"relay0","value":${'['.repeat(depth)}${']'.repeat(depth)}}`

const BAD_COMMANDS: [string, InjectOptions, [number, string, string]][] = [
  [
    'an unknown instrument',
    { ...post(GOOD), url: '/api/instruments/relay-9/commands' },
    [404, 'UNKNOWN_INSTRUMENT', 'path.id'],
  ],
  [
    'an id of 101 characters',
    { ...post(GOOD), url: `/api/instruments/${'x'.repeat(101)}/commands` },
    [422, 'OUT_OF_RANGE', 'path.id'],
  ],
  [
    'an id of 10,000 characters',
    { ...post(GOOD), url: `/api/instruments/${'x'.repeat(10_000)}/commands` },
    [422, 'OUT_OF_RANGE', 'path.id'],
  ],
  [
    'an id named like a property of all objects',
    { ...post(GOOD), url: '/api/instruments/__proto__/commands' },
    [404, 'UNKNOWN_INSTRUMENT', 'path.id'],
  ],
  [
    'a broken % sequence in the path',
    { ...post(GOOD), url: '/api/instruments/%zz/commands' },
    [400, 'INVALID_REQUEST', 'path'],
  ],
  ['an unknown parameter', post({ parameter: 'relay7', value: true }), [404, 'UNKNOWN_NAME', '/parameter']],
  [
    'a parameter named constructor',
    post({ parameter: 'constructor', value: true }),
    [404, 'UNKNOWN_NAME', '/parameter'],
  ],
  ['an unknown action', post({ action: 'explode' }), [404, 'UNKNOWN_NAME', '/action']],
  [
    'an unknown argument',
    post({ action: 'reset', arguments: { hard: true } }),
    [404, 'UNKNOWN_NAME', '/arguments/hard'],
  ],
  ['a missing argument', post({ action: 'pulse' }), [400, 'INVALID_REQUEST', '/arguments/seconds']],
  [
    'an argument out of range',
    post({ action: 'pulse', arguments: { seconds: 61 } }),
    [422, 'OUT_OF_RANGE', '/arguments/seconds'],
  ],
  [
    'a parameter that can only be read',
    post({ parameter: 'temperature', value: 20 }),
    [422, 'NOT_WRITABLE', '/parameter'],
  ],
  ['a value of the wrong type', post({ parameter: 'relay0', value: 'true' }), [422, 'WRONG_TYPE', '/value']],
  ['a number as text', post({ parameter: 'level', value: '5' }), [422, 'WRONG_TYPE', '/value']],
  ['null as a value', post({ parameter: 'relay0', value: null }), [422, 'WRONG_TYPE', '/value']],
  ['an object as a value', post({ parameter: 'relay0', value: {} }), [422, 'WRONG_TYPE', '/value']],
  ['no value', post({ parameter: 'relay0' }), [422, 'WRONG_TYPE', '/value']],
  ['a value out of range', post({ parameter: 'level', value: 101 }), [422, 'OUT_OF_RANGE', '/value']],
  ['a number beyond all numbers', post('{"parameter":"level","value":1e999}'), [422, 'WRONG_TYPE', '/value']],
  ['parameter and action', post({ ...GOOD, action: 'reset' }), [400, 'INVALID_REQUEST', '/action']],
  ['neither', post({}), [400, 'INVALID_REQUEST', '/parameter']],
  ['an unknown key', post({ ...GOOD, force: true }), [400, 'INVALID_REQUEST', '/force']],
  [
    'a polluting key',
    post('{"parameter":"relay0","value":true,"__proto__":{"x":1}}'),
    [400, 'INVALID_REQUEST', '/__proto__'],
  ],
  [
    'a polluting constructor',
    post('{"constructor":{"prototype":{"x":1}}}'),
    [400, 'INVALID_REQUEST', '/constructor'],
  ],
  ['a list as the body', post('[]'), [400, 'INVALID_REQUEST', 'body']],
  ['no body', { method: 'POST', url: COMMANDS }, [400, 'INVALID_REQUEST', 'body']],
  ['an empty body', post(''), [400, 'INVALID_REQUEST', 'body']],
  ['broken JSON', post('{"parameter":'), [400, 'INVALID_REQUEST', 'body']],
  ['a body of 10 MB', post(`"${'x'.repeat(10_000_000)}"`), [413, 'BODY_TOO_LARGE', 'body']],
  ['deep nesting', post(nested(30_000)), [400, 'INVALID_REQUEST', 'body']],
  ['nesting within the bound', post(nested(10)), [422, 'WRONG_TYPE', '/value']],
  [
    'another content type',
    post('relay0=true', { 'content-type': 'application/x-www-form-urlencoded' }),
    [415, 'WRONG_MEDIA_TYPE', 'header.content-type'],
  ],
  ['text', post('on', { 'content-type': 'text/plain' }), [415, 'WRONG_MEDIA_TYPE', 'header.content-type']],
  [
    'a broken content type',
    post('on', { 'content-type': ';;' }),
    [415, 'WRONG_MEDIA_TYPE', 'header.content-type'],
  ],
  ['a broken Prefer', post(GOOD, { prefer: 'wait=soon' }), [400, 'INVALID_REQUEST', 'header.prefer']],
  [
    'a long Idempotency-Key',
    post(GOOD, { 'idempotency-key': 'x'.repeat(201) }),
    [400, 'INVALID_REQUEST', 'header.idempotency-key'],
  ],
  [
    'a signature that is none',
    post(GOOD, { 'x-golem-user': 'x'.repeat(65) }),
    [400, 'INVALID_REQUEST', 'header.x-golem-user'],
  ],
  ['validForMs of 0', post({ ...GOOD, validForMs: 0 }), [422, 'OUT_OF_RANGE', '/validForMs']],
  [
    'validForMs beyond an hour',
    post({ ...GOOD, validForMs: 3_600_001 }),
    [422, 'OUT_OF_RANGE', '/validForMs'],
  ],
  ['validForMs as text', post({ ...GOOD, validForMs: '30000' }), [422, 'WRONG_TYPE', '/validForMs']],
  [
    'an unknown query',
    { ...post(GOOD), url: `${COMMANDS}?force=1` },
    [400, 'INVALID_REQUEST', 'query.force'],
  ],
  [
    'an instrument without a worker',
    { ...post(GOOD), url: '/api/instruments/relay-2/commands' },
    [503, 'WORKER_AWAY', undefined as unknown as string],
  ],
]

for (const [what, request, expected] of BAD_COMMANDS) {
  test(`a command with ${what} is refused by name and reaches no queue`, async (t) => {
    const { app, client } = await open(t)
    assert.deepEqual(await fault(app, request), expected)
    assert.deepEqual(client.submitted, [])
  })
}

const BAD_QUESTIONS: [string, string, [number, string, string]][] = [
  ['GET', '/nothing', [404, 'NOT_FOUND', 'path']],
  ['GET', '/api/nothing', [404, 'NOT_FOUND', 'path']],
  ['GET', '/api/instruments/relay-9', [404, 'UNKNOWN_INSTRUMENT', 'path.id']],
  ['GET', '/api/commands/none', [404, 'UNKNOWN_COMMAND', undefined as unknown as string]],
  ['GET', '/api/commands/a%20b', [404, 'UNKNOWN_COMMAND', 'path.id']],
  ['GET', '/api/commands?limit=0', [422, 'OUT_OF_RANGE', 'query.limit']],
  ['GET', '/api/commands?limit=many', [422, 'WRONG_TYPE', 'query.limit']],
  ['GET', '/api/commands?since=yesterday', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/commands?since=2026-99-99T00:00:00Z', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/commands?instrument=relay-9', [404, 'UNKNOWN_INSTRUMENT', 'query.instrument']],
  ['GET', '/api/events?since=x', [400, 'INVALID_REQUEST', 'query.since']],
  ['GET', '/api/events?all=1', [400, 'INVALID_REQUEST', 'query.all']],
  ['GET', '/api/state?now=1', [400, 'INVALID_REQUEST', 'query.now']],
  ['DELETE', '/api/commands/none', [404, 'UNKNOWN_COMMAND', undefined as unknown as string]],
  ['POST', '/api/instruments/relay-9/stop', [404, 'UNKNOWN_INSTRUMENT', 'path.id']],
  ['PUT', '/api/stop', [405, 'METHOD_NOT_ALLOWED', 'method']],
  ['POST', '/api/state', [405, 'METHOD_NOT_ALLOWED', 'method']],
  ['PATCH', '/api/commands/x', [405, 'METHOD_NOT_ALLOWED', 'method']],
]

for (const [method, url, expected] of BAD_QUESTIONS) {
  test(`${method} ${url} gets ${expected[0]} ${expected[1]}`, async (t) => {
    const { app } = await open(t)
    assert.deepEqual(await fault(app, { method: method as 'GET', url }), expected)
  })
}

test('a command is accepted with its place in the ledger', async (t) => {
  const { app, client } = await open(t)
  const response = await app.inject(
    post({ parameter: 'level', value: 40, validForMs: 5_000 }, { 'x-golem-user': 'Ann' }),
  )
  assert.equal(response.statusCode, 202)
  assert.equal(response.headers.location, '/api/commands/c-0')
  assert.equal(response.json<{ by: string }>().by, 'Ann (local)')
  assert.deepEqual(client.submitted, [
    {
      instrument: 'relay-1',
      target: { parameter: 'level', value: 40 },
      by: 'Ann (local)',
      validForMs: 5_000,
    },
  ])
  const found = await app.inject('/api/commands/c-0')
  assert.equal(found.json<{ state: string }>().state, 'queued')
})

test('with Prefer: wait the outcome comes with the answer', async (t) => {
  const { app } = await open(t)
  const response = await app.inject(post(GOOD, { prefer: 'wait=5' }))
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['preference-applied'], 'wait=5')
  assert.equal(response.json<{ outcome: string }>().outcome, 'done')
})

test('without an outcome in time the command stays accepted', async (t) => {
  const { app, client } = await open(t)
  client.outcomes = false
  assert.equal((await app.inject(post(GOOD, { prefer: 'wait=1' }))).statusCode, 202)
})

test('trouble while waiting does not make an accepted command look refused', async (t) => {
  const { app, client } = await open(t)
  client.waitForOutcome = () => Promise.reject(new GolemError('QUEUE_DOWN', 'Redis went away.'))
  const response = await app.inject(post(GOOD, { prefer: 'wait=1' }))
  assert.equal(response.statusCode, 202)
  assert.equal(client.submitted.length, 1)
})

test('a repeated request with one key is one command, and tells the outcome when it is in', async (t) => {
  const { app, client } = await open(t)
  const first = await app.inject(post(GOOD, { 'idempotency-key': 'k1', prefer: 'wait=1' }))
  const again = await app.inject(post(GOOD, { 'idempotency-key': 'k1' }))
  assert.equal(first.statusCode, 200)
  assert.equal(again.statusCode, 200)
  assert.equal(again.json<{ id: string }>().id, first.json<{ id: string }>().id)
  assert.equal(client.submitted.length, 1)
})

test('an action gets its arguments', async (t) => {
  const { app, client } = await open(t)
  await app.inject(post({ action: 'pulse', arguments: { seconds: 3 } }))
  assert.deepEqual(client.submitted[0]?.target, { action: 'pulse', arguments: { seconds: 3 } })
})

test('a command for an instrument whose worker is silent for the lease time is refused', async (t) => {
  const { app, client } = await open(t)
  client.view.timeMs += 10_001
  assert.deepEqual(await fault(app, post(GOOD)), [503, 'WORKER_AWAY', undefined])
  assert.deepEqual(client.submitted, [])
})

test('a repeated request learns what became of the first one even when the worker is away by then', async (t) => {
  const { app, client } = await open(t)
  await app.inject(post(GOOD, { 'idempotency-key': 'k1', prefer: 'wait=1' }))
  client.view.timeMs += 10_001
  const again = await app.inject(post(GOOD, { 'idempotency-key': 'k1' }))
  assert.equal(again.statusCode, 200)
  assert.equal(again.json<{ outcome: string }>().outcome, 'done')
  assert.deepEqual(await fault(app, post(GOOD, { 'idempotency-key': 'k2' })), [503, 'WORKER_AWAY', undefined])
  assert.equal(client.submitted.length, 1)
})

test('a stop whose confirmation was lost is not called refused', async (t) => {
  const { app, client } = await open(t)
  client.trouble = new GolemError('QUEUE_DOWN', 'Redis did not answer.', {
    cause: new Error('Command timed out'),
  })
  const problem = (await app.inject({ method: 'POST', url: '/api/stop' })).json<ProblemDocument>()
  assert.deepEqual([problem.code, problem.effect], ['HANDOVER_UNKNOWN', 'unknown'])
  client.trouble = new GolemError('QUEUE_DOWN', 'Redis is away. Nothing was sent.')
  const refused = (await app.inject({ method: 'POST', url: '/api/stop' })).json<ProblemDocument>()
  assert.deepEqual([refused.code, refused.effect], ['QUEUE_DOWN', 'none'])
})

test('while Redis is away commands are refused at once, and state and health still answer', async (t) => {
  const { app, client } = await open(t)
  client.silent = true
  client.view.setBus(false)
  assert.deepEqual(await fault(app, post(GOOD)), [503, 'QUEUE_DOWN', undefined])
  assert.deepEqual(client.submitted, [])
  assert.equal((await app.inject('/api/state')).json<{ bus: { ok: boolean } }>().bus.ok, false)
  assert.equal((await app.inject('/readyz')).statusCode, 503)
  assert.equal((await app.inject('/healthz')).statusCode, 200)
  assert.equal((await app.inject('/api/instruments')).statusCode, 200)
})

test('the fleet is shown without what only Redis knows while it is away', async (t) => {
  const { app, client } = await open(t)
  client.trouble = new GolemError('QUEUE_DOWN', 'Redis is away.')
  const fleet = (await app.inject('/api/fleet')).json<{ bus: object; workers: object[] }>()
  assert.deepEqual(fleet.bus, {
    ok: false,
    since: client.view.bus.since,
    message: 'Redis is away.',
    roundTripMs: null,
    redisVersion: null,
  })
  assert.equal(fleet.workers.length, 1)
})

test('no request waits for ever on a Redis that says nothing, and the answer says what is not known', async (t) => {
  const { app, client } = await open(t)
  client.silent = true
  const [command, stop, list] = await Promise.all([
    app.inject(post(GOOD)),
    app.inject({ method: 'POST', url: '/api/stop' }),
    app.inject('/api/commands'),
  ])
  for (const response of [command, stop]) {
    const problem = problemIn(response.body, response.headers['content-type'])
    assert.deepEqual([problem.status, problem.code, problem.effect], [503, 'HANDOVER_UNKNOWN', 'unknown'])
  }
  assert.equal(list.statusCode, 503)
})

test('an emergency stop needs no body, no content type and no reason', async (t) => {
  const { app, client } = await open(t)
  assert.equal((await app.inject({ method: 'POST', url: '/api/stop' })).statusCode, 200)
  assert.equal((await app.inject({ method: 'POST', url: '/api/stop', headers: JSON_TYPE })).statusCode, 200)
  const one = { method: 'POST', url: '/api/instruments/relay-2/stop', payload: { reason: 'smoke' } } as const
  assert.equal((await app.inject(one)).statusCode, 200)
  assert.deepEqual(client.stops.at(-1), { instrument: 'relay-2', by: 'local', reason: 'smoke' })
  const released = await app.inject({
    method: 'POST',
    url: '/api/stop/release',
    payload: { instrument: 'relay-2' },
  })
  assert.equal(released.statusCode, 200)
})

test('a bug is answered without its particulars and can be found in the log', async (t) => {
  const { app, client } = await open(t)
  client.trouble = new TypeError('secret at line 7')
  const response = await app.inject('/api/commands')
  const problem = problemIn(response.body, response.headers['content-type'])
  assert.equal(problem.status, 500)
  assert.equal(problem.effect, 'none')
  assert.match(String(problem['reference']), /^[0-9a-f]{8}$/)
  assert.doesNotMatch(response.body, /secret/)
})

test('errors of the site keep their particulars', async (t) => {
  const { app, client } = await open(t)
  const error = new GolemError('HANDOVER_UNKNOWN', 'cut', { details: { command: 'c-7' } })
  client.trouble = error
  const problem = (await app.inject(post(GOOD))).json<ProblemDocument>()
  assert.deepEqual([problem.code, problem.effect, problem['command']], ['HANDOVER_UNKNOWN', 'unknown', 'c-7'])
})

test('a configured instrument that nobody announced is listed with what the site file says', async (t) => {
  const { app } = await open(t)
  const all = (await app.inject('/api/instruments')).json<{ id: string; parameters: object }[]>()
  assert.deepEqual(
    all.map(({ id, parameters }) => [id, Object.keys(parameters).length]),
    [
      ['relay-1', 3],
      ['relay-2', 0],
    ],
  )
})

test('the state is answered from cursor and ETag', async (t) => {
  const { app } = await open(t)
  const first = await app.inject('/api/state')
  const { cursor } = first.json<{ cursor: string }>()
  const etag = String(first.headers.etag)
  assert.equal((await app.inject({ url: '/api/state', headers: { 'if-none-match': etag } })).statusCode, 304)
  const delta = await app.inject(`/api/state?since=${encodeURIComponent(cursor)}`)
  assert.deepEqual(delta.json<{ instruments: object }>().instruments, {})
})

test('OpenAPI lists every route of the API, and every route is there', async (t) => {
  const { app } = await open(t)
  const { paths } = (await app.inject('/api/openapi.json')).json<{
    paths: Record<string, Record<string, object>>
  }>()
  const listed = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const served = [...app.apiRoutes].flatMap(([url, methods]) =>
    [...methods]
      .filter((method) => method !== 'HEAD' && !url.startsWith('/docs'))
      .map((method) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`),
  )
  assert.deepEqual(listed.toSorted(), served.toSorted())
  assert.deepEqual(served.toSorted(), [
    'DELETE /api/commands/{id}',
    'GET /api/commands',
    'GET /api/commands/{id}',
    'GET /api/events',
    'GET /api/fleet',
    'GET /api/instruments',
    'GET /api/instruments/{id}',
    'GET /api/openapi.json',
    'GET /api/session',
    'GET /api/state',
    'GET /healthz',
    'GET /metrics',
    'GET /readyz',
    'POST /api/instruments/{id}/commands',
    'POST /api/instruments/{id}/stop',
    'POST /api/stop',
    'POST /api/stop/release',
  ])
})

test('the documentation works without internet and keeps scripts of others out', async (t) => {
  const { app } = await open(t)
  const page = await app.inject('/docs/')
  assert.equal(page.statusCode, 200)
  assert.doesNotMatch(page.body, /(?:src|href)="https?:/)
  assert.match(String(page.headers['content-security-policy']), /script-src 'self';/)
})

test('answers carry the security headers, and the page none that loosens them', async (t) => {
  const { app } = await open(t)
  const { headers, body, statusCode } = await app.inject('/')
  assert.equal(statusCode, 503)
  assert.match(body, /npm run build/)
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';/)
  assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
})

test('with tokens the page and health are open, the API and the figures are not', async (t) => {
  const { app } = await open(t, { auth: { kind: 'tokens', tokens: [] } })
  for (const url of ['/healthz', '/readyz', '/docs/', '/api/openapi.json']) {
    assert.equal((await app.inject(url)).statusCode, 200, url)
  }
  for (const url of ['/api/state', '/api/session', '/metrics', '/api/nothing', '/api/fleet']) {
    assert.deepEqual(await fault(app, { url }), [401, 'NOT_AUTHENTICATED', 'header.authorization'], url)
  }
  const refused = await app.inject({ method: 'POST', url: '/api/stop' })
  assert.match(String(refused.headers['www-authenticate']), /^Bearer/)
})

test('Prometheus gets figures of the site', async (t) => {
  const { app } = await open(t)
  await app.inject('/api/state')
  const { body, headers } = await app.inject('/metrics')
  assert.match(String(headers['content-type']), /^text\/plain/)
  assert.match(body, /^golem_bus_up 1$/m)
  assert.match(body, /^golem_instruments\{condition="ok"\} 1$/m)
  assert.match(body, /^golem_state_answers_total\{kind="full"\} 1$/m)
})
