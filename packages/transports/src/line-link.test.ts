import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { type Address, GolemError, type LineDriver, type LineIo, type Readings } from '@golem/core'
import { type Channel, type Link, openLink } from './link.ts'

const open: { close: () => unknown }[] = []
after(async () => {
  for (const one of open) await one.close()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const until = async (met: () => boolean): Promise<void> => {
  while (!met()) await pause(2)
}

type Answer = (say: (text: string) => void, line: string) => void

interface Instrument {
  endpoint: Address
  received: string[]
  server: Server
  sockets: Set<Socket>
  say: (text: string) => void
}

/** An instrument on TCP. By default it echoes: `A` -> `a:A`. */
async function instrument(answer: Answer = (say, line) => say(`a:${line}\r\n`)): Promise<Instrument> {
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    let piece = ''
    socket.on('data', (bytes) => {
      const lines = (piece + bytes.toString('latin1')).split('\r\n')
      piece = lines.pop() ?? ''
      for (const line of lines) {
        received.push(line)
        answer((text) => socket.write(text, 'latin1'), line)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const say = (text: string): void => {
    for (const socket of sockets) socket.write(text, 'latin1')
  }
  return { endpoint: { kind: 'tcp', host: '127.0.0.1', port: address.port }, received, server, sockets, say }
}

function driver(over: Partial<LineDriver> = {}): LineDriver {
  return {
    transport: 'line',
    link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 2000, quietMs: 60 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
    ...over,
  }
}

interface Opened {
  link: Link
  channel: Channel
  connection: string[]
  readings: Readings[]
}

function linkTo(
  endpoint: Address,
  over: Partial<LineDriver> = {},
  guard: () => void = () => undefined,
): Opened {
  const connection: string[] = []
  const readings: Readings[] = []
  const link = openLink({
    endpoint,
    guard,
    onConnection: (up, message) => connection.push(`${up ? 'up' : 'down'}: ${message}`),
  })
  open.push(link)
  const channel = link.attach({
    driver: driver(over),
    endpoint,
    onReadings: (found) => readings.push(found),
  })
  return { link, channel, connection, readings }
}

const asking =
  (line: string, timeoutMs = 2000) =>
  (io: LineIo): Promise<string> =>
    io.ask(line, { timeoutMs })

/** Quiet for long enough that a busy machine does not change the order of things. */
const patient = {
  link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 2000, quietMs: 200 },
} as const

function failsWith(code: string, message = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof GolemError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }
}

test('a question is sent with its terminator and its answer comes without', async () => {
  const { endpoint, received } = await instrument()
  const { channel } = linkTo(endpoint)
  assert.equal(await channel.run('command', asking('A')), 'a:A')
  assert.deepEqual(received, ['A'])
})

test('commands go before polls, and one conversation is not mixed with another', async () => {
  const { endpoint, received } = await instrument()
  const { channel } = linkTo(endpoint)
  const two =
    (first: string, second: string) =>
    async (io: LineIo): Promise<void> => {
      await io.ask(first)
      await io.ask(second)
    }
  await Promise.all([
    channel.run('poll', two('p1', 'p1b')),
    channel.run('poll', two('p2', 'p2b')),
    channel.run('command', two('c1', 'c1b')),
  ])
  assert.deepEqual(received, ['p1', 'p1b', 'c1', 'c1b', 'p2', 'p2b'])
})

test('guard and beforeSend come directly before the first byte; what they throw is the result', async () => {
  const { endpoint, received } = await instrument()
  const calls: string[] = []
  const { channel } = linkTo(endpoint, { identify: async (io) => void (await io.ask('who')) }, () => {
    calls.push(`guard ${received.length}`)
  })
  const beforeSend = (): void => void calls.push(`beforeSend ${received.length}`)
  await channel.run('command', asking('A'), { beforeSend })
  assert.deepEqual(calls, ['guard 0', 'guard 1', 'beforeSend 1'])
  const refused = channel.run('command', (io: LineIo) => io.ask('B').catch(() => io.ask('C')), {
    beforeSend: () => {
      throw new GolemError('COMMAND_EXPIRED', 'too late')
    },
  })
  await assert.rejects(refused, failsWith('COMMAND_EXPIRED'))
  assert.deepEqual(received, ['who', 'A'])
})

test('a late answer is not taken for the next question, not even within one conversation', async () => {
  const { endpoint } = await instrument((say, line) => {
    if (line.startsWith('slow')) setTimeout(() => say(`a:${line}\r\n`), 140)
    else say(`a:${line}\r\n`)
  })
  const { channel } = linkTo(endpoint, patient)
  await assert.rejects(channel.run('poll', asking('slow1', 100)), failsWith('REPLY_TIMEOUT', /"slow1"/))
  assert.equal(await channel.run('poll', asking('A')), 'a:A')
  const stubborn = async (io: LineIo): Promise<string> => {
    await assert.rejects(io.ask('slow2', { timeoutMs: 100 }), failsWith('REPLY_TIMEOUT'))
    return io.ask('B')
  }
  assert.equal(await channel.run('poll', stubborn), 'a:B')
})

test('after a time-out the instrument is identified again, and a late answer to that is thrown away too', async () => {
  let late = true
  const { endpoint, received } = await instrument((say, line) => {
    if (line !== 'Q' || !late) return say(`a:${line}\r\n`)
    // Comes after the line has been quiet once, so that identification takes it for its own.
    late = false
    setTimeout(() => say('a:Q\r\n'), 400)
  })
  const { channel } = linkTo(endpoint, { ...patient, identify: async (io) => void (await io.ask('who')) })
  await assert.rejects(channel.run('poll', asking('Q', 100)), failsWith('REPLY_TIMEOUT'))
  assert.equal(await channel.run('poll', asking('A')), 'a:A')
  assert.deepEqual(received, ['who', 'Q', 'who', 'A'])
})

test('an instrument that does not answer identification is LINK_DOWN, a strange one WRONG_INSTRUMENT', async () => {
  const silent = await instrument(() => undefined)
  const identify = async (io: LineIo): Promise<void> => {
    const answer = await io.ask('who', { timeoutMs: 300 })
    if (answer !== 'it') throw new GolemError('WRONG_INSTRUMENT', `it says ${answer}`)
  }
  const first = linkTo(silent.endpoint, { identify })
  await assert.rejects(first.channel.run('command', asking('A')), failsWith('LINK_DOWN', /identified/))
  const strange = await instrument()
  const second = linkTo(strange.endpoint, { identify })
  await assert.rejects(second.channel.run('command', asking('A')), failsWith('WRONG_INSTRUMENT'))
  assert.deepEqual([silent.received, strange.received], [['who'], ['who']])
})

test('lines that are not accepted, and lines nobody asked for, become readings', async () => {
  const { endpoint, say, sockets } = await instrument((reply, line) => reply(`U 1\r\nnoise\r\na:${line}\r\n`))
  const { channel, readings } = linkTo(endpoint, {
    unsolicited: (line) => (line.startsWith('U ') ? { value: Number(line.slice(2)) } : undefined),
  })
  const accept = (line: string): boolean => line.startsWith('a:')
  assert.equal(await channel.run('poll', (io: LineIo) => io.ask('A', { accept })), 'a:A')
  assert.deepEqual(readings, [{ value: 1 }])
  assert.equal(sockets.size, 1)
  say('U 2\r\nU')
  say(' 3\r\n')
  await until(() => readings.length === 3)
  assert.deepEqual(readings.slice(1), [{ value: 2 }, { value: 3 }])
})

test('a line that came before the question is not its answer; expect takes one that came after send', async () => {
  const { endpoint, say } = await instrument((reply, line) => reply(`a:${line}\r\nb:${line}\r\n`))
  const { channel } = linkTo(endpoint)
  const answers = await channel.run('poll', async (io: LineIo) => {
    await io.send('S')
    await io.sleep(30)
    const first = await io.expect()
    say('early\r\n')
    await io.sleep(30)
    return [first, await io.ask('A')]
  })
  assert.deepEqual(answers, ['a:S', 'a:A'])
})

test('garbage, a piece without end, and silence end in a time-out that shows what came', async () => {
  const { endpoint } = await instrument((say) => say('\x00\xff\xfe\r\nhalf of an ans'))
  const { channel } = linkTo(endpoint)
  const accept = (line: string): boolean => line === 'fine'
  await assert.rejects(
    channel.run('poll', (io: LineIo) => io.ask('A', { accept, timeoutMs: 200 })),
    failsWith('REPLY_TIMEOUT', /within 200 ms; what came was .*hex 00fffe.*"half of an ans"/),
  )
})

test('a megabyte without a line end is REPLY_MALFORMED, and the next exchange is in step', async () => {
  let flood = true
  const { endpoint } = await instrument((say, line) => {
    if (flood) say('x'.repeat(1024 * 1024))
    else say(`a:${line}\r\n`)
    flood = false
  })
  const { channel } = linkTo(endpoint)
  await assert.rejects(channel.run('poll', asking('A')), failsWith('REPLY_MALFORMED', /4096 characters/))
  assert.equal(await channel.run('poll', asking('B')), 'a:B')
})

test('a refused connection is LINK_DOWN and told once; the return is told once, and everything works again', async () => {
  const { endpoint, server } = await instrument()
  const { channel, connection } = linkTo(endpoint, { identify: async (io) => void (await io.ask('who')) })
  await channel.run('poll', asking('A'))
  assert.equal(connection.length, 0)
  assert.equal(endpoint.kind, 'tcp')
  const { port } = endpoint
  server.close()
  open.at(-2)?.close()
  await until(() => connection.length === 1)
  await assert.rejects(channel.run('poll', asking('B')), failsWith('LINK_DOWN', /ECONNREFUSED/))
  await assert.rejects(channel.run('poll', asking('B')), failsWith('LINK_DOWN'))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.equal(await channel.run('poll', asking('C')), 'a:C')
  assert.deepEqual(
    connection.map((message) => message.split(':')[0]),
    ['down', 'up'],
  )
})

test('a connection on which nothing follows what is sent is made anew, also when the driver looks in short steps', async () => {
  const { endpoint, sockets, server } = await instrument(() => undefined)
  let connections = 0
  server.on('connection', () => (connections += 1))
  const { channel } = linkTo(endpoint, {
    link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 100, quietMs: 20 },
  })
  // As a stage is asked where it is: byte, short look, byte, short look.
  const looks = async (io: LineIo): Promise<void> => {
    for (let look = 0; look < 3; look += 1) {
      await io.sendBytes(Buffer.from('?'))
      await io.expect({ timeoutMs: 60 }).catch((error: unknown) => {
        if (look === 2) throw error
      })
    }
  }
  await assert.rejects(channel.run('poll', looks), failsWith('REPLY_TIMEOUT'))
  assert.equal(connections, 1)
  await assert.rejects(channel.run('poll', looks))
  await until(() => sockets.size === 0)
  await assert.rejects(channel.run('poll', looks))
  assert.equal(connections, 2)
  // One that nobody asks may be silent for as long as it likes.
  const listening = linkTo(endpoint, {
    link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 50, quietMs: 20 },
  })
  for (let look = 0; look < 3; look += 1) {
    await assert.rejects(
      listening.channel.run('poll', (io: LineIo) => io.expect({ timeoutMs: 80 })),
      failsWith('REPLY_TIMEOUT'),
    )
  }
  assert.equal(connections, 3)
})

test('a connection that breaks after the question is LINK_LOST', async () => {
  const { endpoint, sockets } = await instrument(() => {
    for (const socket of sockets) socket.destroy()
  })
  const { channel } = linkTo(endpoint)
  await assert.rejects(channel.run('command', asking('A')), failsWith('LINK_LOST'))
})

test('a connection that breaks while a line is only waited for is LINK_DOWN: nothing was sent', async () => {
  const { endpoint, sockets } = await instrument()
  const { channel } = linkTo(endpoint)
  const waiting = channel.run('poll', (io: LineIo) => io.expect({ timeoutMs: 60_000 }))
  const ends = assert.rejects(waiting, failsWith('LINK_DOWN'))
  await until(() => sockets.size === 1)
  await pause(100)
  for (const socket of sockets) socket.destroy()
  await ends
})

test('a stop interrupts what runs, rejects waiting commands and goes at once, without identification', async () => {
  const { endpoint, received } = await instrument((say, line) => {
    if (line !== 'hang') say(`a:${line}\r\n`)
  })
  const { channel } = linkTo(endpoint, { identify: async (io) => void (await io.ask('who')) })
  const hanging = channel.run('command', (io: LineIo) => io.ask('hang', { timeoutMs: 60_000 }))
  const waiting = channel.run('command', asking('never'))
  const poll = channel.run('poll', asking('poll'))
  const ends = Promise.all([
    assert.rejects(hanging, failsWith('INTERRUPTED')),
    assert.rejects(waiting, failsWith('STOPPED')),
  ])
  await until(() => received.includes('hang'))
  assert.equal(await channel.run('stop', asking('off')), 'a:off')
  await ends
  assert.equal(await poll, 'a:poll')
  assert.deepEqual(received, ['who', 'hang', 'off', 'who', 'poll'])
})

test('a stop during draining ends a command that had sent nothing with STOPPED', async () => {
  const { endpoint, received } = await instrument()
  const { channel } = linkTo(endpoint)
  const command = channel.run('command', asking('A'))
  const ends = assert.rejects(command, failsWith('STOPPED'))
  await channel.run('stop', asking('off'))
  await ends
  assert.deepEqual(received, ['off'])
})

test('an instrument that never falls quiet is talked to all the same, after its line was opened anew', async () => {
  const { endpoint, say, sockets } = await instrument()
  const chatter = setInterval(() => say('U\r\n'), 10)
  open.push({ close: () => clearInterval(chatter) })
  const { channel } = linkTo(endpoint, {
    link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 500, quietMs: 50 },
  })
  const accept = (line: string): boolean => line.startsWith('a:')
  assert.equal(await channel.run('poll', (io: LineIo) => io.ask('A', { accept })), 'a:A')
  assert.equal(sockets.size, 1)
})

test('a driver whose unsolicited fails breaks the next conversation, not the process', async () => {
  const { endpoint, say, sockets } = await instrument()
  const { channel } = linkTo(endpoint, {
    unsolicited: () => {
      throw new Error('a bug')
    },
  })
  await channel.run('poll', asking('A'))
  assert.equal(sockets.size, 1)
  say('U\r\n')
  await pause(50)
  await assert.rejects(channel.run('poll', asking('A')), failsWith('INTERNAL', /a bug/))
  assert.equal(await channel.run('poll', asking('A')), 'a:A')
})

test('two instruments share a line, each identified by itself; different line ends are refused', async () => {
  const { endpoint, received } = await instrument()
  const { link, channel } = linkTo(endpoint, { identify: async (io) => void (await io.ask('who1')) })
  const second = link.attach({
    driver: driver({ identify: async (io) => void (await io.ask('who2')) }),
    endpoint,
  })
  await Promise.all([
    channel.run('poll', asking('A')),
    second.run('poll', asking('B')),
    channel.run('poll', asking('C')),
  ])
  assert.deepEqual(received, ['who1', 'A', 'who2', 'B', 'C'])
  const settings = { ...driver().link, sendTerminator: '\n' }
  assert.throws(
    () => link.attach({ driver: driver({ link: settings }), endpoint }),
    failsWith('CONFIG_INVALID'),
  )
})

test('closing ends what runs, closes the connection, and nothing runs after that', async () => {
  const { endpoint, sockets, received } = await instrument(() => undefined)
  const { link, channel } = linkTo(endpoint)
  const running = channel.run('command', (io: LineIo) => io.ask('A', { timeoutMs: 60_000 }))
  const ends = assert.rejects(running, failsWith('INTERRUPTED'))
  await until(() => received.length === 1)
  await link.close()
  await ends
  await until(() => sockets.size === 0)
  await assert.rejects(channel.run('poll', asking('B')), failsWith('WORKER_STOPPING'))
})
