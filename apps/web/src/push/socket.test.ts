import { hashToken } from '@golem/config'
import { GolemError } from '@golem/core'
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { snapshotOf } from '../in-memory-site.ts'
import { openPort, refusal } from './push-in-memory.ts'
import { TestSocket, until } from './test-socket.ts'

const TOKENS = {
  auth: {
    kind: 'tokens',
    tokens: [
      { name: 'anna', role: 'operator', hash: hashToken('golem_anna') },
      { name: 'eve', role: 'viewer', hash: hashToken('golem_eve') },
    ],
  },
}
const bearer = (token: string): { headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
})

test('a client gets hello, the whole state, and then each change as it comes', async (t) => {
  const { client, address } = await openPort(t)
  const socket = await TestSocket.to(t, address)
  assert.equal(socket.socket.protocol, 'golem.v1')
  const hello = await socket.next('hello')
  assert.deepEqual([hello['name'], hello['role'], hello['site']], ['local', 'admin', 'test'])
  const first = await socket.state()
  assert.equal(first.full, true)
  assert.deepEqual(Object.keys(first.instruments), ['relay-1', 'relay-2'])
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: 'New.' }))
  const second = await socket.state()
  assert.equal(second.full, false)
  assert.deepEqual(Object.keys(second.instruments), ['relay-1'])
  assert.equal(second.instruments['relay-1']?.message, 'New.')
  assert.notEqual(second.cursor, first.cursor)
})

test('what time alone brings about is pushed too: a reading becomes stale', async (t) => {
  const { client, address } = await openPort(t)
  const socket = await TestSocket.to(t, address)
  await socket.state()
  client.view.timeMs += 6_000
  const stale = await socket.state(({ instruments }) => 'relay-1' in instruments)
  assert.equal(stale.instruments['relay-1']?.readings['relay0']?.quality, 'stale')
})

test('a client that comes back with its cursor gets what has changed, with a void one everything', async (t) => {
  const { client, address } = await openPort(t)
  const before = await TestSocket.to(t, address)
  const { cursor } = await before.state()
  before.socket.terminate()
  client.view.publish(snapshotOf('relay-2', client.view.timeMs))
  const back = await TestSocket.to(t, address, `/ws?since=${encodeURIComponent(cursor)}`)
  const delta = await back.state()
  assert.deepEqual([delta.full, Object.keys(delta.instruments)], [false, ['relay-2']])
  const current = await TestSocket.to(t, address, `/ws?since=${encodeURIComponent(delta.cursor)}`)
  const nothing = await current.state()
  assert.deepEqual([nothing.full, Object.keys(nothing.instruments)], [false, []])
  client.view.epoch = 'e2'
  client.view.tell({ kind: 'everything' })
  for (const since of [cursor, 'garbage', '%22']) {
    const late = await TestSocket.to(t, address, `/ws?since=${encodeURIComponent(since)}`)
    assert.equal((await late.state()).full, true)
  }
  assert.equal((await current.state()).full, true)
})

test('many changes at once come as one state, and with `every` they are gathered', async (t) => {
  const { client, address } = await openPort(t)
  const socket = await TestSocket.to(t, address)
  const calm = await TestSocket.to(t, address, '/ws?every=60000')
  await Promise.all([socket.state(), calm.state()])
  for (let n = 0; n < 500; n += 1) {
    client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: `${n}` }))
  }
  await socket.state(({ instruments }) => instruments['relay-1']?.message === '499')
  assert.deepEqual(socket.messages, [])
  await sleep(100)
  assert.deepEqual(calm.messages, [])
})

test('a client that gathers gets the first change at once, then the newest state when its time is over', async (t) => {
  const { client, address } = await openPort(t)
  const calm = await TestSocket.to(t, address, '/ws?every=400')
  await calm.state()
  await sleep(450)
  const begun = performance.now()
  const change = (message: string): void =>
    client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message }))
  change('first')
  assert.equal((await calm.state()).instruments['relay-1']?.message, 'first')
  change('second')
  await sleep(30)
  change('last')
  assert.equal((await calm.state()).instruments['relay-1']?.message, 'last')
  assert.ok(performance.now() - begun >= 390)
})

test('a client that comes from a process that is ahead is left as it is until this one has caught up', async (t) => {
  const { client, address } = await openPort(t)
  const ahead = 'e1~2000-0~cafe~1~0'
  const socket = await TestSocket.to(t, address, `/ws?since=${ahead}`)
  const first = await socket.state()
  assert.deepEqual([first.full, first.cursor, first.instruments], [false, ahead, {}])
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: 'old' }))
  await sleep(100)
  assert.deepEqual(socket.messages, [])
  client.view.head = '2000-0'
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: 'new' }))
  assert.equal((await socket.state()).instruments['relay-1']?.message, 'new')
})

test('whoever may not come in gets a plain answer and no socket', async (t) => {
  const { address } = await openPort(t, TOKENS)
  const wanted = { status: 401, code: 'NOT_AUTHENTICATED', field: 'header.authorization' }
  assert.deepEqual(await refusal(address), wanted)
  assert.deepEqual(await refusal(address, '/ws', bearer('golem_nobody')), wanted)
  const foreign = { headers: { ...bearer('golem_anna').headers, origin: 'http://evil.example' } }
  assert.deepEqual(await refusal(address, '/ws', foreign), {
    status: 403,
    code: 'NOT_ALLOWED',
    field: 'header.origin',
  })
  const renamed = { headers: { ...bearer('golem_anna').headers, host: 'evil.example' } }
  assert.equal((await refusal(address, '/ws', renamed)).status, 403)
  assert.deepEqual(await refusal(address, '/nothing', bearer('golem_anna')), {
    status: 404,
    code: 'NOT_FOUND',
    field: 'path',
  })
  assert.deepEqual(await refusal(address, '/ws?cursor=1', bearer('golem_anna')), {
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'query.cursor',
  })
  assert.deepEqual(await refusal(address, '/ws', bearer('golem_anna'), ['mqtt', 'golem.v9']), {
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'header.sec-websocket-protocol',
  })
  const plain = await fetch(`http://${address}/ws`)
  assert.equal(plain.status, 426)
  // The page's own origin, as browsers send it, and a client that names no subprotocol.
  await TestSocket.to(t, address, '/ws', {
    headers: { ...bearer('golem_anna').headers, origin: `http://${address}` },
  })
  const bare = new WebSocket(`ws://${address}/ws`, bearer('golem_anna'))
  t.after(() => bare.terminate())
  await new Promise((resolve) => bare.once('message', resolve))
})

test('a ticket stands for the token, once, also for a viewer', async (t) => {
  const { address } = await openPort(t, TOKENS)
  const answer = await fetch(`http://${address}/api/session/ticket`, {
    method: 'POST',
    ...bearer('golem_eve'),
  })
  const { ticket } = (await answer.json()) as { ticket: string }
  const socket = await TestSocket.to(t, address, `/ws?ticket=${ticket}`)
  const hello = await socket.next('hello')
  assert.deepEqual([hello['name'], hello['role']], ['eve', 'viewer'])
  for (const path of [`/ws?ticket=${ticket}`, '/ws?ticket=guessed']) {
    assert.deepEqual(await refusal(address, path), {
      status: 401,
      code: 'NOT_AUTHENTICATED',
      field: 'query.ticket',
    })
  }
  assert.equal((await fetch(`http://${address}/api/session/ticket`, { method: 'POST' })).status, 401)
})

test('an ordinary request that offers to upgrade to something else is answered as if it did not', async (t) => {
  const { address } = await openPort(t)
  const [host = '', port = ''] = address.split(':')
  const socket = new Socket().connect(Number(port), host)
  let said = ''
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(
    `GET /healthz HTTP/1.1\r\nHost: ${address}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
  )
  await closed
  assert.match(said, /^HTTP\/1\.1 200 /)
})

test('a command goes the way of HTTP: acknowledged, then its outcome, each under the id of its sender', async (t) => {
  const { client, address } = await openPort(t, TOKENS)
  const socket = await TestSocket.to(t, address, '/ws', bearer('golem_anna'))
  const command = { type: 'command', instrument: 'relay-1', parameter: 'relay0', value: true }
  socket.say({ ...command, id: 'a', idempotencyKey: 'k1', validForMs: 5_000, reservation: 3 })
  const ack = await socket.next('ack')
  const outcome = await socket.next('outcome')
  assert.deepEqual([ack['id'], outcome['id']], ['a', 'a'])
  assert.equal((outcome['record'] as { outcome: string }).outcome, 'done')
  assert.deepEqual(client.submitted, [
    {
      instrument: 'relay-1',
      target: { parameter: 'relay0', value: true },
      by: 'anna',
      validForMs: 5_000,
      idempotencyKey: 'k1',
      reservation: 3,
    },
  ])
  // The same key over HTTP is the same command.
  const again = await fetch(`http://${address}/api/instruments/relay-1/commands`, {
    method: 'POST',
    headers: { ...bearer('golem_anna').headers, 'content-type': 'application/json', 'idempotency-key': 'k1' },
    body: '{"parameter":"relay0","value":true}',
  })
  assert.equal(((await again.json()) as { id: string }).id, (ack['record'] as { id: string }).id)
  assert.equal(client.submitted.length, 1)
  socket.say({ type: 'command', id: 7, instrument: 'relay-1', action: 'pulse', arguments: { seconds: 3 } })
  assert.equal((await socket.next('outcome'))['id'], 7)
  socket.say({ type: 'stop', id: 8, instrument: 'relay-1', reason: 'smoke' })
  assert.equal((await socket.next('stopped'))['id'], 8)
  assert.deepEqual(client.stops, [{ instrument: 'relay-1', by: 'anna', reason: 'smoke' }])
})

test('what is wrong with a message is answered as over HTTP, and the socket goes on', async (t) => {
  const { client, address } = await openPort(t)
  const socket = await TestSocket.to(t, address)
  const good = { type: 'command', instrument: 'relay-1', parameter: 'relay0', value: true }
  const cases: [string | object, unknown, string, string | undefined][] = [
    ['no JSON', undefined, 'INVALID_REQUEST', 'body'],
    ['[1]', undefined, 'INVALID_REQUEST', 'body'],
    ['['.repeat(60_000), undefined, 'INVALID_REQUEST', 'body'],
    ['{"type":"ping","__proto__":{}}', undefined, 'INVALID_REQUEST', '/__proto__'],
    [{ id: 1 }, 1, 'INVALID_REQUEST', '/type'],
    [{ id: 1, type: 'constructor' }, 1, 'INVALID_REQUEST', '/type'],
    [{ ...good }, undefined, 'INVALID_REQUEST', '/id'],
    [{ ...good, id: 'a', colour: 1 }, 'a', 'INVALID_REQUEST', '/colour'],
    [{ ...good, id: 'a', instrument: 'nobody' }, 'a', 'UNKNOWN_INSTRUMENT', 'path.id'],
    [{ ...good, id: 'a', parameter: 'level', value: 200 }, 'a', 'OUT_OF_RANGE', '/value'],
    [{ ...good, id: 'a', idempotencyKey: 'a b' }, 'a', 'INVALID_REQUEST', '/idempotencyKey'],
    [{ type: 'stop', id: 'a', instrument: 'nobody' }, 'a', 'UNKNOWN_INSTRUMENT', 'path.id'],
  ]
  for (const [message, id, code, field] of cases) {
    socket.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    const error = await socket.next('error')
    const problem = error['problem'] as { code: string; field?: string }
    assert.deepEqual(
      [error['id'], problem.code, problem.field],
      [id, code, field],
      JSON.stringify(message).slice(0, 80),
    )
  }
  client.trouble = new GolemError('QUEUE_DOWN', 'Redis is away.')
  socket.say({ ...good, id: 'b' })
  assert.equal(((await socket.next('error'))['problem'] as { code: string }).code, 'QUEUE_DOWN')
  client.trouble = null
  socket.say({ type: 'ping', id: 'p' })
  assert.equal((await socket.next('pong'))['id'], 'p')
  assert.deepEqual(client.submitted, [])
})

test('a viewer is shown everything and may command nothing', async (t) => {
  const { client, address } = await openPort(t, TOKENS)
  const socket = await TestSocket.to(t, address, '/ws', bearer('golem_eve'))
  await socket.state()
  for (const message of [
    { type: 'command', id: 1, instrument: 'relay-1', parameter: 'relay0', value: true },
    { type: 'stop', id: 1 },
  ]) {
    socket.say(message)
    assert.equal(((await socket.next('error'))['problem'] as { code: string }).code, 'NOT_ALLOWED')
  }
  assert.deepEqual([client.submitted, client.stops], [[], []])
})

test('a client has so many commands under way at once, and a stop is taken all the same', async (t) => {
  const { client, address } = await openPort(t)
  client.waits = true
  const socket = await TestSocket.to(t, address)
  const command = { type: 'command', instrument: 'relay-1', parameter: 'relay0', value: true }
  for (let id = 0; id <= 64; id += 1) socket.say({ ...command, id })
  const error = await socket.next('error')
  assert.deepEqual([error['id'], (error['problem'] as { code: string }).code], [64, 'TOO_MANY_REQUESTS'])
  socket.say({ ...command, id: 3 })
  assert.equal(((await socket.next('error'))['problem'] as { field: string }).field, '/id')
  socket.say({ type: 'stop', id: 'now' })
  await socket.next('stopped')
})

test('messages that are too long or binary end the connection with their codes', async (t) => {
  const { address } = await openPort(t)
  const long = await TestSocket.to(t, address)
  long.socket.send('x'.repeat(65_537))
  assert.equal(await long.end(), 1009)
  const binary = await TestSocket.to(t, address)
  binary.socket.send(Buffer.from([1, 2, 3]))
  assert.equal(await binary.end(), 1003)
})

test('while Redis is away clients are told, and the socket stays', async (t) => {
  const { client, address } = await openPort(t)
  const socket = await TestSocket.to(t, address)
  await socket.state()
  client.view.setBus(false)
  const away = await socket.state(({ bus }) => !bus.ok)
  assert.equal(away.instruments['relay-1']?.readings['relay0']?.quality, 'stale')
  client.view.setBus(true)
  await socket.state(({ bus }) => bus.ok)
})

test('frames that are none, and clients that vanish, harm nobody else', async (t) => {
  const { client, app, address } = await openPort(t)
  const other = await TestSocket.to(t, address)
  await other.state()
  const broken = await TestSocket.to(t, address)
  const raw = broken.socket as unknown as { _socket: Socket }
  raw._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
  assert.ok([1002, 1006].includes(await broken.end()))
  const gone = await TestSocket.to(t, address)
  ;(gone.socket as unknown as { _socket: Socket })._socket.resetAndDestroy()
  for (let n = 0; n < 20; n += 1) {
    client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: `${n}` }))
    await other.state(({ instruments }) => instruments['relay-1']?.message === `${n}`)
  }
  await until('only one is served', () => app.push.count('socket') === 1 || undefined)
})
