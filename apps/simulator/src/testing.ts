import fs from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import tty from 'node:tty'

/** Time that goes only when it is told to, ms. */
export function manualClock(): { now(): number; pass(seconds: number): void } {
  let now = 0
  return { now: () => now, pass: (seconds) => void (now += seconds * 1000) }
}

/** Waits until something is so. Slow machines get their time; what never happens fails. */
export async function until(what: string, so: () => boolean, withinMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!so()) {
    if (performance.now() > giveUpAt) throw new Error(`did not happen within ${withinMs} ms: ${what}`)
    await sleep(5)
  }
}

/** A connection to a board, byte by byte. */
export interface RawConnection {
  readonly send: (text: string) => void
  readonly received: () => string
  readonly closed: () => boolean
  readonly end: () => void
}

/** Connects to a board. @throws what connecting throws, e.g. ECONNREFUSED */
export async function connect(address: string): Promise<RawConnection> {
  const { hostname, port } = new URL(address)
  const socket = net.connect({ host: hostname, port: Number(port) })
  let text = ''
  let over = false
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
  socket.on('close', () => (over = true))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
  })
  // From here on a broken connection shows as closed.
  socket.on('error', () => socket.destroy())
  return {
    send: (bytes) => socket.write(bytes),
    received: () => text,
    closed: () => over,
    end: () => socket.destroy(),
  }
}

/** One request as bytes. */
export function requestText(method: string, path: string, body = ''): string {
  const length = body === '' && method === 'GET' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${path} HTTP/1.1\r\nHost: board\r\n${length}\r\n${body}`
}

/** The near end of a serial line. */
export interface SerialEnd {
  send(text: string): void
  /** Whole lines received so far, without CR LF. */
  lines(): string[]
  text(): string
  hungUp(): boolean
  close(): void
}

/** Opens a simulated serial port by its address. */
export function openSerial(address: string): SerialEnd {
  const path = decodeURIComponent(new URL(address).pathname)
  const flags = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK
  const fd = fs.openSync(path, flags)
  const stream = new tty.ReadStream(fd)
  let text = ''
  let over = false
  stream.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  stream.on('error', () => (over = true))
  stream.on('close', () => (over = true))
  return {
    send: (bytes) => fs.writeSync(fd, bytes),
    lines: () => text.split('\r\n').slice(0, -1),
    text: () => text,
    hungUp: () => over,
    close: () => stream.destroy(),
  }
}
