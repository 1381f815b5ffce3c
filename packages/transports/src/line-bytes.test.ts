import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { type Address, GolemError, type LineDriver, type LineIo, type Readings } from '@golem/core'
import { type Channel, type Link, openLink } from './link.ts'

const open: { close: () => unknown }[] = []
after(async () => {
  for (const one of open) await one.close()
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Device {
  endpoint: Address
  /** All that came, latin1. */
  received: () => string
  say: (bytes: string | Buffer) => void
  sockets: Set<Socket>
}

/** A device on TCP; `answer` gets what comes, as it comes. */
async function device(
  answer: (say: Device['say'], came: string) => unknown = () => undefined,
): Promise<Device> {
  const sockets = new Set<Socket>()
  let received = ''
  const say = (bytes: string | Buffer): void => {
    for (const socket of sockets)
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      answer(say, bytes.toString('latin1'))
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
  const endpoint: Address = { kind: 'tcp', host: '127.0.0.1', port: address.port }
  return { endpoint, received: () => received, say, sockets }
}

function driver(over: Partial<LineDriver> = {}, link: Partial<LineDriver['link']> = {}): LineDriver {
  return {
    transport: 'line',
    link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 2000, quietMs: 40, ...link },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
    ...over,
  }
}

function linkTo(
  endpoint: Address,
  over: Partial<LineDriver> = {},
  link: Partial<LineDriver['link']> = {},
): { link: Link; channel: Channel; readings: Readings[] } {
  const readings: Readings[] = []
  const opened = openLink({ endpoint, guard: () => undefined })
  open.push(opened)
  const channel = opened.attach({
    driver: driver(over, link),
    endpoint,
    onReadings: (found) => readings.push(found),
  })
  return { link: opened, channel, readings }
}

const failsWith =
  (code: string, message = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof GolemError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }

/** Is a definite-length block complete (`#41000...` and a line end)? As IEEE 488.2 has it. */
function blockLength(received: Uint8Array): number | undefined {
  const bytes = Buffer.from(received.buffer, received.byteOffset, received.byteLength)
  if (bytes.length < 2) return undefined
  const digits = Number(bytes.toString('latin1', 1, 2))
  if (bytes.length < 2 + digits) return undefined
  const end = 2 + digits + Number(bytes.toString('latin1', 2, 2 + digits)) + 1
  return bytes.length >= end ? end : undefined
}

/** A block of so many bytes with every value in it, line ends too. */
function block(size: number): Buffer {
  const content = Buffer.from(Array.from({ length: 251 }, (_, value) => (value + 5) % 256))
  const length = String(size)
  return Buffer.concat([
    Buffer.from(`#${length.length}${length}`),
    Buffer.alloc(size, content),
    Buffer.from('\n'),
  ])
}

test('a block with line ends in it comes as it is; the line behind it in the same piece is one nobody asked for', async () => {
  const wanted = block(1000)
  const { endpoint } = await device((say) => say(Buffer.concat([wanted, Buffer.from('U 7\n')])))
  const { channel, readings } = linkTo(endpoint, {
    unsolicited: (line) => (line.startsWith('U ') ? { value: Number(line.slice(2)) } : undefined),
  })
  const ask = (io: LineIo): Promise<Uint8Array> =>
    io.askBytes(Buffer.from('CURV?\n'), { complete: blockLength, maxBytes: 2000 })
  assert.deepEqual(Buffer.from(await channel.run('poll', ask)), wanted)
  assert.deepEqual(readings, [{ value: 7 }])
})

test('a megabyte in thousands of pieces does not hold the process up, and costs no more than its length', async () => {
  const wanted = block(1_000_000)
  const { endpoint } = await device(async (say) => {
    for (let at = 0; at < wanted.length; at += 100) {
      say(wanted.subarray(at, at + 100))
      if (at % 20_000 === 0) await pause(0)
    }
  })
  const { channel } = linkTo(endpoint)
  let worst = 0
  let last = performance.now()
  const watch = setInterval(() => {
    worst = Math.max(worst, performance.now() - last)
    last = performance.now()
  }, 2)
  let calls = 0
  const answer = await channel.run('poll', (io: LineIo) =>
    io.askBytes(Buffer.from('CURV?\n'), {
      complete: (received) => {
        calls += 1
        return blockLength(received)
      },
      maxBytes: 2_000_000,
    }),
  )
  clearInterval(watch)
  assert.ok(Buffer.from(answer).equals(wanted))
  assert.ok(calls > 50, `${calls} pieces`)
  assert.ok(worst < 150, `the process was held up for ${worst} ms`)
})

test('an answer that is longer than allowed is REPLY_MALFORMED, and the next question gets its own', async () => {
  const { endpoint } = await device((say, came) =>
    say(came.startsWith('big') ? Buffer.alloc(100_000, 'x') : `a:${came}`),
  )
  const { channel } = linkTo(endpoint)
  const big = (io: LineIo): Promise<Uint8Array> =>
    io.askBytes(Buffer.from('big\n'), { complete: () => undefined, maxBytes: 5000 })
  await assert.rejects(channel.run('poll', big), failsWith('REPLY_MALFORMED', /More than 5000 bytes/))
  assert.equal(await channel.run('poll', (io: LineIo) => io.ask('next')), 'a:next')
})

test("half an answer ends in a time-out that says how much came; its late rest is nobody else's answer", async () => {
  const wanted = block(200)
  const { endpoint } = await device((say, came) => {
    if (came !== 'CURV?\n') return say(`a:${came}`)
    say(wanted.subarray(0, 50))
    setTimeout(() => say(wanted.subarray(50)), 140)
  })
  // Quiet for long enough that the rest comes while it is waited for.
  const { channel } = linkTo(endpoint, {}, { quietMs: 150 })
  const ask = (io: LineIo): Promise<Uint8Array> =>
    io.askBytes(Buffer.from('CURV?\n'), { complete: blockLength, timeoutMs: 100 })
  await assert.rejects(channel.run('poll', ask), failsWith('REPLY_TIMEOUT', /first 50 bytes/))
  assert.equal(await channel.run('poll', (io: LineIo) => io.ask('next')), 'a:next')
})

test('what `complete` throws is the result', async () => {
  const { endpoint } = await device((say) => say('no block\n'))
  const { channel } = linkTo(endpoint)
  const ask = (io: LineIo): Promise<Uint8Array> =>
    io.askBytes(Buffer.from('CURV?\n'), {
      complete: () => {
        throw new GolemError('REPLY_MALFORMED', 'this is no block')
      },
    })
  await assert.rejects(channel.run('poll', ask), failsWith('REPLY_MALFORMED', /no block/))
})

test('in quiet mode the answer is what comes until nothing more comes, however many lines that is', async () => {
  const { endpoint } = await device(async (say) => {
    for (const line of ['one\n', 'two\n', 'three\n']) {
      say(line)
      await pause(15)
    }
  })
  const { channel } = linkTo(endpoint)
  const ask =
    (quietMs: number) =>
    async (io: LineIo): Promise<string> => {
      const answer = await io.askBytes(Buffer.from('help\n'), { complete: () => undefined, quietMs })
      return Buffer.from(answer).toString('latin1')
    }
  assert.equal(await channel.run('poll', ask(120)), 'one\ntwo\nthree\n')
})

test('a process that was busy does not take its own absence for silence', async () => {
  const { endpoint } = await device((say) => {
    say('one ')
    setTimeout(() => say('two\n'), 20)
    // Holds the whole process up, past the silence that ends the answer, while the rest is on its way.
    setTimeout(() => {
      const until = performance.now() + 150
      while (performance.now() < until);
    }, 30)
  })
  const { channel } = linkTo(endpoint)
  const answer = await channel.run('poll', (io: LineIo) =>
    io.askBytes(Buffer.from('help\n'), { complete: () => undefined, quietMs: 60 }),
  )
  assert.equal(Buffer.from(answer).toString('latin1'), 'one two\n')
})

test('bytes go out at once while an answer is waited for, and leave the line in step', async () => {
  let held = ''
  const { endpoint, received } = await device((say, came) => {
    if (came === '?') return say('<Idle>\n')
    if (came !== '!') held += came
    else say(`a:${held}`)
  })
  const { channel, readings } = linkTo(endpoint, {
    unsolicited: (line) => (line.startsWith('<') ? { state: line } : undefined),
  })
  const answer = await channel.run('command', async (io: LineIo) => {
    const waiting = io.ask('long', { accept: (line) => line.startsWith('a:') })
    await pause(20)
    await io.sendBytes(Buffer.from('?'))
    await pause(20)
    await io.sendBytes(Buffer.from('!'))
    return waiting
  })
  assert.equal(answer, 'a:long')
  assert.deepEqual(readings, [{ state: '<Idle>' }])
  assert.equal(received(), 'long\n?!')
})

test('a pause is kept between exchanges, but not for a stop and not for real-time bytes', async () => {
  const at: number[] = []
  const { endpoint } = await device((say, came) => {
    at.push(performance.now())
    say(`a:${came}`)
  })
  const { channel } = linkTo(endpoint, {}, { gapMs: 400 })
  await channel.run('poll', async (io: LineIo) => {
    await io.ask('one')
    await io.ask('two')
  })
  await channel.run('poll', (io: LineIo) => io.ask('three'))
  await channel.run('stop', (io: LineIo) => io.ask('stop'))
  await channel.run('poll', (io: LineIo) => io.sendBytes(Buffer.from('?')))
  const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
  // A busy machine may notice the one before late, and the stop as well.
  assert.ok((gaps[0] ?? 0) >= 300 && (gaps[1] ?? 0) >= 300, gaps.join(' '))
  assert.ok((gaps[2] ?? 999) < 300, gaps.join(' '))
})

test('the lease is judged after the pause, directly before the bytes', async () => {
  const { endpoint, received } = await device((say, came) => say(`a:${came}`))
  let mine = true
  const link = openLink({
    endpoint,
    guard: () => {
      if (!mine) throw new GolemError('LEASE_LOST', 'gone')
    },
  })
  open.push(link)
  const channel = link.attach({ driver: driver({}, { gapMs: 100 }), endpoint })
  await channel.run('poll', (io: LineIo) => io.ask('one'))
  const second = channel.run('command', (io: LineIo) => io.ask('two'))
  setTimeout(() => (mine = false), 30)
  await assert.rejects(second, failsWith('LEASE_LOST'))
  assert.equal(received(), 'one\n')
})

test('lines longer than usual come where the driver allows them', async () => {
  const { endpoint } = await device((say) => say(`${'1.5,'.repeat(50_000)}\n`))
  const { channel } = linkTo(endpoint, {}, { maxLineLength: 300_000 })
  assert.equal((await channel.run('poll', (io: LineIo) => io.ask('LIST?'))).length, 200_000)
})

test('frames come by themselves as readings, also out of garbage', async () => {
  const { endpoint, say, sockets } = await device()
  const { channel, readings } = linkTo(
    endpoint,
    {
      unsolicited: (frame) => {
        const bytes = Buffer.from(frame, 'latin1')
        return ((bytes[2] ?? 0) ^ 0xff) === bytes[3] ? { value: bytes[2] ?? 0 } : undefined
      },
    },
    { receiveFrame: { header: '\xff\x86', length: 4 } },
  )
  await channel.run('poll', async () => undefined)
  assert.equal(sockets.size, 1)
  say(Buffer.from([0x00, 0xff, 0xff, 0x86, 7, 0xf8, 0xff, 0x86, 1]))
  await pause(20)
  say(Buffer.from([0xff, 0x86, 9, 0xf6]))
  const until = performance.now() + 2000
  while (readings.length < 2 && performance.now() < until) await pause(5)
  assert.deepEqual(readings, [{ value: 7 }, { value: 9 }])
})

test('models that need another speed, parity or wire can not share a line; what an address says counts', () => {
  const path = '/dev/serial/by-id/usb-none'
  const link = openLink({ endpoint: { kind: 'serial', path }, guard: () => undefined })
  open.push(link)
  const attach = (settings: Partial<LineDriver['link']>, given: object = {}): unknown =>
    link.attach({ driver: driver({}, settings), endpoint: { kind: 'serial', path, ...given } })
  attach({ baudRate: 19_200, gapMs: 5 })
  attach({ baudRate: 19_200, parity: 'none', dataBits: 8 })
  attach({ baudRate: 4800 }, { baudRate: 19_200 })
  assert.throws(() => attach({}), failsWith('CONFIG_INVALID', /different speeds/))
  assert.throws(
    () => attach({ baudRate: 19_200 }, { parity: 'even' }),
    failsWith('CONFIG_INVALID', /parities/),
  )
  assert.throws(() => attach({ baudRate: 19_200, dtr: false }), failsWith('CONFIG_INVALID', /DTR/))
  assert.throws(
    () => attach({ baudRate: 19_200, receiveFrame: { header: '\xff', length: 9 } }),
    failsWith('CONFIG_INVALID', /line ends/),
  )
})
