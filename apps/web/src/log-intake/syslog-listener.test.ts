import type { LogRecord } from '@golem/logs'
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { SyslogListener } from './syslog-listener.ts'

const log = pino({ level: 'silent' })

interface Heard {
  listener: SyslogListener
  port: number
  records: (LogRecord & { by: string })[]
  told: string[]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function listening(t: TestContext, port?: number, allow = ['127.0.0.0/8']): Promise<Heard> {
  const heard = { port: port ?? (await freePort()), records: [] as Heard['records'], told: [] as string[] }
  const listener = new SyslogListener({
    config: { listen: '127.0.0.1', port: heard.port, allow },
    intake: {
      take: (records, { by }) => void heard.records.push(...records.map((record) => ({ ...record, by }))),
      tell: (message) => void heard.told.push(message),
    },
    log,
  })
  await listener.start()
  t.after(() => listener.close())
  return { ...heard, listener }
}

async function until(what: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!what()) {
    assert.ok(performance.now() < end, `not within 20 s: ${what.toString()}`)
    await sleep(10)
  }
}

async function datagram(port: number, bytes: string | Buffer): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.send(bytes, port, '127.0.0.1', () => resolve()))
  socket.close()
}

test('datagrams and streams on one port become records of the address they come from', async (t) => {
  const { port, records } = await listening(t)
  await datagram(port, '<11>1 - pi-1 pump 81 - - too hot')
  await until(() => records.length === 1)
  const socket = connect(port, '127.0.0.1')
  socket.write('<134>one\0<134>two\0<11>without end')
  await until(() => records.length === 4)
  socket.destroy()
  assert.deepEqual(
    records.map(({ level, message, by }) => [level, message, by]),
    [
      ['error', 'too hot', 'syslog 127.0.0.1'],
      ['info', 'one', 'syslog 127.0.0.1'],
      ['info', 'two', 'syslog 127.0.0.1'],
      ['error', 'without end', 'syslog 127.0.0.1'],
    ],
  )
})

test('pickles are refused with what to do instead, once; garbage is no reason to stop', async (t) => {
  const { port, records, told } = await listening(t)
  const pickle = Buffer.concat([Buffer.from([0, 0, 0, 20]), Buffer.from('}q\0(X\x04\0\0\0name', 'latin1')])
  await datagram(port, pickle)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(pickle)
  await once(socket, 'close')
  await datagram(port, Buffer.from([0xff, 0xfe, 0, 0x0a, 0x3c]))
  await datagram(port, '<14>still here')
  await until(() => records.some(({ message }) => message === 'still here'))
  assert.equal(told.length, 1)
  assert.match(
    told[0] ?? '',
    /^127\.0\.0\.1 sends pickled records .* Use Python's HTTPHandler, or SysLogHandler/,
  )
})

test('addresses that may not write are told of, and not read', async (t) => {
  const { port, records, told } = await listening(t, undefined, ['10.0.0.0/24'])
  await datagram(port, '<14>let me in')
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('<14>let me in\n')
  await once(socket, 'close')
  await until(() => told.length > 0)
  assert.match(told.join(), /^127\.0\.0\.1 sends syslog, and is none of the addresses that may/)
  assert.deepEqual(records, [])
})

test('of two on a machine one stands by, and takes the port when the first ends', async (t) => {
  const first = await listening(t)
  const second = await listening(t, first.port)
  assert.deepEqual([first.listener.isListening, second.listener.isListening], [true, false])
  await first.listener.close()
  await until(() => second.listener.isListening)
  await datagram(first.port, '<14>to the second')
  await until(() => second.records.length === 1)
})
