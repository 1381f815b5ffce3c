import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Live, type Socket } from './live.ts'

class FakeSocket implements Socket {
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  readonly sent: string[] = []
  closed = false

  send(text: string): void {
    this.sent.push(text)
  }

  close(): void {
    this.closed = true
  }

  says(message: object | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message)
    this.onmessage?.call(this as never, { data } as MessageEvent)
  }

  fails(): void {
    this.onclose?.call(this as never, {} as CloseEvent)
  }
}

/** A Live before fake sockets, with a clock that tests set. */
function bench(ticket: () => Promise<string | null> = () => Promise.resolve(null)) {
  const sockets: FakeSocket[] = []
  const urls: string[] = []
  const states: string[] = []
  const changes: boolean[] = []
  const clock = { now: 0 }
  const live = new Live({
    base: 'https://lab.example/golem/',
    ticket,
    cursor: () => states.at(-1) ?? null,
    onState: ({ cursor }) => states.push(cursor),
    onChange: (isLive) => changes.push(isLive),
    open: (url) => {
      const socket = new FakeSocket()
      urls.push(url)
      sockets.push(socket)
      return socket
    },
    now: () => clock.now,
    random: () => 1,
  })
  return { live, sockets, urls, states, changes, clock }
}

/** Lets what waits for a ticket go on. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

async function opened(parts: ReturnType<typeof bench>): Promise<FakeSocket> {
  parts.live.want()
  await turn()
  const socket = parts.sockets.at(-1)
  assert.ok(socket)
  return socket
}

test('the socket is below the page, has the cursor and a ticket, and shows states', async (t) => {
  const parts = bench(() => Promise.resolve('t 1'))
  t.after(() => parts.live.close())
  const socket = await opened(parts)
  assert.equal(parts.urls[0], 'wss://lab.example/golem/ws?every=100&ticket=t+1')
  assert.equal(parts.live.isLive, false)
  socket.says({ type: 'hello' })
  assert.equal(parts.live.isLive, true)
  socket.says({ type: 'state', cursor: 'c1' })
  socket.says({ type: 'heartbeat' })
  assert.deepEqual([parts.states, parts.changes], [['c1'], [true]])
  parts.live.want()
  await turn()
  assert.equal(parts.sockets.length, 1)
  socket.fails()
  parts.clock.now = 501
  await opened(parts)
  assert.match(parts.urls[1] ?? '', /since=c1/)
})

test('it is tried again later and later, and soon again after a healthy time', async (t) => {
  const parts = bench()
  t.after(() => parts.live.close())
  for (const pause of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const socket = await opened(parts)
    socket.fails()
    assert.ok(socket.closed)
    const tries = parts.sockets.length
    parts.clock.now += pause - 1
    parts.live.want()
    await turn()
    assert.equal(parts.sockets.length, tries, `before ${pause} ms`)
    parts.clock.now += 2
  }
  const good = await opened(parts)
  good.says({ type: 'hello' })
  parts.clock.now += 30_001
  good.fails()
  assert.deepEqual(parts.changes, [true, false])
  parts.clock.now += 501
  await opened(parts)
})

test('what an older socket says is not heard, and closing allows a new one at once', async (t) => {
  const parts = bench()
  t.after(() => parts.live.close())
  const old = await opened(parts)
  old.says({ type: 'hello' })
  parts.live.close()
  old.says({ type: 'state', cursor: 'late' })
  old.fails()
  assert.deepEqual([parts.states, parts.changes], [[], [true, false]])
  assert.notEqual(await opened(parts), old)
})

test('a ticket that is refused, and an end that is not golem, count as failed tries', async (t) => {
  const refused = bench(() => Promise.reject(new Error('401')))
  refused.live.want()
  await turn()
  assert.equal(refused.sockets.length, 0)
  assert.equal(refused.live.isLive, false)
  const parts = bench()
  t.after(() => parts.live.close())
  const socket = await opened(parts)
  socket.says('<html>')
  assert.ok(socket.closed)
})

test('silence is asked about and then believed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const parts = bench()
  t.after(() => parts.live.close())
  const socket = await opened(parts)
  socket.says({ type: 'hello' })
  parts.clock.now = 2_001
  t.mock.timers.tick(1_000)
  t.mock.timers.tick(1_000)
  assert.deepEqual(socket.sent, ['{"type":"ping"}'])
  socket.says({ type: 'pong' })
  parts.clock.now = 4_100
  t.mock.timers.tick(1_000)
  assert.equal(parts.live.isLive, true)
  assert.equal(socket.sent.length, 2)
  parts.clock.now = 6_100
  t.mock.timers.tick(1_000)
  assert.deepEqual([parts.live.isLive, socket.closed], [false, true])
})
