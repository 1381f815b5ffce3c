import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Address, GolemError, type LineDriver, type LineIo } from '@golem/core'
import { type Channel, type Link, openLink } from '@golem/transports'
import { eventually } from '../kit/eventually.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { makeTempDir } from '../kit/temp.ts'

/** As many as the proof of a transport wants. */
const EXCHANGES = 10_000

const closers: (() => unknown)[] = []
after(async () => {
  for (const close of closers.toReversed()) await close()
})

interface Device {
  /** How often each question came. */
  asked: Map<string, number>
  sockets: Set<Socket>
  server: Server
}

/** A device that answers each question with its number, in whatever pieces, and talks besides. */
async function device(at: number | string): Promise<Device> {
  const asked = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    let piece = ''
    socket.on('data', (bytes) => {
      const lines = (piece + bytes.toString('latin1')).split('\n')
      piece = lines.pop() ?? ''
      for (const line of lines) {
        asked.set(line, (asked.get(line) ?? 0) + 1)
        const number = Number(line.slice(1))
        // By itself now and then, before or behind the answer.
        const push = number % 7 === 0 ? `U ${number}\r\n` : ''
        const answer = `a${line.slice(1)}\r\n`
        const text = number % 2 === 0 ? push + answer : answer + push
        const cut = number % text.length
        socket.write(text.slice(0, cut))
        socket.write(text.slice(cut))
      }
    })
  })
  server.listen(typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' })
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { asked, sockets, server }
}

const driver: LineDriver = {
  transport: 'line',
  link: {
    sendTerminator: '\n',
    receiveTerminator: '\r\n',
    replyTimeoutMs: 2000,
    quietMs: 20,
    baudRate: 115_200,
  },
  parameters: {},
  actions: {},
  identify: async () => undefined,
  readAll: async () => ({}),
  unsolicited: (line) => (line.startsWith('U ') ? { push: Number(line.slice(2)) } : undefined),
}

interface Opened {
  link: Link
  channel: Channel
  pushed: number[]
}

function open(endpoint: Address): Opened {
  const pushed: number[] = []
  const link = openLink({ endpoint, guard: () => undefined })
  closers.push(() => link.close())
  const onReadings = (found: Readonly<Record<string, unknown>>): void =>
    void pushed.push(Number(found['push']))
  return { link, channel: link.attach({ driver, endpoint, onReadings }), pushed }
}

/** Some ask for a line, some for bytes. A push behind one answer is not the next one. */
function ask(channel: Channel, letter: string, number: number): Promise<string> {
  const question = `${letter}${number}`
  const accept = (line: string): boolean => line.startsWith('a')
  if (number % 5 !== 0) return channel.run('command', (io: LineIo) => io.ask(question, { accept }))
  return channel.run('command', async (io: LineIo) => {
    const answer = await io.askBytes(Buffer.from(`${question}\n`), {
      complete: (received) => {
        const end = /(^|\n)a\d+\r\n/.exec(Buffer.from(received).toString('latin1'))
        return end ? end.index + end[0].length : undefined
      },
    })
    return /a\d+/.exec(Buffer.from(answer).toString('latin1'))?.[0] ?? ''
  })
}

/** Asks them all, many waiting at a time. @returns the numbers that failed, with their errors */
async function askAll(
  channel: Channel,
  letter: string,
  onEach: (number: number) => unknown,
): Promise<Map<number, GolemError>> {
  const failed = new Map<number, GolemError>()
  let next = 1
  const asker = async (): Promise<void> => {
    while (next <= EXCHANGES) {
      const number = next
      next += 1
      try {
        assert.equal(await ask(channel, letter, number), `a${number}`)
      } catch (error) {
        if (!(error instanceof GolemError)) throw error
        failed.set(number, error)
      }
      await onEach(number)
    }
  }
  await Promise.all(Array.from({ length: 8 }, asker))
  return failed
}

/** Nothing twice; what failed and says that nothing was sent was not sent, all else was, once. */
function checkAsked(asked: Map<string, number>, letter: string, failed: Map<number, GolemError>): void {
  for (let number = 1; number <= EXCHANGES; number += 1) {
    const times = asked.get(`${letter}${number}`) ?? 0
    const error = failed.get(number)
    if (!error) assert.equal(times, 1, `question ${number}`)
    else if (error.effect === 'none') assert.equal(times, 0, `question ${number}: ${error.message}`)
    else assert.ok(times <= 1, `question ${number} came ${times} times`)
  }
}

test("10 000 exchanges over TCP beside a second client: each answer is its question's, nothing lost or twice", async () => {
  const { asked, server } = await device(0)
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const endpoint: Address = { kind: 'tcp', host: '127.0.0.1', port: address.port }
  const first = open(endpoint)
  const second = open(endpoint)
  const [one, two] = await Promise.all([
    askAll(first.channel, 'q', () => undefined),
    askAll(second.channel, 'r', () => undefined),
  ])
  assert.deepEqual([one.size, two.size], [0, 0])
  checkAsked(asked, 'q', one)
  checkAsked(asked, 'r', two)
  // What it says by itself: those that came as the beginning of an answer in bytes are in there.
  const expected = Array.from({ length: EXCHANGES }, (_, n) => n + 1).filter(
    (n) => n % 7 === 0 && n % 10 !== 0,
  )
  const heard = new Set(first.pushed)
  assert.deepEqual(
    expected.filter((n) => !heard.has(n)),
    [],
  )
})

test('10 000 exchanges over TCP, cut in the middle: what failed is known, nothing is sent twice', async () => {
  const { asked, server, sockets } = await device(0)
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  const { channel } = open({ kind: 'tcp', host: '127.0.0.1', port: address.port })
  const failed = await askAll(channel, 'q', (number) => {
    if (number % 1000 === 0) for (const socket of sockets) socket.destroy()
  })
  checkAsked(asked, 'q', failed)
  assert.ok(failed.size <= 10, `${failed.size} failed: ${[...failed.values()].join('\n')}`)
})

test('10 000 exchanges over a serial port, pulled out and plugged in again, a second opener refused', async () => {
  const dir = makeTempDir('golem-lines')
  closers.push(() => dir.remove())
  const unix = join(dir.path, 'device.sock')
  const { asked } = await device(unix)
  const port = await plugSerialPort({ unix })
  closers.push(() => port.close())
  const endpoint: Address = { kind: 'serial', path: port.path, baudRate: 115_200 }
  const { channel } = open(endpoint)
  const thief = open(endpoint)
  const refused: string[] = []
  let replugged = false
  const failed = await askAll(channel, 'q', async (number) => {
    if (number % 2500 === 0) {
      await assert.rejects(ask(thief.channel, 'x', number), (error) => {
        assert.ok(error instanceof GolemError)
        refused.push(error.code)
        return true
      })
    }
    if (number !== 4000) return
    await port.unplug()
    await assert.rejects(
      ask(channel, 'x', 0),
      (error) => error instanceof GolemError && error.effect === 'none',
    )
    await port.replug()
    replugged = true
    await eventually(() => ask(channel, 'x', 1), { what: 'it answers again' })
  })
  assert.ok(replugged)
  checkAsked(asked, 'q', failed)
  assert.ok(failed.size > 0 && failed.size < EXCHANGES / 2, `${failed.size} failed`)
  for (const [number, { code }] of failed) {
    assert.ok(['LINK_LOST', 'LINK_DOWN'].includes(code), `question ${number}: ${code}`)
  }
  assert.ok(refused.length >= 3)
  assert.ok(
    refused.every((code) => code === 'LINK_DOWN'),
    refused.join(' '),
  )
})
