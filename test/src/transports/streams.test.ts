import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Address, GolemError, type LineDriver } from '@golem/core'
import { openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { makeTempDir } from '../kit/temp.ts'

/** As many as the proof of a transport wants. */
const LINES = 10_000

const closers: (() => unknown)[] = []
after(async () => {
  for (const close of closers.toReversed()) await close()
})

/** A station that says a number in each line, to all who listen, and counts what it is told. */
async function station(where: number | string): Promise<{
  server: Server
  say: (from: number, to: number) => Promise<void>
  sockets: Set<Socket>
  told: () => number
}> {
  const sockets = new Set<Socket>()
  let told = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => (told += chunk.length))
  })
  if (typeof where === 'number') server.listen(where, '127.0.0.1')
  else server.listen(where)
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const say = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n += 1) {
      const all = [...sockets]
      const full = all.filter((socket) => !socket.write(`N ${n}\r\n`))
      await Promise.all(full.map((socket) => Promise.race([once(socket, 'drain'), once(socket, 'close')])))
    }
  }
  return { server, say, sockets, told: () => told }
}

/** golem listening: the numbers it has heard. */
function listen(endpoint: Address): { heard: number[]; poll: () => Promise<void> } {
  const heard: number[] = []
  const driver: LineDriver = {
    transport: 'line',
    link: { sendTerminator: '\r\n', receiveTerminator: '\r\n', replyTimeoutMs: 2000, quietMs: 20 },
    parameters: {},
    actions: {},
    identify: async (io) => {
      heard.push(numberOf(await io.expect()))
    },
    readAll: async () => ({}),
    unsolicited: (line) => {
      heard.push(numberOf(line))
      return {}
    },
  }
  const link = openLink({ endpoint, guard: () => undefined })
  closers.push(() => link.close())
  const channel = link.attach({ driver, endpoint })
  return { heard, poll: () => channel.run('poll', async () => undefined) }
}

function numberOf(line: string): number {
  const number = Number(/^N (\d+)$/.exec(line)?.[1])
  assert.ok(Number.isInteger(number), `no whole line: ${line}`)
  return number
}

/** All of them, once, in their order. */
function assertWhole(heard: readonly number[], from: number, to: number): void {
  assert.deepEqual(
    heard.filter((n) => n >= from && n <= to),
    Array.from({ length: to - from + 1 }, (_, n) => from + n),
  )
}

test('10 000 lines over TCP beside a second listener, the connection cut between: none is lost, doubled or spoilt', async () => {
  const { server, say, sockets, told } = await station(0)
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const endpoint: Address = { kind: 'tcp', host: '127.0.0.1', port: address.port }
  const listeners = [listen(endpoint), listen(endpoint)]
  const connected = async (first: number): Promise<void> => {
    const polls = listeners.map(({ poll }) =>
      eventually(() => poll().then(() => true), { what: 'it is polled' }),
    )
    await eventually(() => sockets.size === 2, { what: 'both listen' })
    let n = first
    const talk = setInterval(() => void say(n, n++), 5)
    await Promise.all(polls)
    clearInterval(talk)
  }
  await connected(100_001)
  await say(1, LINES / 2)
  for (const { heard } of listeners)
    await eventually(() => heard.includes(LINES / 2), { what: 'all have come' })
  for (const socket of sockets) socket.destroy()
  await eventually(() => sockets.size === 0, { what: 'nobody listens' })
  await connected(200_001)
  await say(LINES / 2 + 1, LINES)
  for (const { heard } of listeners) {
    await eventually(() => heard.includes(LINES), { what: 'all have come' })
    assertWhole(heard, 1, LINES)
    assert.equal(new Set(heard).size, heard.length)
  }
  assert.equal(told(), 0)
})

test('10 000 lines over a serial port that is pulled out between; a second opener is refused', async () => {
  const dir = makeTempDir('golem-streams')
  closers.push(() => dir.remove())
  const unix = join(dir.path, 'station.sock')
  const { say, sockets, told } = await station(unix)
  const port = await plugSerialPort({ unix })
  closers.push(() => port.close())
  const endpoint: Address = { kind: 'serial', path: port.path, baudRate: 115_200 }
  const { heard, poll } = listen(endpoint)
  const connected = async (first: number): Promise<void> => {
    await eventually(() => sockets.size === 1, { what: 'it is plugged in' })
    let n = first
    const talk = setInterval(() => void say(n, n++), 5)
    await eventually(() => poll().then(() => true), { what: 'it is polled' })
    clearInterval(talk)
  }
  await connected(100_001)
  await assert.rejects(
    listen(endpoint).poll(),
    (error) => error instanceof GolemError && error.code === 'LINK_DOWN',
  )
  await say(1, LINES / 2)
  await eventually(() => heard.includes(LINES / 2), { what: 'all have come', timeoutMs: 30_000 })
  await port.unplug()
  await eventually(() => sockets.size === 0, { what: 'it is out' })
  await port.replug()
  await connected(200_001)
  await say(LINES / 2 + 1, LINES)
  await eventually(() => heard.includes(LINES), { what: 'all have come', timeoutMs: 30_000 })
  assertWhole(heard, 1, LINES)
  assert.equal(new Set(heard).size, heard.length)
  assert.equal(told(), 0)
})
