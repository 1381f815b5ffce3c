import { hashToken, newToken } from '@golem/config'
import { isoTime } from '@golem/core'
import type { FastifyInstance, InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GOOD, JSON_TYPE, fault, open, post } from './app-in-memory.ts'

const URL = '/api/instruments/relay-1/reservation'
const HOUR = 3_600_000

const put = (payload: object | null, headers: Record<string, string> = {}) => ({
  method: 'PUT' as const,
  url: URL,
  headers: { ...JSON_TYPE, ...headers },
  payload: JSON.stringify(payload),
})

/** Status and answer of a request that is granted. */
async function good(app: FastifyInstance, request: InjectOptions): Promise<unknown> {
  const response = await app.inject(request)
  assert.equal(response.statusCode, 200, response.body)
  return response.json<unknown>()
}

test('who reserves is who asks, and the state shows it', async (t) => {
  const { app, client } = await open(t)
  await good(app, put({ forMs: HOUR, note: 'growth' }, { 'x-golem-user': 'Ann' }))
  assert.deepEqual(client.reservations.asked, [
    [
      'reserve',
      { instrument: 'relay-1', holder: { kind: 'person', name: 'Ann (local)' }, note: 'growth', forMs: HOUR },
    ],
  ])
  const { instruments } = (await app.inject('/api/state')).json<{
    instruments: Record<
      string,
      { reservation: { current: { holder: { name: string }; until: string } } | null }
    >
  }>()
  assert.equal(instruments['relay-1']?.reservation?.current.holder.name, 'Ann (local)')
  assert.equal(instruments['relay-1']?.reservation?.current.until, isoTime(client.view.timeMs + HOUR))
  assert.equal(instruments['relay-2']?.reservation, null)
})

test('those it is shared with or handed to are named as the ledger names them', async (t) => {
  const { app, client } = await open(t)
  await good(app, put({ share: ['Bob', 'Eve (local)', 'gateway 192.0.2.7'] }))
  await good(app, put({ to: 'Bob', note: 'yours now' }))
  const [[, shared], [, handed]] = client.reservations.asked as [[string, object], [string, object]]
  assert.deepEqual((shared as { share: string[] }).share, ['Bob (local)', 'Eve (local)', 'gateway 192.0.2.7'])
  assert.deepEqual((handed as { to: object }).to, { kind: 'person', name: 'Bob (local)' })
})

test('a booking and a quiet period come with times by the clock of the site', async (t) => {
  const { app, client } = await open(t)
  const from = client.view.timeMs + HOUR
  await good(app, put({ from: isoTime(from), forMs: 2 * HOUR }))
  await good(app, put({ quietUntil: isoTime(from) }))
  await good(app, put({ quietUntil: null }))
  const holder = { kind: 'person', name: 'local' }
  assert.deepEqual(client.reservations.asked, [
    ['book', { instrument: 'relay-1', holder, from, until: from + 2 * HOUR }],
    ['reserve', { instrument: 'relay-1', holder, quietUntil: from }],
    ['reserve', { instrument: 'relay-1', holder, quietUntil: 0 }],
  ])
})

test('what does not go together, or is no time, is refused with its place', async (t) => {
  const { app, client } = await open(t)
  const at = isoTime(client.view.timeMs + HOUR)
  const far = isoTime(client.view.timeMs + 400 * 24 * HOUR)
  const wrong: [object, string][] = [
    [{ forMs: HOUR, until: at }, '/until'],
    [{ from: at }, '/until'],
    [{ from: at, forMs: HOUR, share: ['Bob'] }, '/share'],
    [{ to: 'Bob', forMs: HOUR }, '/forMs'],
    [{ until: 'tomorrow' }, '/until'],
    [{ until: far }, '/until'],
    [{ from: far, forMs: HOUR }, '/from'],
    [{ forMs: 1 }, '/forMs'],
    [{ share: ['line\nbreak'] }, '/share/0'],
    [{ fence: 1 }, '/fence'],
  ]
  for (const [body, field] of wrong) {
    const [status, code, where] = await fault(app, put(body))
    assert.deepEqual([where, status === 400 || code === 'OUT_OF_RANGE'], [field, true], JSON.stringify(body))
  }
  assert.deepEqual(client.reservations.asked, [])
  const nothing = { ...put({}), url: '/api/instruments/nothing/reservation' }
  assert.deepEqual(await fault(app, nothing), [404, 'UNKNOWN_INSTRUMENT', 'path.id'])
})

test('with tokens only those who have one can be named, only admins end what is not theirs, viewers reserve nothing', async (t) => {
  const people = { Ann: 'operator', Root: 'admin', Vic: 'viewer' } as const
  const tokens = Object.entries(people).map(([name, role]) => ({ name, role, token: newToken() }))
  const list = tokens.map(({ name, role, token }) => ({ name, role, hash: hashToken(token) }))
  const { app, client } = await open(t, { auth: { kind: 'tokens', tokens: list } })
  const as = (name: string): Record<string, string> => ({
    authorization: `Bearer ${tokens.find((one) => one.name === name)?.token ?? ''}`,
  })
  assert.deepEqual(await fault(app, put({ to: 'Bob' }, as('Ann'))), [400, 'INVALID_REQUEST', '/to'])
  assert.deepEqual(await fault(app, put({ share: ['Root', 'Bob'] }, as('Ann'))), [
    400,
    'INVALID_REQUEST',
    '/share/1',
  ])
  assert.deepEqual(await fault(app, put({}, as('Vic'))), [403, 'NOT_ALLOWED', 'header.authorization'])
  await good(app, { method: 'DELETE', url: `${URL}?reason=gone&fence=7`, headers: as('Ann') })
  await good(app, { method: 'DELETE', url: `${URL}?reason=gone`, headers: as('Root') })
  await good(app, { url: URL, headers: as('Vic') })
  assert.deepEqual(client.reservations.asked, [
    [
      'giveBack',
      {
        instrument: 'relay-1',
        holder: { kind: 'person', name: 'Ann' },
        admin: false,
        reason: 'gone',
        fence: 7,
      },
    ],
    [
      'giveBack',
      { instrument: 'relay-1', holder: { kind: 'person', name: 'Root' }, admin: true, reason: 'gone' },
    ],
  ])
})

test('a command may name the reservation it is given under', async (t) => {
  const { app, client } = await open(t)
  await app.inject(post({ ...GOOD, reservation: 7 }))
  assert.equal(client.submitted[0]?.reservation, 7)
  assert.deepEqual(await fault(app, post({ ...GOOD, reservation: 'seven' })), [
    422,
    'WRONG_TYPE',
    '/reservation',
  ])
})
