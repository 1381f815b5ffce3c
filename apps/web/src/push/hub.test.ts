import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, get } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StateDocument } from '@golem/core'
import { type InMemoryClient, descriptionOf, snapshotOf } from '../in-memory-site.ts'
import { openPort, refusal } from './push-in-memory.ts'
import { TestSocket, until } from './test-socket.ts'

const BIG = 'x'.repeat(400_000)

/** One more state that is too large to be swallowed by the buffers of the system for long. */
function publishBig(client: InMemoryClient, n: number): void {
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: `${n} ${BIG}` }))
}

/** The TCP connection under a client. */
function wireOf({ socket }: TestSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket
}

test('a client that stops reading costs no memory, delays nobody, is told of the gap and then gets the newest state', async (t) => {
  const { app, client, address } = await openPort(t)
  const slow = await TestSocket.to(t, address)
  const quick = await TestSocket.to(t, address)
  await Promise.all([slow.state(), quick.state()])
  wireOf(slow).pause()
  const states = 40
  for (let n = 1; n <= states; n += 1) {
    publishBig(client, n)
    await quick.state(({ instruments }) => instruments['relay-1']?.message.startsWith(`${n} `) ?? false)
  }
  const sentBoth = app.push.figures.messages.socket
  // 16 MB went to the one that reads; the other got what the system's buffers hold, and no more is kept for it.
  assert.ok(sentBoth < 2 + 2 * states - 5, `${sentBoth} states were sent`)
  await sleep(1_100)
  wireOf(slow).resume()
  const gap = await slow.next('gap')
  assert.ok(Number(gap['ms']) > 1_000)
  const next = await slow.state()
  assert.ok(next.instruments['relay-1']?.message.startsWith(`${states} `))
  assert.equal(next.full, false)
  assert.equal(app.push.figures.gaps, 1)
})

test('a client that goes on not reading is sent away, and what it is owed is not kept', async (t) => {
  const { app, client, address } = await openPort(t, {}, { heartbeatMs: 1_000, stalledMs: 1_500 })
  const slow = await TestSocket.to(t, address)
  const quick = await TestSocket.to(t, address)
  await slow.state()
  wireOf(slow).pause()
  for (let n = 1; app.push.count('socket') > 1; n += 1) {
    publishBig(client, n)
    await quick.state(({ instruments }) => instruments['relay-1']?.message.startsWith(`${n} `) ?? false)
    await sleep(10)
  }
  assert.ok(app.push.figures.dropped >= 1)
  assert.equal(quick.closed, null)
})

test('a client that asks on and on without reading the answers is sent away', async (t) => {
  const { app, address } = await openPort(t)
  const rude = await TestSocket.to(t, address)
  await rude.state()
  wireOf(rude).pause()
  const question = { type: 'ping', id: 'x'.repeat(100) }
  while (app.push.count('socket') > 0) {
    for (let n = 0; n < 2_000; n += 1) rude.say(question)
    await sleep(1)
  }
})

test('whoever gives no pong is dropped within two heartbeats; a quiet site still sends signs of life', async (t) => {
  const { app, address } = await openPort(t, {}, { heartbeatMs: 1_000 })
  const dead = await TestSocket.to(t, address, '/ws', { autoPong: false })
  const alive = await TestSocket.to(t, address)
  await alive.next('heartbeat')
  await alive.next('heartbeat')
  assert.equal(await dead.end(), 1006)
  assert.equal(alive.closed, null)
  assert.equal(app.push.figures.dropped, 1)
})

test('no more clients are served than may be, and there is room again when one has gone', async (t) => {
  const { app, address } = await openPort(t, {}, { maxClients: 2 })
  const one = await TestSocket.to(t, address)
  const stream = await openStream(t, address)
  assert.deepEqual(await refusal(address), { status: 429, code: 'TOO_MANY_REQUESTS', field: undefined })
  assert.equal((await fetch(`http://${address}/api/state/stream`)).status, 429)
  const figures = await (await fetch(`http://${address}/metrics`)).text()
  assert.match(figures, /golem_push_clients\{kind="socket"\} 1\ngolem_push_clients\{kind="stream"\} 1/)
  stream.response.destroy()
  await until('the stream has left', () => app.push.count('stream') === 0 || undefined)
  await TestSocket.to(t, address)
  one.socket.close()
  assert.equal(await one.end(), 1005)
})

test('at the end of the process clients are told to go, and one that does not is cut off', async (t) => {
  const { app, address } = await openPort(t)
  const polite = await TestSocket.to(t, address)
  const deaf = await TestSocket.to(t, address)
  const stream = await openStream(t, address)
  await Promise.all([polite.state(), deaf.state(), stream.event()])
  wireOf(deaf).pause()
  const ended = once(stream.response, 'end')
  const begun = performance.now()
  await app.push.close()
  assert.ok(performance.now() - begun < 15_000)
  assert.equal(await polite.end(), 1001)
  await ended
  assert.equal(app.push.count('socket'), 0)
  assert.deepEqual(await refusal(address), { status: 503, code: 'WORKER_STOPPING', field: undefined })
})

interface Event {
  id: string
  state: StateDocument
}

/** Follows `/api/state/stream`. `event`: the next state; `said`: all that has come. */
async function openStream(
  t: TestContext,
  address: string,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<{ response: IncomingMessage; event: () => Promise<Event>; said: () => string }> {
  const request = get(`http://${address}/api/state/stream${query}`, { headers })
  t.after(() => request.destroy())
  request.on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8')
  let said = ''
  let rest = ''
  response.setEncoding('utf8').on('data', (text: string) => {
    said += text
    rest += text
  })
  const event = (): Promise<Event> =>
    until('an event has come', () => {
      const match = /id: (.*)\nevent: state\ndata: (.*)\n\n/.exec(rest)
      if (!match) return undefined
      rest = rest.slice(match.index + match[0].length)
      return { id: match[1] ?? '', state: JSON.parse(match[2] ?? '') as StateDocument }
    })
  return { response, event, said: () => said }
}

test('an event stream has the state, each change under its cursor, and resumes from Last-Event-ID', async (t) => {
  const { client, address } = await openPort(t, {}, { heartbeatMs: 100 })
  const stream = await openStream(t, address)
  const first = await stream.event()
  assert.deepEqual([first.state.full, first.id], [true, first.state.cursor])
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { message: 'Two\nlines.' }))
  const second = await stream.event()
  assert.deepEqual([second.state.full, second.state.instruments['relay-1']?.message], [false, 'Two\nlines.'])
  await until('a comment has come', () => stream.said().includes('\n: ') || undefined)
  stream.response.destroy()
  client.view.descriptions.set('relay-2', descriptionOf('relay-2'))
  client.view.publish(snapshotOf('relay-2', client.view.timeMs))
  const back = await openStream(t, address, { headers: { 'last-event-id': second.id } })
  const missed = await back.event()
  assert.deepEqual([missed.state.full, Object.keys(missed.state.instruments)], [false, ['relay-2']])
  const asked = await openStream(t, address, { query: `?since=${encodeURIComponent(missed.id)}` })
  assert.deepEqual((await asked.event()).state.instruments, {})
})

test('an event stream that nobody reads is told of the gap when it is read again', async (t) => {
  const { client, address } = await openPort(t)
  const stream = await openStream(t, address)
  const quick = await TestSocket.to(t, address)
  await stream.event()
  stream.response.pause()
  const states = 40
  for (let n = 1; n <= states; n += 1) {
    publishBig(client, n)
    await quick.state(({ instruments }) => instruments['relay-1']?.message.startsWith(`${n} `) ?? false)
  }
  await sleep(1_100)
  stream.response.resume()
  await until(
    'the gap is told',
    () => /event: gap\ndata: \{"ms":\d{4,}\}\n\n/.test(stream.said()) || undefined,
  )
  await until(
    'the newest state has come',
    () => stream.said().includes(`"message":"${states} x`) || undefined,
  )
})

test('an event stream takes a token as every request does', async (t) => {
  const { address } = await openPort(t, { auth: { kind: 'tokens', tokens: [] } })
  assert.equal((await fetch(`http://${address}/api/state/stream`)).status, 401)
  const head = await fetch(`http://${address}/api/state/stream`, { method: 'HEAD' })
  assert.equal(head.status, 401)
})
