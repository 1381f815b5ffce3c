import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Address, GolemError, type HttpDriver, type HttpIo, type Readings } from '@golem/core'
import { type Channel, type Link, openLink } from './link.ts'

const open: { close: () => unknown }[] = []
after(async () => {
  for (const one of open) await one.close()
})

interface Board {
  endpoint: Address
  server: Server
  /** Clients that listen for events now. */
  streams: Set<ServerResponse>
  /** How often events were asked for, and with which authorization. */
  asked: (string | undefined)[]
}

async function board(refuse: () => boolean = () => false): Promise<Board> {
  const streams = new Set<ServerResponse>()
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    if (request.url !== '/base/events') {
      response.end('fine')
      return
    }
    asked.push(request.headers.authorization)
    if (refuse()) {
      response.writeHead(404).end('no events')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.write('event: ping\ndata: hello\n\n')
    streams.add(response)
    response.once('close', () => streams.delete(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const endpoint: Address = { kind: 'http', host: '127.0.0.1', port: address.port, path: '/base' }
  return { endpoint, server, streams, asked }
}

interface Listening {
  link: Link
  channel: Channel
  events: { type: string; data: string }[]
  readings: Readings[]
  ends: () => number
  /** How often the board was identified. */
  identified: () => number
}

function listening(
  endpoint: Address,
  { silenceMs = 5000, guard = (): void => undefined, link = openLink({ endpoint, guard }) } = {},
): Listening {
  open.push(link)
  const events: Listening['events'] = []
  const readings: Readings[] = []
  let ends = 0
  let identified = 0
  const driver: HttpDriver = {
    transport: 'http',
    link: { connectTimeoutMs: 1000, replyTimeoutMs: 1000 },
    parameters: {},
    actions: {},
    identify: async () => {
      identified += 1
    },
    readAll: async () => ({}),
    events: {
      path: '/events',
      silenceMs,
      onEvent: (event) => {
        events.push(event)
        if (event.data === 'garbage') throw new GolemError('REPLY_MALFORMED', 'garbage')
        return { value: event.data }
      },
      onEnd: () => {
        ends += 1
      },
    },
  }
  const channel = link.attach({
    driver,
    endpoint,
    auth: { user: 'u', password: 'p' },
    onReadings: (found) => readings.push(found),
  })
  return { link, channel, events, readings, ends: () => ends, identified: () => identified }
}

const poll = (channel: Channel): Promise<unknown> => channel.run('poll', async () => undefined)

async function until(what: string, is: () => unknown): Promise<void> {
  const deadline = performance.now() + 8000
  while (!is()) {
    assert.ok(performance.now() < deadline, `not within 8 s: ${what}`)
    await sleep(10)
  }
}

test('events are listened to once the board is identified, on one connection with its password, and become readings', async () => {
  const { endpoint, streams, asked } = await board()
  const { channel, readings } = listening(endpoint)
  await poll(channel)
  assert.equal(asked.length, 0)
  await poll(channel)
  await poll(channel)
  await until('the first event', () => readings.length > 0)
  const [stream] = streams
  // In pieces, with comments, line ends of all kinds and two at once.
  for (const piece of [': comment\r\nevent: st', 'ate\r\nda', 'ta: 1\r\n\r\nevent: state\ndata: ä\n\n']) {
    stream?.write(piece)
    await sleep(20)
  }
  await until('the others', () => readings.length === 3)
  assert.deepEqual(readings, [{ value: 'hello' }, { value: '1' }, { value: 'ä' }])
  assert.deepEqual(asked, [`Basic ${Buffer.from('u:p').toString('base64')}`])
})

test('two instruments of one board share the connection, and both hear all', async () => {
  const { endpoint, streams, asked } = await board()
  const one = listening(endpoint)
  const two = listening(endpoint, { link: one.link })
  for (let n = 0; n < 2; n += 1) await Promise.all([poll(one.channel), poll(two.channel)])
  await until('both hear the greeting', () => one.events.length > 0 && two.events.length > 0)
  assert.equal(streams.size, 1)
  assert.ok(asked.length <= 2)
  const [stream] = streams
  stream?.write('data: both\n\n')
  const heard = ({ events }: Listening): boolean => events.some(({ data }) => data === 'both')
  await until('both hear it', () => heard(one) && heard(two))
  assert.equal(one.events.at(-1)?.type, 'message')
})

test('a connection that ends, or is silent, is opened again; the driver is told of the end', async () => {
  const { endpoint, streams, asked } = await board()
  const { channel, ends } = listening(endpoint, { silenceMs: 300 })
  await poll(channel)
  await poll(channel)
  await until('connected', () => streams.size === 1)
  for (const stream of streams) stream.end()
  await until('connected again after its end', () => asked.length === 2 && streams.size === 1)
  assert.equal(ends(), 1)
  await until('connected again after silence', () => asked.length === 3)
  assert.ok(ends() >= 2)
})

test('a board whose events have ended is identified again before anything else is sent to it', async () => {
  const { endpoint, streams } = await board()
  const { channel, ends, identified } = listening(endpoint)
  const post = (io: HttpIo): Promise<unknown> => io.post('/fan', '5')
  await poll(channel)
  await poll(channel)
  await until('connected', () => streams.size === 1)
  await channel.run('command', post)
  assert.equal(identified(), 1)
  for (const stream of streams) stream.destroy()
  await until('told of the end', () => ends() === 1)
  await channel.run('command', post)
  assert.equal(identified(), 2)
  await channel.run('command', post)
  assert.equal(identified(), 2)
})

test('nothing is sent to a board whose events end in the same moment, before it is identified again', async () => {
  const { endpoint, streams } = await board()
  const { channel, events, identified } = listening(endpoint)
  await poll(channel)
  await poll(channel)
  for (let time = 1; time <= 3; time += 1) {
    await until('told events', () => events.length === time)
    const before = identified()
    for (const stream of streams) stream.destroy()
    const ended = await channel
      .run('command', (io: HttpIo) => io.post('/fan', '5'))
      .then(
        () => 'sent',
        (error: unknown) => (error as GolemError).code,
      )
    assert.ok(ended === 'LINK_DOWN' || identified() > before, `it was ${ended}`)
    await poll(channel)
  }
})

test('a conversation that has begun sends nothing more once the events have ended; a stop does', async () => {
  const { endpoint, streams } = await board()
  const { channel, ends, identified } = listening(endpoint)
  await poll(channel)
  await poll(channel)
  await until('connected', () => streams.size === 1)
  const during = (before: (io: HttpIo) => Promise<unknown>) =>
    channel.run('command', async (io: HttpIo) => {
      const told = ends()
      await before(io)
      for (const stream of streams) stream.destroy()
      await until('told of the end', () => ends() > told)
      await io.post('/fan', '5')
    })
  await assert.rejects(
    during(async () => undefined),
    { code: 'LINK_DOWN', message: /not sent/ },
  )
  await channel.run('stop', (io: HttpIo) => io.post('/fan', '0'))
  assert.equal(identified(), 1)
  await poll(channel)
  assert.equal(identified(), 2)
  await until('connected again', () => streams.size === 1)
  await assert.rejects(
    during((io) => io.get('/fan')),
    { code: 'LINK_LOST' },
  )
})

test('a board without events is asked less and less often, and works', async () => {
  const { endpoint, asked } = await board(() => true)
  const { channel, events, ends } = listening(endpoint)
  await poll(channel)
  await poll(channel)
  await until('asked twice', () => asked.length === 2)
  await sleep(1200)
  assert.equal(asked.length, 2)
  assert.equal(ends(), 2)
  await poll(channel)
  assert.deepEqual(events, [])
})

test('an event nobody can read is told to the next poll, one without end ends the connection', async () => {
  const { endpoint, streams, asked } = await board()
  const { channel, events } = listening(endpoint)
  await poll(channel)
  await poll(channel)
  await until('connected', () => events.length === 1)
  for (const stream of streams) stream.write('data: garbage\n\n')
  await until('it came', () => events.length === 2)
  await assert.rejects(poll(channel), { code: 'REPLY_MALFORMED' })
  // Identified anew, and then all is well.
  await poll(channel)
  for (const stream of streams) stream.write(`data: ${'x'.repeat(1024 * 1024 + 1)}`)
  await until('connected again', () => asked.length === 2)
  assert.equal(
    events.some(({ data }) => data.length > 100),
    false,
  )
})

test('without the guard nothing is asked for; close ends the connection, and it stays closed', async () => {
  const { endpoint, streams, asked } = await board()
  let held = true
  const guard = (): void => {
    if (!held) throw new GolemError('LEASE_LOST', 'another worker owns this link')
  }
  const { link, channel } = listening(endpoint, { guard })
  await poll(channel)
  held = false
  await poll(channel)
  await sleep(100)
  assert.equal(asked.length, 0)
  held = true
  await until('connected when it may', () => streams.size === 1)
  await link.close()
  await until('closed', () => streams.size === 0)
  await sleep(1200)
  assert.equal(asked.length, 1)
})
