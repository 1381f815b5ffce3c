import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/** A bench supply that speaks SCPI over TCP, for tests: slow, silent and talkative on request. */
export interface Supply {
  readonly port: number
  /** Every message it has taken, in order. */
  readonly heard: string[]
  /** What it was set to. */
  readonly state: { volt: number; output: boolean; blockBytes: number }
  /** Serves the same instrument on a unix socket too, e.g. behind a pretended serial port. */
  alsoAt(path: string): Promise<void>
  close(): Promise<void>
}

/**
 * Starts it. Beside `*IDN?`, `VOLT`, `VOLT?`, `OUTP` and `OUTP?` it takes
 *
 * - `ECHO? n`: answers n, so that each answer carries its question's number
 * - `SLOW? ms,n`: answers n after so long
 * - `MUTE?`: no answer
 * - `WAVE? n`: a definite-length block of n bytes, in which every value occurs, and a line end
 * - `BARE? n`: the same without a line end
 * - `LOAD #...`: takes a block and counts its bytes
 * - `TWO?;TWO?`: answers in two lines, 20 ms apart, as some instruments do
 */
export async function startSupply(): Promise<Supply> {
  const heard: string[] = []
  const state = { volt: 0, output: false, blockBytes: 0 }
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  const serve = (): Server => {
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      let held = Buffer.alloc(0)
      let last: Promise<void> = Promise.resolve()
      socket.on('data', (chunk) => {
        held = Buffer.concat([held, chunk])
        for (let length = messageLength(held); length !== undefined; length = messageLength(held)) {
          const message = held.subarray(0, length)
          held = held.subarray(length)
          // One after the other, as an instrument does.
          last = last.then(() => act(message, socket))
        }
      })
    })
    servers.push(server)
    return server
  }
  const act = async (message: Buffer, socket: Socket): Promise<void> => {
    const text = message.toString('latin1').trim()
    heard.push(text.slice(0, 100))
    const answer = (bytes: Uint8Array | string): void => void socket.write(bytes)
    const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? []
    const numbers = rest.split(',').map(Number)
    switch (name.toUpperCase()) {
      case '*IDN?':
        return answer('GOLEM,SUPPLY,1,1.0\n')
      case 'VOLT':
        state.volt = numbers[0] ?? NaN
        return
      case 'VOLT?':
        return answer(`${state.volt}\n`)
      case 'OUTP':
        state.output = rest === '1'
        return
      case 'OUTP?':
        return answer(state.output ? '1\n' : '0\n')
      case 'ECHO?':
        return answer(`${rest}\n`)
      case 'SLOW?':
        await new Promise((resolve) => setTimeout(resolve, numbers[0]))
        return answer(`${numbers[1]}\n`)
      case 'WAVE?':
        return answer(Buffer.concat([block(numbers[0] ?? 0), Buffer.from('\n')]))
      case 'BARE?':
        return answer(block(numbers[0] ?? 0))
      case 'LOAD':
        state.blockBytes = message.length - (message.indexOf('#') + 2 + Number(rest[1])) - 1
        return
      case 'TWO?;TWO?':
        answer('1\n')
        await new Promise((resolve) => setTimeout(resolve, 20))
        return answer('2\n')
    }
  }
  const tcp = serve().listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const address = tcp.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    heard,
    state,
    async alsoAt(path) {
      await once(serve().listen(path), 'listening')
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

/** A definite-length block of so many bytes. */
export function block(length: number): Buffer {
  const digits = String(length)
  return Buffer.concat([
    Buffer.from(`#${digits.length}${digits}`),
    Buffer.from(Array.from({ length }, (_, n) => n % 256)),
  ])
}

function messageLength(held: Buffer): number | undefined {
  const head = /^LOAD #(\d)/.exec(held.toString('latin1', 0, 7))
  const digits = Number(head?.[1] ?? 0)
  const from = head ? 7 + digits + Number(held.toString('latin1', 7, 7 + digits)) : 0
  const end = held.indexOf(0x0a, from)
  return end < 0 ? undefined : end + 1
}
