import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { GolemError, type HttpDriver, type HttpIo } from '@golem/core'
import { type Channel, openLink } from '@golem/transports'

/** As many as the proof of a transport wants. */
const EXCHANGES = 10_000
/** Every so many requests something goes wrong. */
const FAULT_EVERY = 250
const FAULTS = ['silence', 'late', 'delay', 'cut', 'garbage', 'duplicate', 'drip'] as const

const closers: (() => unknown)[] = []
after(async () => {
  for (const close of closers.toReversed()) await close()
})

/**
 * A board that answers each request with its number, and now and then otherwise.
 *
 * @returns its port, and how often each number was written, by each client
 */
async function board(): Promise<{ port: number; written: Map<string, number> }> {
  const written = new Map<string, number>()
  let count = 0
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (some: string) => (text += some))
    request.on('end', () => {
      const name = `${request.url} ${text}`
      written.set(name, (written.get(name) ?? 0) + 1)
      count += 1
      const answer = `a${text}`
      const fault = count % FAULT_EVERY === 0 ? FAULTS[(count / FAULT_EVERY) % FAULTS.length] : undefined
      switch (fault) {
        case 'silence':
          return
        case 'late':
        case 'delay':
          setTimeout(() => response.end(answer), fault === 'late' ? 300 : 40)
          return
        case 'cut':
          response.writeHead(200, { 'content-length': answer.length + 10 }).write(answer)
          setTimeout(() => response.destroy(), 5)
          return
        case 'garbage':
          response.socket?.end('\u0001~#x\r\n\r\n')
          return
        case 'duplicate': {
          const whole = `HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`
          response.socket?.end(whole + whole)
          return
        }
        case 'drip':
          response.writeHead(200, { 'content-length': answer.length })
          for (const [n, char] of answer.split('').entries()) setTimeout(() => response.write(char), n * 3)
          return
        default:
          response.end(answer)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { port: address.port, written }
}

function open(port: number): Channel {
  const driver: HttpDriver = {
    transport: 'http',
    link: { connectTimeoutMs: 1000, replyTimeoutMs: 150 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
  }
  const endpoint = { kind: 'http', host: '127.0.0.1', port, path: '' } as const
  const link = openLink({ endpoint, guard: () => undefined })
  closers.push(() => link.close())
  return link.attach({ driver, endpoint })
}

/** Writes half of all numbers, many waiting at a time. @returns those that failed, with their errors */
async function writeAll(channel: Channel, who: string): Promise<Map<number, GolemError>> {
  const failed = new Map<number, GolemError>()
  let last = 0
  const writer = async (): Promise<void> => {
    while (last < EXCHANGES / 2) {
      const number = (last += 1)
      try {
        const { text } = await channel.run('command', (io: HttpIo) => io.post(`/${who}`, String(number)))
        assert.equal(text, `a${number}`)
      } catch (error) {
        if (!(error instanceof GolemError)) throw error
        failed.set(number, error)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, writer))
  return failed
}

test('10 000 exchanges by two masters, faults between: each answer is its question’s, nothing is lost or sent twice', async () => {
  const { port, written } = await board()
  const masters = ['one', 'two']
  const failures = await Promise.all(masters.map((who) => writeAll(open(port), who)))
  for (const [index, who] of masters.entries()) {
    for (let number = 1; number <= EXCHANGES / 2; number += 1) {
      const error = failures[index]?.get(number)
      // What failed had been sent, once, and says so.
      assert.equal(written.get(`/${who} ${number}`), 1, `${who} ${number}: ${error?.message}`)
      if (error) assert.notEqual(error.effect, 'none', error.message)
    }
  }
  // Of seven faults four leave no answer; the slower ones may, too, on a busy machine.
  const spoilt = EXCHANGES / FAULT_EVERY
  const failed = failures.reduce((sum, { size }) => sum + size, 0)
  assert.ok(failed >= Math.floor(spoilt / 2) && failed <= spoilt, `${failed} of ${spoilt}`)
})
