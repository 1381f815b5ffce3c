import type { CommandRecord } from '@golem/core'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Api, Problem, randomKey, Unreachable, validName } from './api.ts'
import { type Pace, submitCommand, waitForSettlement } from './submit.ts'

const FAST: Pace = {
  retryAfterMs: [5, 5, 5, 5],
  giveUpAfterMs: 60_000,
  followEveryMs: 5,
  settleWithinMs: 60_000,
}
const BODY = { parameter: 'relay0', value: true }
const RECORD: CommandRecord = {
  id: 'c1',
  instrument: 'a',
  ...BODY,
  by: 'anna',
  submittedAt: '2026-03-01T10:00:00.000Z',
  validUntil: '2026-03-01T10:00:30.000Z',
  state: 'running',
}
const DONE: CommandRecord = { ...RECORD, state: 'ended', outcome: 'done', effect: 'done' }

type Answer = { status: number; body?: unknown; text?: string } | 'cut'

/** A server that answers one request after the other as told, and remembers what it was asked. */
async function serverOf(t: TestContext, answers: Answer[]) {
  const seen: {
    url: string
    key: string | undefined
    name: string | undefined
    token: string | undefined
  }[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { headers } = request
    seen.push({
      url: `${request.method} ${request.url}`,
      key: headers['idempotency-key']?.toString(),
      name: headers['x-golem-user']?.toString(),
      token: headers.authorization,
    })
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    request.resume()
    if (answer === undefined || answer === 'cut') {
      request.socket.destroy()
      return
    }
    response.writeHead(answer.status, { connection: 'close', etag: '"e"' })
    response.end(answer.text ?? JSON.stringify(answer.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  let unauthorized = 0
  const api = new Api({
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token: () => 'secret',
    name: () => 'Аня',
    onUnauthorized: () => {
      unauthorized += 1
    },
  })
  return { api, seen, unauthorized: () => unauthorized }
}

const silent = { onRetry: () => {}, onRecord: () => {} }

function problem(status: number, code: string, effect: string): Answer {
  return { status, body: { code, effect, title: code, detail: `${code} happened.` } }
}

test('a command whose outcome comes with the answer is sent once', async (t) => {
  const { api, seen } = await serverOf(t, [{ status: 200, body: DONE }])
  const ended = await submitCommand(api, 'a/b', BODY, silent, FAST)
  assert.equal(ended.outcome, 'done')
  assert.equal(seen.length, 1)
  assert.equal(seen[0]?.url, 'POST /api/instruments/a%2Fb/commands')
  assert.equal(seen[0]?.token, 'Bearer secret')
  assert.equal(decodeURIComponent(seen[0]?.name ?? ''), 'Аня')
})

test('a command that still runs is followed until its outcome is in, whatever happens in between', async (t) => {
  const { api, seen } = await serverOf(t, [
    { status: 202, body: RECORD },
    'cut',
    problem(503, 'QUEUE_DOWN', 'none'),
    { status: 200, body: RECORD },
    { status: 200, body: DONE },
  ])
  const states: string[] = []
  const onRecord = (record: CommandRecord): void => void states.push(record.state)
  const ended = await submitCommand(api, 'a', BODY, { ...silent, onRecord }, FAST)
  assert.equal(ended.outcome, 'done')
  assert.equal(seen.filter(({ url }) => url.startsWith('POST')).length, 1)
  assert.ok(states.length >= 2)
})

test('a command without an answer is sent again under the same key, and the trouble is told', async (t) => {
  const { api, seen } = await serverOf(t, [
    'cut',
    { status: 502, text: '<html>proxy</html>' },
    problem(503, 'HANDOVER_UNKNOWN', 'unknown'),
    { status: 200, body: DONE },
  ])
  const attempts: number[] = []
  const onRetry = (attempt: number): void => void attempts.push(attempt)
  const ended = await submitCommand(api, 'a', BODY, { ...silent, onRetry }, FAST)
  assert.equal(ended.outcome, 'done')
  assert.deepEqual(attempts, [2, 3, 4])
  assert.equal(new Set(seen.map(({ key }) => key)).size, 1)
  assert.ok(seen[0]?.key)
})

test('a server that never answers leaves the outcome unknown after a few attempts', async (t) => {
  const { api, seen } = await serverOf(t, ['cut'])
  const ended = await submitCommand(api, 'a', BODY, silent, FAST)
  assert.deepEqual(ended, { outcome: 'unknown', effect: 'unknown', reason: 'sendGaveUp' })
  assert.equal(seen.length, 5)
})

test('no attempt starts after the time in which somebody expects the effect', async (t) => {
  const { api, seen } = await serverOf(t, ['cut'])
  const ended = await submitCommand(api, 'a', BODY, silent, { ...FAST, giveUpAfterMs: 0 })
  assert.equal(ended.reason, 'sendGaveUp')
  assert.equal(seen.length, 1)
})

test('what golem refuses is not sent again', async (t) => {
  const { api, seen } = await serverOf(t, [problem(503, 'QUEUE_DOWN', 'none')])
  const ended = await submitCommand(api, 'a', BODY, silent, FAST)
  assert.deepEqual(ended, {
    outcome: 'refused',
    effect: 'none',
    message: 'QUEUE_DOWN happened.',
    code: 'QUEUE_DOWN',
  })
  assert.equal(seen.length, 1)
})

test('two commands have two keys', async (t) => {
  const { api, seen } = await serverOf(t, [{ status: 200, body: DONE }])
  await submitCommand(api, 'a', BODY, silent, FAST)
  await submitCommand(api, 'a', BODY, silent, FAST)
  assert.notEqual(seen[0]?.key, seen[1]?.key)
})

test('a record that is gone leaves the outcome unknown', async (t) => {
  const { api } = await serverOf(t, [{ status: 202, body: RECORD }, problem(404, 'UNKNOWN_COMMAND', 'none')])
  const ended = await submitCommand(api, 'a', BODY, silent, FAST)
  assert.equal(ended.outcome, 'unknown')
  assert.equal(ended.reason, 'commandGone')
})

test('an unknown outcome is watched until reading back has settled it', async (t) => {
  const unknown: CommandRecord = { ...RECORD, state: 'ended', outcome: 'unknown', effect: 'unknown' }
  const settled = { at: '2026-03-01T10:00:03.000Z', effect: 'none' as const, message: 'It reads false.' }
  const { api } = await serverOf(t, [
    { status: 200, body: unknown },
    { status: 200, body: { ...unknown, settled } },
  ])
  assert.deepEqual((await waitForSettlement(api, unknown, FAST))?.settled, settled)
  assert.equal(await waitForSettlement(api, unknown, { ...FAST, settleWithinMs: -1 }), null)
})

test('an unchanged state is told from a new one', async (t) => {
  const { api, seen } = await serverOf(t, [
    { status: 200, body: { cursor: 'c' } },
    { status: 304, text: '' },
  ])
  assert.deepEqual(await api.state(null, null), { document: { cursor: 'c' }, etag: '"e"' })
  assert.deepEqual(await api.state('c d', '"e"'), { document: null, etag: '"e"' })
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['GET /api/state', 'GET /api/state?since=c%20d'],
  )
})

test('an answer that is no JSON did not come from golem', async (t) => {
  const { api } = await serverOf(t, [{ status: 200, text: 'Log in to the guest network' }])
  await assert.rejects(api.session(), Unreachable)
})

test('a missing token is reported, with what golem says about it', async (t) => {
  const { api, unauthorized } = await serverOf(t, [problem(401, 'NOT_AUTHENTICATED', 'none')])
  await assert.rejects(
    api.session(),
    (error) => error instanceof Problem && error.code === 'NOT_AUTHENTICATED',
  )
  assert.equal(unauthorized(), 1)
})

test('keys are UUIDs also where the browser has no randomUUID', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true })
  try {
    assert.match(randomKey(), uuid)
    assert.notEqual(randomKey(), randomKey())
  } finally {
    Reflect.deleteProperty(crypto, 'randomUUID')
  }
  assert.match(randomKey(), uuid)
})

test('a name that the server would refuse is not sent', () => {
  assert.equal(validName(' Аня К. '), 'Аня К.')
  assert.equal(validName('a\nb'), null)
  assert.equal(validName('x'.repeat(65)), null)
  assert.equal(validName('  '), null)
  assert.equal(validName(null), null)
})
