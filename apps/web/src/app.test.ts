import { hashToken } from '@golem/config'
import { GolemError } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, JSON_TYPE, fault, open, post, problemIn } from './app-in-memory.ts'
import type { ProblemDocument } from './problem.ts'

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
    'DELETE /api/calibrations/{name}/points',
    'DELETE /api/commands/{id}',
    'DELETE /api/instruments/{id}/reservation',
    'GET /api/alarms',
    'GET /api/alarms/history',
    'GET /api/calibrations',
    'GET /api/commands',
    'GET /api/commands/{id}',
    'GET /api/commands/{id}/result',
    'GET /api/events',
    'GET /api/export',
    'GET /api/export/log',
    'GET /api/fleet',
    'GET /api/history',
    'GET /api/instruments',
    'GET /api/instruments/{id}',
    'GET /api/instruments/{id}/reservation',
    'GET /api/instruments/{id}/worst-cases',
    'GET /api/interlocks',
    'GET /api/log',
    'GET /api/notifiers',
    'GET /api/openapi.json',
    'GET /api/recipes',
    'GET /api/runs',
    'GET /api/runs/{id}',
    'GET /api/runs/{id}/archive',
    'GET /api/runs/{id}/rows',
    'GET /api/schedules',
    'GET /api/schedules/planned',
    'GET /api/schedules/starts',
    'GET /api/series',
    'GET /api/session',
    'GET /api/state',
    'GET /api/state/stream',
    'GET /api/timeline',
    'GET /healthz',
    'GET /metrics',
    'GET /readyz',
    'GET /ws',
    'PATCH /api/runs/{id}',
    'PATCH /api/schedules/{id}',
    'POST /api/alarms/{id}/acknowledge',
    'POST /api/calibrations',
    'POST /api/calibrations/fit',
    'POST /api/calibrations/{name}/points',
    'POST /api/instruments/{id}/commands',
    'POST /api/instruments/{id}/power-return',
    'POST /api/instruments/{id}/stop',
    'POST /api/interlocks/{name}/reset',
    'POST /api/log',
    'POST /api/notes',
    'POST /api/notifiers/{id}/test',
    'POST /api/runs',
    'POST /api/runs/{id}/abort',
    'POST /api/runs/{id}/kill',
    'POST /api/runs/{id}/pause',
    'POST /api/runs/{id}/ping',
    'POST /api/runs/{id}/reset',
    'POST /api/runs/{id}/resume',
    'POST /api/runs/{id}/skip',
    'POST /api/runs/{id}/stop',
    'POST /api/session/ticket',
    'POST /api/stop',
    'POST /api/stop/release',
    'PUT /api/instruments/{id}/reservation',
  ])
})

test('OpenAPI tells the media type of faults and figures', async (t) => {
  const { app } = await open(t)
  const { paths } = (await app.inject('/api/openapi.json')).json<{
    paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>
  }>()
  for (const [path, methods] of Object.entries(paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const status of ['4XX', '5XX']) {
        assert.deepEqual(Object.keys(responses[status]?.content ?? {}), ['application/problem+json'], path)
      }
    }
  }
  assert.deepEqual(Object.keys(paths['/metrics']?.['get']?.responses['200']?.content ?? {}), ['text/plain'])
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

test('whoever may command may stop; only an admin releases', async (t) => {
  const { app, client } = await open(t, {
    auth: {
      kind: 'tokens',
      tokens: [
        { name: 'ann', role: 'operator', hash: hashToken('ann-secret') },
        { name: 'bo', role: 'admin', hash: hashToken('bo-secret') },
      ],
    },
  })
  const asked = (url: string, token: string) =>
    ({ method: 'POST', url, headers: { authorization: `Bearer ${token}` } }) as const
  assert.equal((await app.inject(asked('/api/stop', 'ann-secret'))).statusCode, 200)
  assert.equal(client.stops.length, 1)
  const refused = await fault(app, asked('/api/stop/release', 'ann-secret'))
  assert.deepEqual(refused, [403, 'NOT_ALLOWED', 'header.authorization'])
  assert.equal((await app.inject(asked('/api/stop/release', 'bo-secret'))).statusCode, 200)
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

test('the page is served without a token; what carries a digest in its name is kept by browsers', async (t) => {
  const files = { 'index.html': '<!doctype html>', 'assets/index-abc.js': '1' }
  const { app } = await open(t, { auth: { kind: 'tokens', tokens: [] } }, files)
  const page = await app.inject('/')
  assert.deepEqual([page.statusCode, page.headers['cache-control']], [200, 'no-cache'])
  assert.match(String(page.headers['content-security-policy']), /script-src 'self'/)
  const script = await app.inject('/assets/index-abc.js')
  assert.deepEqual(
    [script.statusCode, script.headers['cache-control']],
    [200, 'public, max-age=31536000, immutable'],
  )
  for (const url of ['/assets/none.js', '/..%2f..%2fetc/passwd', '/assets/', '/.git/config']) {
    const { statusCode } = await app.inject(url)
    assert.ok(statusCode === 403 || statusCode === 404, `${url} got ${statusCode}`)
  }
})

test('numbers that are too many for the ledger come as a list, as text and as floats', async (t) => {
  const { app, client } = await open(t)
  const made = await app.inject(post(GOOD))
  const { id } = made.json<{ id: string }>()
  assert.equal((await app.inject(`/api/commands/${id}/result`)).statusCode, 404)
  const record = client.records.get(id)
  assert.ok(record)
  client.records.set(id, { ...record, state: 'ended', outcome: 'done', effect: 'done', resultItems: 3 })
  assert.deepEqual((await app.inject(`/api/commands/${id}/result`)).json(), [0, 0.5, 1])
  const csv = await app.inject(`/api/commands/${id}/result?format=csv`)
  assert.equal(csv.body, '0\n0.5\n1\n')
  assert.match(String(csv.headers['content-disposition']), /attachment; filename=".*\.csv"/)
  const floats = (await app.inject(`/api/commands/${id}/result?format=f64`)).rawPayload
  assert.deepEqual(
    [0, 8, 16].map((at) => floats.readDoubleLE(at)),
    [0, 0.5, 1],
  )
  assert.equal((await app.inject(`/api/commands/${id}/result?format=xls`)).statusCode, 422)
})

test('devices that are no instruments yet are told to admins only', async (t) => {
  const { app, client } = await open(t, {
    auth: {
      kind: 'tokens',
      tokens: [
        { name: 'ann', role: 'operator', hash: hashToken('ann-secret') },
        { name: 'bo', role: 'admin', hash: hashToken('bo-secret') },
      ],
    },
  })
  const [worker] = client.view.workers.values()
  assert.ok(worker)
  const device = { kind: 'serial', address: 'serial:/dev/ttyUSB7', label: 'FTDI' } as const
  client.view.workers.set(worker.id, { ...worker, unclaimed: [device] })
  const seen = async (token: string): Promise<unknown> => {
    const headers = { authorization: `Bearer ${token}` }
    const fleet = await app.inject({ url: '/api/fleet', headers })
    return fleet.json<{ workers: { unclaimed?: unknown }[] }>().workers[0]?.unclaimed
  }
  assert.deepEqual(await seen('bo-secret'), [device])
  assert.equal(await seen('ann-secret'), undefined)
})
