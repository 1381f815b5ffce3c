import { hashToken } from '@golem/config'
import { isoTime, type ReservationRecord, type RunRecord } from '@golem/core'
import type { LogLine } from '@golem/queue'
import type { FastifyInstance, InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fault, JSON_TYPE, open } from './app-in-memory.ts'
import type { InMemoryClient } from './in-memory-site.ts'
import { RateLimit } from './log-intake/rate-limit.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const RECORD =
  'name=lab&msg=temp+%25s&args=%28%27A%26B%27%2C%29&levelname=ERROR&levelno=40&created=1795203243.41&colour=red'

const send = (
  payload: unknown,
  headers: Record<string, string> = JSON_TYPE,
  url = '/api/log',
): InjectOptions => ({
  method: 'POST',
  url,
  headers,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

/** What is written, once so many lines are. */
async function written(client: InMemoryClient, count: number): Promise<LogLine[]> {
  const end = performance.now() + 20_000
  while (client.logged.length < count && performance.now() < end)
    await new Promise((done) => setTimeout(done, 10))
  assert.equal(client.logged.length, count)
  return client.logged
}

async function taken(app: FastifyInstance, request: InjectOptions): Promise<void> {
  const { statusCode, body } = await app.inject(request)
  assert.deepEqual([statusCode, body], [204, ''])
}

test('a form, in the body or in the address, becomes a line with all it says', async (t) => {
  const { app, client } = await open(t)
  await taken(app, send(RECORD, FORM))
  await taken(app, { method: 'GET', url: `/api/log?${RECORD}` })
  const line = {
    at: client.view.timeMs,
    by: 'local',
    message: 'temp A&B',
    details: {
      level: 'error',
      data: { logger: 'lab', time: '2026-11-20T18:14:03.410Z', extra: { colour: 'red' } },
    },
  }
  assert.deepEqual(await written(client, 2), [
    {
      ...line,
      details: { ...line.details, data: { ...line.details.data, time: isoTime(1_795_203_243_410) } },
    },
    {
      ...line,
      details: { ...line.details, data: { ...line.details.data, time: isoTime(1_795_203_243_410) } },
    },
  ])
})

test('JSON: one, an array, lines', async (t) => {
  const { app, client } = await open(t)
  await taken(app, send({ message: 'one', level: 'warning' }))
  await taken(app, send([{ message: 'two' }, 'three']))
  await taken(app, send('{"msg":"four"}\n{"msg":"five"}\n', { 'content-type': 'application/x-ndjson' }))
  const lines = await written(client, 5)
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['one', 'two', 'three', 'four', 'five'],
  )
  assert.equal(lines[0]?.details.level, 'warning')
})

test('what is no record is refused by name, and nothing is written', async (t) => {
  const { app, client } = await open(t)
  assert.deepEqual(await fault(app, send('{}')), [400, 'INVALID_REQUEST', '/message'])
  assert.deepEqual(await fault(app, send('no json')), [400, 'INVALID_REQUEST', 'body'])
  assert.deepEqual(await fault(app, send('name=lab', FORM)), [400, 'INVALID_REQUEST', 'msg'])
  assert.deepEqual(await fault(app, { method: 'POST', url: '/api/log' }), [400, 'INVALID_REQUEST', 'body'])
  assert.deepEqual(await fault(app, { method: 'GET', url: '/api/log' }), [400, 'INVALID_REQUEST', 'msg'])
  assert.deepEqual(await fault(app, { method: 'PUT', url: '/api/log' }), [
    405,
    'METHOD_NOT_ALLOWED',
    'method',
  ])
  const xml = send('<a/>', { 'content-type': 'text/xml' })
  assert.deepEqual(await fault(app, xml), [415, 'WRONG_MEDIA_TYPE', 'header.content-type'])
  assert.deepEqual(await fault(app, send(`{"message":"${'x'.repeat(1_048_576)}"}`)), [
    413,
    'BODY_TOO_LARGE',
    'body',
  ])
  const head = await app.inject({ method: 'HEAD', url: `/api/log?${RECORD}` })
  assert.equal(head.statusCode, 405)
  assert.deepEqual(client.logged, [])
})

test('a megabyte is taken, cut to what is kept', async (t) => {
  const { app, client } = await open(t)
  await taken(app, send({ message: 'x'.repeat(1_000_000) }))
  const [line] = await written(client, 1)
  assert.match(line?.message ?? '', /^x+… \(992000 characters more\)$/)
})

test('with tokens: as bearer, as password, in the address; viewers and strangers write nothing', async (t) => {
  const tokens = [
    { name: 'anna', role: 'operator' as const, hash: hashToken('t-anna') },
    { name: 'screen', role: 'viewer' as const, hash: hashToken('t-screen') },
  ]
  const { app, client } = await open(t, { auth: { kind: 'tokens', tokens } })
  const basic = (user: string, password: string): Record<string, string> => ({
    ...FORM,
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  })
  await taken(app, send(RECORD, { ...FORM, authorization: 'Bearer t-anna' }))
  await taken(app, send(RECORD, basic('whoever', 't-anna')))
  await taken(app, send(RECORD, FORM, '/api/log?token=t-anna'))
  await taken(app, { method: 'GET', url: `/api/log?token=t-anna&${RECORD}` })
  const lines = await written(client, 4)
  assert.ok(lines.every(({ by }) => by === 'anna'))
  assert.ok(!JSON.stringify(lines).includes('t-anna'))
  const viewer = { method: 'GET' as const, url: `/api/log?token=t-screen&${RECORD}` }
  assert.deepEqual((await fault(app, viewer)).slice(0, 2), [403, 'NOT_ALLOWED'])
  assert.deepEqual((await fault(app, send(RECORD, FORM))).slice(0, 2), [401, 'NOT_AUTHENTICATED'])
  assert.deepEqual((await fault(app, send(RECORD, basic('t-anna', '')))).slice(0, 2), [
    401,
    'NOT_AUTHENTICATED',
  ])
  // Only here: other requests carry their token in a header.
  const elsewhere = { method: 'GET' as const, url: '/api/fleet?token=t-anna' }
  assert.deepEqual((await fault(app, elsewhere)).slice(0, 2), [401, 'NOT_AUTHENTICATED'])
  assert.equal(client.logged.length, 4)
})

test('without tokens the user of Basic authentication is who signs', async (t) => {
  const { app, client } = await open(t)
  const authorization = `Basic ${Buffer.from('Анна:').toString('base64')}`
  await taken(app, send(RECORD, { ...FORM, authorization }))
  assert.equal((await written(client, 1))[0]?.by, 'Анна (local)')
})

test("a page of another site can't write with an image", async (t) => {
  const { app, client } = await open(t)
  for (const site of ['cross-site', 'same-site']) {
    const image = { method: 'GET' as const, url: `/api/log?${RECORD}`, headers: { 'sec-fetch-site': site } }
    assert.deepEqual((await fault(app, image)).slice(0, 2), [403, 'NOT_ALLOWED'])
  }
  assert.deepEqual(client.logged, [])
})

const AT = isoTime(0)
const reservation = (instrument: string, more: Partial<ReservationRecord>): ReservationRecord => ({
  instrument,
  holder: { kind: 'person', name: 'anna (local)' },
  fence: 7,
  since: AT,
  until: AT,
  sharedWith: [],
  onExpiry: 'hold',
  ...more,
})

test('a line is tied to the run or reservation it names, else to what its sender holds', async (t) => {
  const { app, client } = await open(t)
  const none = { waiting: [], bookings: [] }
  client.view.reserve('relay-1', { current: reservation('relay-1', {}), ...none })
  const holder = { kind: 'run', name: 'run-1' } as const
  client.view.reserve('relay-2', { current: reservation('relay-2', { holder, fence: 9 }), ...none })
  client.view.runs.set('run-1', { id: 'run-1', by: 'boris (local)' } as RunRecord)
  const ties = async (record: object, user?: string, url?: string): Promise<unknown[]> => {
    client.logged.length = 0
    await taken(
      app,
      send({ message: 'm', ...record }, { ...JSON_TYPE, ...(user ? { 'x-golem-user': user } : {}) }, url),
    )
    const [line] = await written(client, 1)
    return [line?.instrument, line?.details.run, line?.details.data?.['extra']]
  }
  assert.deepEqual(await ties({}), [undefined, undefined, undefined])
  assert.deepEqual(await ties({}, 'anna'), ['relay-1', undefined, undefined])
  assert.deepEqual(await ties({}, 'boris'), [undefined, 'run-1', undefined])
  assert.deepEqual(await ties({ run: 'run-1' }), [undefined, 'run-1', undefined])
  assert.deepEqual(await ties({ reservation: 9 }), ['relay-2', 'run-1', { reservation: 9 }])
  assert.deepEqual(await ties({ run: 'run-0' }), [undefined, undefined, { run: 'run-0' }])
  assert.deepEqual(await ties({}, undefined, '/api/log?run=run-1'), [undefined, 'run-1', undefined])
})

test('while Redis is away lines are kept and written once, in order; what does not fit is told', async (t) => {
  const { app, client } = await open(t)
  client.trouble = new Error('away')
  // A tenth more than is kept, of as many senders as are needed for that.
  for (let n = 0; n < 50; n += 1) app.intake.take([{ level: 'info', message: `m${n}` }], sender('a'))
  const long = { level: 'info' as const, message: 'x'.repeat(8_000), exception: 'y'.repeat(16_000) }
  for (let n = 0; n < 5; n += 1) {
    for (let k = 0; k < 76; k += 1) app.intake.take([long], sender(`b${n}`))
  }
  client.trouble = null
  const end = performance.now() + 20_000
  while (!client.logged.some(({ message }) => /were lost/.test(message)) && performance.now() < end) {
    await new Promise((done) => setTimeout(done, 20))
  }
  const messages = client.logged.map(({ message }) => message)
  assert.deepEqual(
    messages.slice(0, 50),
    Array.from({ length: 50 }, (_, n) => `m${n}`),
  )
  const lost = Number(/^(\d+) log records were lost: Redis was away/.exec(messages.at(-1) ?? '')?.[1])
  assert.equal(messages.length - 1 + lost, 50 + 380)
})

test('what is left is written when the process ends', async (t) => {
  const { app, client } = await open(t)
  app.intake.take([{ level: 'info', message: 'last words' }], sender('a'))
  await app.close()
  assert.deepEqual(
    client.logged.map(({ message }) => message),
    ['last words'],
  )
})

const sender = (by: string): { by: string; named: boolean; address: string } => ({
  by,
  named: true,
  address: '192.0.2.1',
})

test('each sender has its rate; what is above it is counted', () => {
  const limit = new RateLimit(50, 100)
  const admitted = (who: string, now: number, count: number, size = 0): number =>
    Array.from({ length: count }, () => limit.admits(who, size, now)).filter(Boolean).length
  assert.equal(admitted('a', 0, 150), 100)
  assert.equal(admitted('b', 0, 150), 100)
  assert.equal(admitted('a', 1_000, 100), 50)
  assert.deepEqual(limit.takeDropped(1_000), [
    { sender: 'a', dropped: 100 },
    { sender: 'b', dropped: 50 },
  ])
  assert.deepEqual(limit.takeDropped(1_000), [])
  // A record of 24,000 characters counts as 13.
  assert.equal(admitted('c', 0, 100, 24_000), 7)
  for (let n = 0; n < 2_000; n += 1) limit.admits(`spoofed ${n}`, 0, 1_000)
  assert.ok(admitted('one more', 1_000, 100) < 100)
})

/** What a server answers to bytes, until it closes or a second passes. */
async function raw(
  t: TestContext,
  bytes: readonly (string | Buffer)[],
): Promise<{ answer: string; client: InMemoryClient }> {
  const { app, client } = await open(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  for (const part of bytes) {
    socket.write(part)
    // HTTPHandler sends head and body in segments of their own.
    await new Promise((done) => setTimeout(done, 20))
  }
  const [first] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return { answer: first.toString(), client }
}

test('bytes as HTTPHandler writes them: head, then body, no more headers than it has', async (t) => {
  const head = `POST /api/log HTTP/1.1\r\nHost: 127.0.0.1:18999\r\nAccept-Encoding: identity\r\nContent-type: application/x-www-form-urlencoded\r\nContent-length: ${RECORD.length}\r\n\r\n`
  const { answer, client } = await raw(t, [head, RECORD])
  assert.match(answer, /^HTTP\/1\.1 204 No Content\r\n/)
  assert.ok(answer.endsWith('\r\n\r\n'))
  await written(client, 1)
})

test('a long record in an address is taken; a longer one gets 414, other addresses sooner', async (t) => {
  const get = (url: string): string =>
    `GET ${url} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\n\r\n`
  const long = `/api/log?${RECORD}&exc_text=${'x'.repeat(40_000)}`
  const { answer, client } = await raw(t, [get(long)])
  assert.match(answer, /^HTTP\/1\.1 204 /)
  await written(client, 1)
  assert.match(
    (await raw(t, [get(`${long}${'x'.repeat(10_000)}`)])).answer,
    /^HTTP\/1\.1 414 [^]*problem\+json/,
  )
  assert.match((await raw(t, [get(`/api/events?text=${'x'.repeat(17_000)}`)])).answer, /^HTTP\/1\.1 414 /)
  assert.match((await raw(t, [get(`${long}${'x'.repeat(40_000)}`)])).answer, /^HTTP\/1\.1 431 /)
})
