import { AccessList, plainAddress, type SyslogConfig } from '@golem/config'
import { messageOf } from '@golem/core'
import { isPickle, PICKLE_REFUSED, readSyslog, SyslogFrames } from '@golem/logs'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIP, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import type { LogIntake } from './intake.ts'

/** How often one that stands by, or found no port, tries again, in ms. */
const RETRY_MS = 1_000
/** A message that has come without its end is taken as it is after so long, in ms. */
const REST_AFTER_MS = 1_000
/** A connection that says nothing for so long is closed, in ms. */
const IDLE_MS = 3_600_000
const MAX_CONNECTIONS = 200
/** How often one address is complained of, in ms, and how many are remembered. */
const COMPLAIN_EVERY_MS = 60_000
const MAX_COMPLAINTS = 500
const UDP_BUFFER = 1_048_576

export interface SyslogListenerOptions {
  config: SyslogConfig
  intake: Pick<LogIntake, 'take' | 'tell'>
  log: Logger
}

/**
 * Listens for syslog, UDP and TCP, on one port. Of several web processes on a machine one has the port; the others stand by and
 * take it when it is free.
 */
export class SyslogListener {
  readonly #config: SyslogConfig
  readonly #intake: SyslogListenerOptions['intake']
  readonly #log: Logger
  readonly #allowed: AccessList
  readonly #complaints = new Map<string, number>()
  readonly #connections = new Set<Socket>()
  #open: { udp: UdpSocket; tcp: Server } | undefined
  #retry: NodeJS.Timeout | undefined
  #trouble = ''
  #closed = false

  constructor({ config, intake, log }: SyslogListenerOptions) {
    this.#config = config
    this.#intake = intake
    this.#log = log
    this.#allowed = new AccessList(config.allow)
  }

  /** Whether this process has the port. */
  get isListening(): boolean {
    return this.#open !== undefined
  }

  /** Opens the port, or tries again for as long as it is taken. */
  async start(): Promise<void> {
    const { listen, port } = this.#config
    const udp = createSocket({ type: isIP(listen) === 6 ? 'udp6' : 'udp4' })
    const tcp = createServer({ keepAlive: true }, (socket) => this.#connected(socket))
    tcp.maxConnections = MAX_CONNECTIONS
    try {
      tcp.listen({ host: listen, port })
      await once(tcp, 'listening')
      udp.bind({ address: listen, port, exclusive: true })
      await once(udp, 'listening')
    } catch (error) {
      await closeBoth(udp, tcp)
      this.#standBy(error)
      return
    }
    if (this.#closed) return closeBoth(udp, tcp)
    this.#open = { udp, tcp }
    this.#trouble = ''
    udp.setRecvBufferSize(UDP_BUFFER)
    udp.on('message', (bytes, { address }) => this.#datagram(bytes, plainAddress(address)))
    udp.on('error', (error) => this.#log.warn({ err: error }, 'syslog over UDP'))
    tcp.on('error', (error) => this.#log.warn({ err: error }, 'syslog over TCP'))
    this.#log.info({ listen, port }, 'listening for syslog')
  }

  /** Closes the port; what has come is taken. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    const open = this.#open
    this.#open = undefined
    for (const socket of this.#connections) socket.destroy()
    if (open) await closeBoth(open.udp, open.tcp)
  }

  #standBy(error: unknown): void {
    if (this.#closed) return
    const { code } = error as NodeJS.ErrnoException
    const { listen, port } = this.#config
    const taken = code === 'EADDRINUSE'
    const trouble = taken ? 'another process has the port' : messageOf(error)
    if (trouble !== this.#trouble) {
      this.#log[taken ? 'info' : 'error'](
        { listen, port },
        `not listening for syslog: ${trouble}; trying again`,
      )
    }
    this.#trouble = trouble
    this.#retry = setTimeout(() => void this.start(), RETRY_MS).unref()
  }

  #datagram(bytes: Buffer, address: string): void {
    if (this.#isWelcome(address, bytes)) this.#take(bytes, address)
  }

  #connected(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    const frames = new SyslogFrames()
    let first = true
    let resting: NodeJS.Timeout | undefined
    const rest = (): void => {
      for (const frame of frames.rest()) this.#take(frame, address)
    }
    this.#connections.add(socket)
    socket.setTimeout(IDLE_MS, () => socket.destroy())
    socket.on('error', (error) => this.#log.debug(`syslog from ${address}: ${error.message}`))
    socket.on('data', (bytes: Buffer) => {
      if (first && !this.#isWelcome(address, bytes)) {
        socket.destroy()
        return
      }
      first = false
      for (const frame of frames.push(bytes)) this.#take(frame, address)
      clearTimeout(resting)
      resting = setTimeout(rest, REST_AFTER_MS)
    })
    socket.on('close', () => {
      clearTimeout(resting)
      this.#connections.delete(socket)
      rest()
    })
  }

  /** Whether what an address sends is read; if not, it is told now and then. */
  #isWelcome(address: string, bytes: Buffer): boolean {
    if (!this.#allowed.allows(address)) {
      this.#complain(
        address,
        'sends syslog, and is none of the addresses that may ("syslog: { allow: ... }" in site.yaml)',
      )
      return false
    }
    if (!isPickle(bytes)) return true
    this.#complain(address, PICKLE_REFUSED)
    return false
  }

  #complain(address: string, what: string): void {
    const now = performance.now()
    const last = this.#complaints.get(address) ?? -Infinity
    if (now - last < COMPLAIN_EVERY_MS) return
    if (this.#complaints.size >= MAX_COMPLAINTS) {
      const allRecent = [...this.#complaints.values()].every((at) => now - at < COMPLAIN_EVERY_MS)
      if (allRecent) return
      this.#complaints.clear()
    }
    this.#complaints.set(address, now)
    this.#intake.tell(`${address} ${what}.`)
  }

  #take(bytes: Buffer, address: string): void {
    const record = readSyslog(bytes)
    if (record) this.#intake.take([record], { by: `syslog ${address}`, named: false, address })
  }
}

async function closeBoth(udp: UdpSocket, tcp: Server): Promise<void> {
  await Promise.all([
    new Promise<void>((resolve) => udp.close(() => resolve())),
    // A server that does not listen is closed already, and says so with an error.
    new Promise<void>((resolve) => void tcp.close(() => resolve())),
  ])
}
