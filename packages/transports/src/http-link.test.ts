import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { type Address, GolemError, type HttpDriver, type HttpIo } from '@golem/core'
import { type Channel, type Link, openLink } from './link.ts'

const open: { close: () => unknown }[] = []
after(async () => {
  for (const one of open) await one.close()
})

type Answer = (socket: Socket, request: string) => void

/** A server of raw sockets: it sees, and can send, what an HTTP library would hide. */
async function board(answer: Answer): Promise<{ endpoint: Address; requests: string[]; server: Server }> {
  const requests: string[] = []
  const server = createServer((socket) => {
    let text = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (end < 0 || text.length < end + 4 + length) return
      requests.push(text)
      answer(socket, text)
      text = ''
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      server.close()
    },
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return {
    endpoint: { kind: 'http', host: '127.0.0.1', port: address.port, path: '/base' },
    requests,
    server,
  }
}

function ok(socket: Socket, body: string): void {
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

function driver(over: Partial<HttpDriver> = {}): HttpDriver {
  return {
    transport: 'http',
    link: { connectTimeoutMs: 1000, replyTimeoutMs: 5000 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
    ...over,
  }
}

function linkTo(
  endpoint: Address,
  over: Partial<HttpDriver> = {},
  guard: () => void = () => undefined,
): { link: Link; channel: Channel } {
  const link = openLink({ endpoint, guard })
  open.push(link)
  return {
    link,
    channel: link.attach({ driver: driver(over), endpoint, auth: { user: 'u', password: 'pä' } }),
  }
}

/** For tests that wait for the time-out. */
const quick = { link: { connectTimeoutMs: 1000, replyTimeoutMs: 400 } } as const

const get = (io: HttpIo): Promise<string> => io.get('/info').then(({ text }) => text)

function failsWith(code: string, message = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof GolemError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }
}

test('a request has base path, Basic authentication, length and closes its connection', async () => {
  const { endpoint, requests } = await board((socket) => ok(socket, 'fine'))
  const { channel } = linkTo(endpoint)
  const reply = await channel.run('command', (io: HttpIo) => io.post('/relay', '{"a":1}'))
  assert.deepEqual(reply, { status: 200, text: 'fine' })
  const request = requests[0] ?? ''
  assert.match(request, /^POST \/base\/relay HTTP\/1\.1\r\n/)
  assert.match(request, /content-length: 7\r\n/i)
  assert.match(request, /connection: close\r\n/i)
  assert.match(request, new RegExp(`authorization: Basic ${Buffer.from('u:pä').toString('base64')}\r\n`, 'i'))
  assert.match(request, /\r\n\r\n\{"a":1\}$/)
})

test('an HTTP error status is handed to the driver', async () => {
  const { endpoint } = await board((socket) =>
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  )
  const { channel } = linkTo(endpoint)
  assert.deepEqual(await channel.run('poll', (io: HttpIo) => io.get('/x')), { status: 404, text: '' })
})

test('conversations run one at a time, commands before polls, each in its order', async () => {
  let running = 0
  const { endpoint, requests } = await board((socket, request) => {
    running += 1
    assert.equal(running, 1)
    setTimeout(() => {
      running -= 1
      ok(socket, request)
    }, 5)
  })
  const { channel } = linkTo(endpoint)
  const ask = (priority: 'command' | 'poll', path: string): Promise<unknown> =>
    channel.run(priority, (io: HttpIo) => io.get(path))
  await Promise.all([
    ask('poll', '/p1'),
    ask('poll', '/p2'),
    ask('command', '/c1'),
    ask('poll', '/p3'),
    ask('command', '/c2'),
  ])
  const order = requests.map((request) => /\/base\/(\w+)/.exec(request)?.[1])
  assert.deepEqual(order, ['p1', 'c1', 'c2', 'p2', 'p3'])
})

test('a refused connection is LINK_DOWN, and beforeSend is not called', async () => {
  const { endpoint, server } = await board((socket) => ok(socket, ''))
  server.close()
  await once(server, 'close')
  const { channel } = linkTo(endpoint)
  let called = false
  const run = channel.run('command', get, {
    beforeSend: () => {
      called = true
    },
  })
  await assert.rejects(run, failsWith('LINK_DOWN', /not sent.*ECONNREFUSED/))
  assert.equal(called, false)
})

test('a link works again as soon as its board is back', async () => {
  const first = await board((socket) => ok(socket, 'one'))
  const { channel } = linkTo(first.endpoint)
  assert.equal(await channel.run('poll', get), 'one')
  first.server.close()
  await once(first.server, 'close')
  await assert.rejects(channel.run('poll', get), failsWith('LINK_DOWN'))
  assert.equal(first.endpoint.kind, 'http')
  first.server.listen(first.endpoint.port, '127.0.0.1')
  await once(first.server, 'listening')
  assert.equal(await channel.run('poll', get), 'one')
})

test('guard and beforeSend run, in this order, when connected and before the first byte; beforeSend only once', async () => {
  const calls: string[] = []
  const { endpoint, requests } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint, {}, () => calls.push(`guard ${requests.length}`))
  const twice = async (io: HttpIo): Promise<void> => {
    await io.get('/1')
    await io.get('/2')
  }
  await channel.run('command', twice, { beforeSend: () => calls.push(`beforeSend ${requests.length}`) })
  assert.deepEqual(calls, ['guard 0', 'beforeSend 0', 'guard 1'])
})

test('what beforeSend throws is the result, and nothing is sent, even if the driver goes on', async () => {
  const { endpoint, requests } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint)
  const stubborn = (io: HttpIo): Promise<unknown> => io.get('/1').catch(() => io.get('/2'))
  const run = channel.run('command', stubborn, {
    beforeSend: () => {
      throw new GolemError('COMMAND_EXPIRED', 'too late')
    },
  })
  await assert.rejects(run, failsWith('COMMAND_EXPIRED'))
  assert.equal(requests.length, 0)
})

test('a lost lease stops what has not been sent, and interrupts what has', async () => {
  let held = false
  const { endpoint, requests } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint, {}, () => {
    if (!held) throw new GolemError('LEASE_LOST', 'another worker owns this link')
  })
  await assert.rejects(channel.run('command', get), failsWith('LEASE_LOST'))
  assert.equal(requests.length, 0)
  held = true
  const halfway = async (io: HttpIo): Promise<void> => {
    await io.get('/1')
    held = false
    await io.get('/2')
  }
  await assert.rejects(channel.run('command', halfway), failsWith('INTERRUPTED', /another worker/))
  assert.equal(requests.length, 1)
})

test('identification comes before the first conversation, without beforeSend, and again after a time-out', async () => {
  let silent = false
  const { endpoint, requests } = await board((socket) => {
    if (!silent) ok(socket, 'x')
  })
  const { channel } = linkTo(endpoint, {
    ...quick,
    identify: async (io) => void (await io.get('/who')),
    initialise: async (io) => void (await io.get('/set')),
  })
  let before = 0
  const beforeSend = (): void => {
    before = requests.length
  }
  await channel.run('command', get, { beforeSend })
  assert.equal(before, 2)
  await channel.run('command', get, { beforeSend })
  assert.equal(before, 3)
  silent = true
  await assert.rejects(channel.run('poll', get), failsWith('REPLY_TIMEOUT', /GET http.*no complete reply/))
  silent = false
  await channel.run('poll', get)
  const paths = requests.map((request) => /\/base\/(\w+)/.exec(request)?.[1])
  assert.deepEqual(paths, ['who', 'set', 'info', 'info', 'info', 'who', 'set', 'info'])
})

test('an error in identification says LINK_DOWN or WRONG_INSTRUMENT: nothing of the command was sent', async () => {
  const { endpoint } = await board(() => undefined)
  const silent = linkTo(endpoint, { ...quick, identify: async (io) => void (await io.get('/who')) })
  await assert.rejects(silent.channel.run('command', get), failsWith('LINK_DOWN', /could not be identified/))
  const wrong = linkTo(endpoint, {
    identify: async () => {
      throw new GolemError('WRONG_INSTRUMENT', 'this is a lamp')
    },
  })
  await assert.rejects(wrong.channel.run('command', get), failsWith('WRONG_INSTRUMENT'))
})

test('a cut reply is LINK_LOST, a reply that is not HTTP and one over a megabyte are REPLY_MALFORMED', async () => {
  const replies: Answer[] = [
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of i'),
    (socket) => socket.destroy(),
    (socket) => socket.end('\x00\xff\xfegarbage\r\n\r\n'),
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.end(Buffer.alloc(1024 * 1024 + 1, 'x'))
    },
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.end(Buffer.alloc(1024 * 1024, 'x'))
    },
  ]
  const { endpoint } = await board((socket, request) => replies.shift()?.(socket, request))
  const { channel } = linkTo(endpoint, { link: { connectTimeoutMs: 1000, replyTimeoutMs: 5000 } })
  await assert.rejects(channel.run('command', get), failsWith('LINK_LOST', /cut off/))
  await assert.rejects(channel.run('command', get), failsWith('LINK_LOST'))
  await assert.rejects(channel.run('command', get), failsWith('REPLY_MALFORMED', /not HTTP/))
  await assert.rejects(channel.run('command', get), failsWith('REPLY_MALFORMED', /longer than/))
  assert.equal((await channel.run('command', get)).length, 1024 * 1024)
})

test('a reply that drips in does not outlast the reply time-out', async () => {
  const { endpoint } = await board((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')
    const timer = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(timer))
  })
  const { channel } = linkTo(endpoint, quick)
  await assert.rejects(channel.run('command', get), failsWith('REPLY_TIMEOUT'))
})

test('a board that goes away in the middle of a conversation is LINK_LOST, not LINK_DOWN', async () => {
  const { endpoint, server } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint)
  const twoSteps = async (io: HttpIo): Promise<void> => {
    await io.get('/1')
    server.close()
    await once(server, 'close')
    await io.get('/2')
  }
  await assert.rejects(channel.run('command', twoSteps), failsWith('LINK_LOST', /had been sent/))
})

test('a stop interrupts what runs, rejects waiting commands, leaves polls waiting, and goes at once', async () => {
  const { endpoint, requests } = await board((socket, request) => {
    if (!request.includes('/hang')) ok(socket, 'x')
  })
  const { channel } = linkTo(endpoint, { link: { connectTimeoutMs: 1000, replyTimeoutMs: 60_000 } })
  const hanging = channel.run('command', (io: HttpIo) => io.get('/hang'))
  const waiting = channel.run('command', get)
  const poll = channel.run('poll', get)
  const ends = Promise.all([
    assert.rejects(hanging, failsWith('INTERRUPTED')),
    assert.rejects(waiting, failsWith('STOPPED')),
  ])
  while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await channel.run('stop', (io: HttpIo) => io.post('/off'))
  await ends
  assert.equal(await poll, 'x')
  const paths = requests.map((request) => /\/base\/(\w+)/.exec(request)?.[1])
  assert.deepEqual(paths, ['hang', 'off', 'info'])
})

test('a stop is not interrupted by another stop, and ends a conversation that had sent nothing with STOPPED', async () => {
  const { endpoint, requests } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint)
  const sleeping = channel.run('command', (io: HttpIo) => io.sleep(60_000))
  const ends = assert.rejects(sleeping, failsWith('STOPPED'))
  await Promise.all([
    channel.run('stop', (io: HttpIo) => io.post('/off1')),
    channel.run('stop', (io: HttpIo) => io.post('/off2')),
  ])
  await ends
  assert.equal(requests.length, 2)
})

test('the io of a conversation that is over sends nothing any more', async () => {
  const { endpoint, requests } = await board((socket) => ok(socket, 'x'))
  const { channel } = linkTo(endpoint)
  const kept = await channel.run('command', async (io: HttpIo) => [io])
  await assert.rejects(
    Promise.resolve().then(() => kept[0]?.get('/late')),
    failsWith('INTERNAL', /over/),
  )
  assert.equal(requests.length, 0)
})

test('closing ends what runs and what waits, and nothing runs after that', async () => {
  const { endpoint, requests } = await board(() => undefined)
  const { channel, link } = linkTo(endpoint, { link: { connectTimeoutMs: 1000, replyTimeoutMs: 60_000 } })
  const running = channel.run('command', get)
  const waiting = channel.run('poll', get)
  const ends = Promise.all([
    assert.rejects(running, failsWith('INTERRUPTED')),
    assert.rejects(waiting, failsWith('WORKER_STOPPING')),
  ])
  while (requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  await link.close()
  await ends
  await assert.rejects(channel.run('stop', get), failsWith('WORKER_STOPPING'))
  assert.equal(requests.length, 1)
})

test('a driver for lines does not fit an HTTP address, and a simulated one has to be resolved first', () => {
  const endpoint: Address = { kind: 'http', host: 'x', port: 80, path: '' }
  const link = openLink({ endpoint, guard: () => undefined })
  const line = { ...driver(), transport: 'line' } as never
  assert.throws(() => link.attach({ driver: line, endpoint }), failsWith('CONFIG_INVALID'))
  const simulated: Address = { kind: 'sim', name: 'lamp' }
  assert.throws(
    () => openLink({ endpoint: simulated, guard: () => undefined }),
    failsWith('CONFIG_INVALID', /sim:lamp/),
  )
})
