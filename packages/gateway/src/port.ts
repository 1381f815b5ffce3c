import { type GolemError, type LineDriver, messageOf } from '@golem/core'
import type { Channel } from '@golem/transports'
import { createServer, type Server, type Socket } from 'node:net'
import { AccessList, placeOf, plainAddress } from '@golem/config'
import { ModbusSession } from './modbus-session.ts'
import { type LineSettings, Rfc2217 } from './rfc2217.ts'
import { Session } from './session.ts'
import type { Turnstile } from './turnstile.ts'

/** The most clients of one port at a time. */
export const MAX_CLIENTS = 16
/** The most that is kept for all clients of a port together, in bytes; then the one that has most is let go. */
const MAX_UNREAD = 128 * 1024 * 1024
/** How often a port that can't be opened is tried again, in ms. */
const TRY_AGAIN_MS = 2_000

/** One exchange of a client with the instrument, when it is over. */
export interface ForeignExchange {
  /** `gateway 10.0.0.7:51234` */
  by: string
  /** The client's message, printable and clipped. */
  text: string
  /** It may have changed something: it was not only a question. */
  changes: boolean
  /** A byte of it has gone out. */
  sent: boolean
  /** By this machine's clock, ms since 1970. */
  startedAt: number
  answer?: Buffer
  error?: GolemError
}

export interface PortOptions {
  /** Of a driver with transport `line` or `modbus`. */
  channel: Channel
  /** Modbus: the number of the unit. */
  unit?: number
  /** The address to listen on, e.g. 127.0.0.1. */
  listen: string
  /** 0: a free one, which `opened` tells. */
  port: number
  /** Addresses and networks whose clients may come. */
  allow: readonly string[]
  /** Only messages pass that are nothing but queries; to an instrument that has no such thing nothing is sent. */
  readOnly: boolean
  /** rfc2217: clients speak telnet, and may ask for the settings of the serial line, which are these. */
  telnet?: LineSettings | undefined
  /** The longest silence before and within an answer, in ms; of a Modbus unit its driver's counts. */
  timeoutMs: number
  /** Shared by all ports of a link. */
  turnstile: Turnstile
  /** Called before a client's message goes out. @param changes - it may change something @throws why it must not */
  mayCommand?: (by: string, changes: boolean) => void
  onExchange?: (exchange: ForeignExchange) => void
  /** What happens to clients, in words. */
  onLog: (message: string) => void
  /** The port can't be opened; it is tried again. Told once for each reason. */
  onTrouble: (message: string) => void
  onOpened?: (port: number) => void
  onConnection?: (address: string, admitted: boolean) => void
  /** Instead of 60 s. */
  stalledAfterMs?: number
  onWritten?: () => void
}

/** A TCP port whose clients speak with one instrument as if they had it for themselves. */
export class GatewayPort {
  readonly #options: PortOptions
  readonly #access: AccessList
  readonly #sessions = new Set<Session | ModbusSession>()
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  #trouble = ''
  #closed = false

  /** Opens the port, now or as soon as it can be. */
  constructor(options: PortOptions) {
    this.#options = { ...options, onWritten: () => this.#spareMemory() }
    this.#access = new AccessList(options.allow)
    this.#open()
  }

  /** Shows all clients a line that came by itself. @param line - with its terminator */
  show(line: Buffer): void {
    for (const session of this.#sessions) session.show(line)
  }

  /** Closes the port and disconnects its clients; what runs on the link ends by itself. @param why - as a sentence */
  close(why: string): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#server?.close()
    for (const session of this.#sessions) session.end(why)
  }

  #open(): void {
    const { listen, port, onOpened, onTrouble } = this.#options
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#onClient(socket))
    server.maxConnections = MAX_CLIENTS
    server.on('drop', (data) => {
      const place = placeOf(plainAddress(data?.remoteAddress ?? ''), data?.remotePort ?? 0)
      this.#options.onLog(`gateway ${place} was not admitted: there are ${MAX_CLIENTS} clients already.`)
    })
    server.on('error', (error) => {
      const message = `${placeOf(listen, port)} can't be opened: ${messageOf(error)}. It is tried again.`
      if (message !== this.#trouble) onTrouble(message)
      this.#trouble = message
      server.close()
      if (!this.#closed) this.#timer = setTimeout(() => this.#open(), TRY_AGAIN_MS)
    })
    server.listen(port, listen, () => {
      this.#trouble = ''
      const bound = server.address()
      onOpened?.(typeof bound === 'object' && bound !== null ? bound.port : port)
    })
    this.#server = server
  }

  #onClient(socket: Socket): void {
    // A connection that breaks is over, whatever the reason; 'close' follows.
    socket.on('error', () => socket.destroy())
    const { remoteAddress, remotePort = 0 } = socket
    const address = plainAddress(remoteAddress ?? '')
    const admitted = !this.#closed && this.#access.allows(address)
    this.#options.onConnection?.(address, admitted)
    if (!admitted) {
      socket.destroy()
      return
    }
    const session = this.#sessionFor(socket, `gateway ${placeOf(address, remotePort)}`)
    this.#sessions.add(session)
    socket.on('close', () => this.#sessions.delete(session))
  }

  #sessionFor(socket: Socket, by: string): Session | ModbusSession {
    const { telnet, channel, unit = 1 } = this.#options
    if (channel.driver.transport === 'modbus') return new ModbusSession(this.#options, socket, by, unit)
    const end = telnet && {
      settings: telnet,
      write: (bytes: Buffer): void => void socket.write(bytes),
      onPurge: (what: 'received' | 'waiting' | 'both'): void => {
        if (what !== 'waiting') session.purge()
        if (what !== 'received') session.forgetPending()
      },
    }
    const session = new Session(this.#options, socket, by, end && new Rfc2217(end))
    return session
  }

  #spareMemory(): void {
    const sessions = [...this.#sessions].sort((a, b) => b.unread - a.unread)
    if (sessions.reduce((sum, { unread }) => sum + unread, 0) <= MAX_UNREAD) return
    sessions[0]?.end('too much is waiting for it to be taken.')
  }
}

/**
 * Tells a port of the lines of an instrument that talks by itself, as far as its driver understands them: what it
 * does not may be a late answer to somebody else's question.
 */
export function tapUnsolicited<D extends LineDriver>(driver: D, onLine: (line: Buffer) => void): void {
  const unsolicited = driver.unsolicited?.bind(driver)
  if (!unsolicited) return
  const end = driver.link.receiveFrame ? '' : driver.link.receiveTerminator
  driver.unsolicited = (line) => {
    const readings = unsolicited(line)
    if (readings) onLine(Buffer.from(line + end, 'latin1'))
    return readings
  }
}
