import http from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { GolemError, messageOf } from '@golem/core'
import type { Logger } from 'pino'
import {
  type BoardReply,
  type BoardRequest,
  circumstances,
  type Firmware,
  headersOf,
  plain,
  reasonOf,
  renderReply,
} from './board-reply.ts'
import type { DeviceKind, RunningDevice } from './device.ts'
import { acts, type Fault, FaultSlot, padding } from './faults.ts'
import { listenOn127 } from './listen.ts'
import { type RequestEntry, RequestLog } from './request-log.ts'

export interface HttpBoardOptions {
  name: string
  kind: DeviceKind
  /** 0: a free one */
  port: number
  rebootSeconds: number
  /** Added to every answer, ms. */
  replyDelayMs: number
  /** The oldest of more connections than this is dropped. */
  maxSockets: number
  log: Logger
}

const GARBAGE = '}{"ch0":~~ 0x1F,,\u0007 \ufffd\ufffd no such thing'
const RAW_GARBAGE = '\u0001\u0002 ets Jun  8 2016 00:22:57 rst:0x10 \u0003\r\n\r\n'
/** Bodies are read up to this size; more is cut off like a line that went dead. */
const MAX_BODY = 256 * 1024

/** A board on the network: takes one request at a time for its firmware, and misbehaves on demand. */
export class HttpBoard implements RunningDevice {
  readonly name: string
  readonly kind: DeviceKind
  readonly #firmware: Firmware
  readonly #options: HttpBoardOptions
  readonly #log: RequestLog
  readonly #faults = new FaultSlot()
  /** Least recently used first. */
  readonly #sockets = new Set<Socket>()
  /** Those whose client is told events. */
  readonly #streams = new Set<Socket>()
  #server: http.Server | null = null
  #port: number
  #plugged = true
  #rebooting: NodeJS.Timeout | null = null
  #closed = false
  #clientFaults = 0
  /** Grows when the board starts anew: what came before is forgotten. */
  #life = 0
  #turn: Promise<void> = Promise.resolve()
  #settling: Promise<void> = Promise.resolve()

  private constructor(firmware: Firmware, options: HttpBoardOptions) {
    this.name = options.name
    this.kind = options.kind
    this.#firmware = firmware
    this.#options = options
    this.#port = options.port
    this.#log = new RequestLog()
  }

  /** Starts a board. @throws CONFIG_INVALID when its port is taken */
  static async start(firmware: Firmware, options: HttpBoardOptions): Promise<HttpBoard> {
    const board = new HttpBoard(firmware, options)
    await board.#settle()
    return board
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  counters(): Record<string, number> {
    return this.#log.counters()
  }

  requests(): RequestEntry[] {
    return this.#log.entries()
  }

  resetCounters(): void {
    this.#log.reset()
    this.#clientFaults = 0
  }

  async setFault(fault: Fault | null): Promise<void> {
    if (fault?.kind === 'reboot') {
      this.#faults.set(null)
      await this.#reboot(fault.seconds ?? this.#options.rebootSeconds)
      return
    }
    this.#faults.set(fault)
    if (fault && spoilsAll(fault)) for (const socket of this.#streams) socket.destroy()
    await this.#settle()
  }

  fault(): Fault | null {
    return this.#rebooting ? { kind: 'reboot' } : this.#faults.current
  }

  state(): Record<string, unknown> {
    return {
      ...this.#firmware.state(),
      reachable: this.#server !== null,
      plugged: this.#plugged,
      clientFaults: this.#clientFaults,
    }
  }

  async unplug(): Promise<void> {
    this.#plugged = false
    this.#endReboot()
    this.#lose()
    await this.#settle()
  }

  async replug(): Promise<void> {
    if (this.#plugged) return
    this.#plugged = true
    this.#firmware.boot()
    await this.#settle()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endReboot()
    this.#lose()
    await this.#settle()
  }

  /** Power is gone: outputs off, what was being worked on is forgotten. */
  #lose(): void {
    this.#life += 1
    this.#turn = Promise.resolve()
    this.#firmware.powerOff()
  }

  async #reboot(seconds: number): Promise<void> {
    this.#endReboot()
    this.#lose()
    if (!this.#plugged || this.#closed) return
    this.#rebooting = setTimeout(() => {
      this.#rebooting = null
      this.#firmware.boot()
      void this.#settle().catch((error: unknown) => {
        this.#options.log.error({ device: this.name }, `could not come back: ${messageOf(error)}`)
      })
    }, seconds * 1000)
    await this.#settle()
  }

  #endReboot(): void {
    if (this.#rebooting) clearTimeout(this.#rebooting)
    this.#rebooting = null
  }

  /** Opens or closes the port, as it now should be. Steps follow each other. */
  #settle(): Promise<void> {
    const step = this.#settling.then(async () => {
      const wanted =
        this.#plugged && !this.#closed && !this.#rebooting && this.#faults.current?.kind !== 'refuse'
      if (wanted && !this.#server) await this.#listen()
      if (!wanted && this.#server) await this.#shut(this.#server)
    })
    // One that failed is told to its caller; the next one tries again.
    this.#settling = step.catch(() => undefined)
    return step
  }

  async #listen(): Promise<void> {
    const { server, port } = await listenOn127(this.name, this.#port, () => this.#makeServer())
    this.#server = server
    this.#port = port
  }

  async #shut(server: http.Server): Promise<void> {
    this.#server = null
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of [...this.#sockets, ...this.#streams]) socket.destroy()
    await closed
  }

  #makeServer(): http.Server {
    const server = http.createServer((request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        this.#options.log.debug({ device: this.name }, `request broke off: ${messageOf(error)}`)
        response.destroy()
      })
    })
    // The boards leave idle connections open.
    server.keepAliveTimeout = 0
    server.requestTimeout = 0
    server.headersTimeout = 0
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      const [oldest] = this.#sockets
      if (this.#sockets.size > this.#options.maxSockets) oldest?.destroy()
    })
    return server
  }

  async #receive(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const life = this.#life
    this.#sockets.delete(request.socket)
    this.#sockets.add(request.socket)
    const body = await readBody(request)
    const { method = '', url = '/' } = request
    const entry = this.#log.add({ method, path: url, body })
    const [path = '', ...query] = url.split('?')
    const asked: BoardRequest = {
      method,
      path,
      query: new URLSearchParams(query.join('?')),
      body,
      authorization: request.headers.authorization,
    }
    const isStream = method === 'GET' && path === this.#firmware.eventsPath
    const spoilt = this.#faults.current !== null && spoilsAll(this.#faults.current)
    if (isStream && !spoilt && this.#stream(asked, response)) return
    const turn = this.#turn.then(async () => {
      if (life === this.#life) await this.#serve(asked, entry, response, life)
    })
    // A request that failed must not keep the next one from its turn.
    this.#turn = turn.catch(() => undefined)
    await turn
  }

  /** Tells a client events for as long as it listens. @returns false: it is not to be told any */
  #stream(asked: BoardRequest, response: http.ServerResponse): boolean {
    const { socket } = response
    if (!socket || this.#firmware.admits?.(asked.authorization) === false) return false
    response.sendDate = false
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    // It does not count among those of which the oldest is dropped.
    this.#sockets.delete(socket)
    this.#streams.add(socket)
    const send = (text: string): void => {
      // A silent board is silent here too.
      if (this.#faults.current?.kind !== 'silence') response.write(text)
    }
    const end = this.#firmware.stream?.(send, () => this.#how())
    socket.once('close', () => {
      this.#streams.delete(socket)
      end?.()
    })
    return true
  }

  #how(): ReturnType<typeof circumstances> {
    return circumstances(this.#faults.current, true)
  }

  async #serve(
    asked: BoardRequest,
    entry: RequestEntry,
    response: http.ServerResponse,
    life: number,
  ): Promise<void> {
    const fault = this.#faults.take({ method: asked.method, path: asked.path })
    if (fault) entry.fault = fault.kind
    const act = acts(fault)
    const reply = this.#firmware.respond(asked, circumstances(fault, act))
    if (reply === null) {
      response.destroy()
      await this.#reboot(this.#options.rebootSeconds)
      return
    }
    entry.acted = reply.acted ?? false
    if (reply.clientFault) this.#clientFaults += 1
    if (fault?.kind === 'silence') {
      if (reply.rebootAfterMs !== undefined) await this.#rebootAfter(reply.rebootAfterMs, life)
      return
    }
    const lateMs =
      fault?.kind === 'delay' ? (fault.ms ?? 1000) : fault?.kind === 'late' ? (fault.ms ?? 6500) : 0
    const waitMs = (reply.takesMs ?? 0) + this.#options.replyDelayMs + lateMs
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false })
    // It may have lost its power meanwhile.
    if (life !== this.#life) return
    send(response, reply, fault)
    if (reply.rebootAfterMs !== undefined) await this.#rebootAfter(reply.rebootAfterMs, life)
  }

  async #rebootAfter(ms: number, life: number): Promise<void> {
    await sleep(ms, undefined, { ref: false })
    if (life === this.#life) await this.#reboot(this.#options.rebootSeconds)
  }
}

/** Faults of the whole server: events are none of those that still come. */
function spoilsAll({ kind, match, times }: Fault): boolean {
  return !match && times === undefined && ['http500', 'garbage', 'cut', 'hugeReply'].includes(kind)
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > MAX_BODY) throw new GolemError('BODY_TOO_LARGE', `a body of more than ${MAX_BODY} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

/** Sends a reply, spoilt by the fault if there is one. */
function send(response: http.ServerResponse, reply: BoardReply, fault: Fault | null): void {
  const { socket } = response
  // The client has gone; a board answers into the void as well.
  if (!socket) return
  switch (fault?.kind) {
    case 'garbage':
      if (fault.raw) socket.end(RAW_GARBAGE)
      else sendWhole(response, { ...reply, body: GARBAGE })
      return
    case 'cut': {
      const bytes = renderReply(reply)
      const head = bytes.indexOf('\r\n\r\n') + 4
      // Half the body; of an empty one, half the head.
      const end = bytes.length > head ? head + Math.floor((bytes.length - head) / 2) : Math.floor(head / 2)
      socket.end(bytes.subarray(0, end))
      return
    }
    case 'http500':
      sendWhole(response, plain('Server has encountered an unexpected error', { status: 500, close: true }))
      return
    case 'hugeReply':
      sendWhole(response, { ...reply, body: reply.body + padding(fault.bytes ?? 1_200_000) })
      return
    case 'duplicate':
      sendWhole(response, reply, () => socket.write(renderReply(reply)))
      return
    default:
      sendWhole(response, reply)
  }
}

/** Exactly the bytes of renderReply: Node adds no header of its own. */
function sendWhole(response: http.ServerResponse, reply: BoardReply, then?: () => void): void {
  response.sendDate = false
  response.statusCode = reply.status
  response.statusMessage = reasonOf(reply.status)
  response.removeHeader('Connection')
  response.shouldKeepAlive = !reply.close
  for (const [name, value] of headersOf(reply)) response.setHeader(name, value)
  response.end(reply.body, then)
}
