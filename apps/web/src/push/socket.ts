import { type CommandRecord, GolemError, isoTime } from '@golem/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawData, WebSocket } from 'ws'
import { type Identity, checkMayCommand } from '../access.ts'
import { giveStop, outcomeOf, submitCommand } from '../commanding.ts'
import type { WebContext } from '../context.ts'
import { problemOf } from '../problem.ts'
import { MAX_WAIT_S } from '../request-headers.ts'
import type { Outlet, PushHub, Seat, Wish } from './hub.ts'
import {
  CLOSE,
  type ClientMessage,
  type Farewell,
  type MessageId,
  SUBPROTOCOL,
  asMessage,
  checkMessage,
  idOf,
  readMessage,
} from './protocol.ts'

/** How many commands of one client may be under way. */
const MAX_COMMANDS = 64
/** Answers that a client does not take are kept up to this size, in bytes; beyond it is sent away. */
const MAX_BUFFERED = 1_048_576
/** How long after trouble with Redis an outcome is asked for again, in ms. */
const ASK_AGAIN_MS = 1_000

/** One client at a socket: shows it the state, and takes its commands. */
export class SocketClient implements Outlet {
  readonly kind = 'socket'
  readonly #socket: WebSocket
  readonly #context: WebContext
  readonly #identity: Identity
  readonly #seat: Seat
  readonly #commands = new Set<MessageId>()
  #heard = true
  #hasSent = false

  /** @param socket - open; it is this client's from now on */
  constructor(
    socket: WebSocket,
    { context, hub, identity, wish }: { context: WebContext; hub: PushHub; identity: Identity; wish: Wish },
  ) {
    this.#socket = socket
    this.#context = context
    this.#identity = identity
    // What is wrong with a connection ends it: the close that follows says so.
    socket.on('error', () => undefined)
    socket.on('pong', () => {
      this.#heard = true
    })
    socket.on('message', (data, isBinary) => {
      this.#heard = true
      if (isBinary) this.end(CLOSE.binary)
      else void this.#take(data)
    })
    const { site, version } = context
    this.#say({
      type: 'hello',
      protocol: SUBPROTOCOL,
      ...identity,
      site: site.name,
      version,
      heartbeatMs: hub.heartbeatMs,
      at: this.#now(),
    })
    this.#seat = hub.join(this, wish)
    socket.on('close', () => this.#seat.leave())
  }

  form(document: Buffer): Buffer {
    return asMessage(document)
  }

  send(content: Buffer, sent: () => void): void {
    this.#hasSent = true
    // An error means that the connection has ended, which is told by its close.
    this.#socket.send(content, { binary: false }, sent)
  }

  gap(ms: number): void {
    this.#say({ type: 'gap', ms })
  }

  beat(): boolean {
    if (!this.#heard) return false
    this.#heard = false
    this.#socket.ping()
    // Browsers don't show pings to the page.
    if (!this.#hasSent) this.#say({ type: 'heartbeat', at: this.#now() })
    this.#hasSent = false
    return true
  }

  end([code, reason]: Farewell): void {
    this.#socket.close(code, reason)
  }

  cut(): void {
    this.#socket.terminate()
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  #now(): string {
    return isoTime(this.#context.client.view.now())
  }

  /** Sends an answer. Whoever asks on and on without reading the answers is sent away. */
  #say(message: object): void {
    if (!this.#isOpen) return
    if (this.#socket.bufferedAmount > MAX_BUFFERED) {
      this.end(CLOSE.slow)
      this.cut()
      return
    }
    this.#socket.send(JSON.stringify(message))
  }

  async #take(data: RawData): Promise<void> {
    let id: MessageId | undefined
    try {
      const message = readMessage(textOf(data))
      id = idOf(message)
      await this.#answer(checkMessage(message))
    } catch (error) {
      const { document, bug } = problemOf(error)
      if (bug) {
        const { reference } = document
        this.#context.log.error({ err: error, reference }, 'a message at a socket met a bug')
      }
      this.#say({ type: 'error', ...(id === undefined ? {} : { id }), problem: document })
    }
  }

  async #answer(message: ClientMessage): Promise<void> {
    if (message.type === 'ping') {
      this.#say({ ...message, type: 'pong', at: this.#now() })
      return
    }
    checkMayCommand(this.#identity)
    if (message.type === 'stop') {
      const { id, instrument, reason } = message
      const stop = await giveStop(this.#context, { instrument, reason, by: this.#identity.name })
      this.#say({ type: 'stopped', id, stop })
      return
    }
    this.#begin(message.id)
    try {
      await this.#command(message)
    } finally {
      this.#commands.delete(message.id)
    }
  }

  /** @throws INVALID_REQUEST, TOO_MANY_REQUESTS */
  #begin(id: MessageId): void {
    if (this.#commands.has(id)) {
      throw new GolemError('INVALID_REQUEST', 'A command with this id is under way.', { field: '/id' })
    }
    if (this.#commands.size >= MAX_COMMANDS) {
      throw new GolemError('TOO_MANY_REQUESTS', `${MAX_COMMANDS} commands of this connection are under way.`)
    }
    this.#commands.add(id)
  }

  async #command(message: ClientMessage & { type: 'command' }): Promise<void> {
    const { id, instrument, idempotencyKey: key, ...body } = message
    const first = await submitCommand(this.#context, { instrument, body, identity: this.#identity, key })
    this.#say({ type: 'ack', id, record: first })
    const record = await this.#untilEnded(first)
    if (record) this.#say({ type: 'outcome', id, record })
  }

  /** @returns the record with its outcome; null when the client has gone before */
  async #untilEnded(first: CommandRecord): Promise<CommandRecord | null> {
    let record = first
    while (record.state !== 'ended') {
      const askedAt = performance.now()
      record = await outcomeOf(this.#context, record, MAX_WAIT_S)
      if (!this.#isOpen) return null
      if (record.state !== 'ended' && performance.now() - askedAt < ASK_AGAIN_MS) await sleep(ASK_AGAIN_MS)
    }
    return record
  }
}

/** The text of a message; the library gives it as one block of bytes. */
function textOf(data: RawData): string {
  return (data as Buffer).toString()
}
