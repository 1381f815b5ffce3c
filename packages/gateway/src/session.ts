import { asGolemError, DEFAULT_VALID_FOR_MS, type ErrorCode, GolemError, type LineDriver } from '@golem/core'
import type { Socket } from 'node:net'
import { exchange, type Message, messageFor } from './exchange.ts'
import { MessageFraming } from './message-framing.ts'
import type { ForeignExchange, PortOptions } from './port.ts'
import { shown } from './scpi.ts'
import type { Rfc2217 } from './rfc2217.ts'

/** So much may wait of what a client has sent, in messages; then it is not read any further. */
const MAX_PENDING = 64
/** A client that takes nothing for so long, although something is there for it, is let go, in ms. */
const STALLED_AFTER_MS = 60_000
/** Lines nobody asked for are not kept for a client that has so much still to take, in bytes. */
const MAX_UNREAD_LINES = 64 * 1024

/** The instrument was silent, and the client is to see just that; after all other errors its connection ends. */
const SILENCE: ReadonlySet<ErrorCode> = new Set(['REPLY_TIMEOUT'])

/**
 * Not identified: what came may have been the late answer to somebody else's question, for which this client is not to
 * suffer. Its own message has not been sent.
 */
const ONCE_MORE: ReadonlySet<ErrorCode> = new Set(['WRONG_INSTRUMENT', 'LINK_DOWN'])

/** One client of a port. */
export class Session {
  /** `gateway 10.0.0.7:51234` */
  readonly by: string
  readonly #options: PortOptions
  readonly #driver: LineDriver
  readonly #socket: Socket
  readonly #framing: MessageFraming
  readonly #telnet: Rfc2217 | undefined
  readonly #pending: Buffer[] = []
  #working = false
  #over = false
  /** It has said all it will say; what it has sent is still carried out, until then by the monotonic clock. */
  #until = Infinity
  /** Grows when the client throws away what is on its way to it. */
  #purged = 0
  #any = false

  constructor(options: PortOptions, socket: Socket, place: string, telnet: Rfc2217 | undefined) {
    this.by = `gateway ${place}`
    this.#options = options
    this.#driver = options.channel.driver as LineDriver
    this.#socket = socket
    this.#telnet = telnet
    this.#framing = new MessageFraming({
      terminator: this.#driver.link.sendTerminator,
      // Where only reading is allowed, a block is no place to hide a command in.
      blocks: (this.#driver.replies ?? 'query') === 'query' && !options.readOnly,
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => {
      this.#until = performance.now() + DEFAULT_VALID_FOR_MS
      void this.#work()
    })
    socket.on('close', () => {
      this.#over = true
      this.#pending.length = 0
    })
    telnet?.start()
  }

  /** What is on its way to the client, in bytes. */
  get unread(): number {
    return this.#socket.writableLength
  }

  /** Hands on a line nobody asked for. */
  show(line: Buffer): void {
    if (this.#over || this.unread > MAX_UNREAD_LINES) return
    this.#write(line)
  }

  /** Ends the connection. @param why - as a sentence, for the log */
  end(why: string): void {
    if (this.#over) return
    this.#over = true
    this.#pending.length = 0
    this.#options.onLog(`${this.by} was disconnected: ${why}`)
    this.#socket.destroy()
  }

  /** The client wants to see nothing of what it has asked so far. */
  purge(): void {
    this.#purged += 1
  }

  /** The client takes back what has not been sent yet. */
  forgetPending(): void {
    this.#pending.length = 0
    this.#framing.reset()
  }

  #take(chunk: Buffer): void {
    if (this.#over) return
    try {
      for (const message of this.#framing.take(this.#telnet ? this.#telnet.take(chunk) : chunk)) {
        if (!this.#any && /^[A-Z]{3,10} \S+ HTTP\/\d/.test(message.toString('latin1', 0, 4096))) {
          // A page in somebody's browser could reach a port of his own machine by it.
          throw new GolemError('INVALID_REQUEST', 'It speaks HTTP.')
        }
        this.#any = true
        this.#pending.push(message)
      }
    } catch (error) {
      return this.end(asGolemError(error).message)
    }
    if (this.#pending.length > MAX_PENDING) this.#socket.pause()
    void this.#work()
  }

  /** Carries out what waits, one after the other; does not throw. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    for (let bytes = this.#next(); bytes; bytes = this.#next()) {
      const message = messageFor(this.#driver, bytes)
      // An empty line means nothing in the language of SCPI; for others it may.
      if (bytes.length === 0 && message.answer === 'none') continue
      await this.#carryOut(message)
      await this.#taken()
    }
    this.#working = false
    if (this.#until < Infinity && !this.#over) this.#socket.end()
  }

  #next(): Buffer | undefined {
    if (this.#over) return undefined
    if (performance.now() > this.#until) this.#pending.length = 0
    const next = this.#pending.shift()
    if (this.#pending.length < MAX_PENDING / 2) this.#socket.resume()
    return next
  }

  async #carryOut(message: Message): Promise<void> {
    const { options, by } = { options: this.#options, by: this.by }
    const purged = this.#purged
    const startedAt = Date.now()
    const latest = performance.now() + DEFAULT_VALID_FOR_MS
    let sent = false
    const mayGo = (): void => {
      if (options.readOnly && message.changes) {
        throw new GolemError('NOT_ALLOWED', 'This port is for reading only; nothing was sent.')
      }
      options.mayCommand?.(by)
      if (performance.now() > latest) {
        throw new GolemError('COMMAND_EXPIRED', 'It waited too long for its turn; nothing was sent.')
      }
    }
    const tell = (rest: Pick<ForeignExchange, 'error' | 'answer'>): void =>
      options.onExchange?.({
        by,
        changes: message.changes,
        text: shown(message.bytes),
        sent,
        startedAt,
        ...rest,
      })
    try {
      mayGo()
      const answer = await options.turnstile.pass(() => {
        // Whoever has been cut off does not wait for an answer, and may believe that nothing was sent.
        if (this.#over) throw new GolemError('COMMAND_CANCELLED', 'The client has gone; nothing was sent.')
        const once = (): Promise<Buffer | undefined> =>
          exchange(options.channel, message, options.timeoutMs, () => {
            mayGo()
            sent = true
          })
        return once().catch((error: unknown) => {
          if (sent || !ONCE_MORE.has(asGolemError(error).code)) throw error
          return once()
        })
      })
      tell(answer === undefined ? {} : { answer })
      if (answer !== undefined && purged === this.#purged) this.#write(answer)
    } catch (error) {
      const known = asGolemError(error)
      tell({ error: known })
      if (!SILENCE.has(known.code)) this.end(`${shown(message.bytes, 60)}: ${known.message}`)
      else options.onLog(`${by}, ${shown(message.bytes, 60)}: ${known.message}`)
    }
  }

  #write(bytes: Buffer): void {
    if (this.#over) return
    this.#socket.write(this.#telnet ? this.#telnet.data(bytes) : bytes)
    this.#options.onWritten?.()
  }

  /** Settles when the client has taken what was written: the next message is not looked at before. */
  #taken(): Promise<void> {
    const socket = this.#socket
    if (this.#over || !socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      let left = socket.writableLength
      const timer = setInterval(() => {
        if (socket.writableLength >= left) this.end('it takes nothing of what it asked for.')
        left = socket.writableLength
      }, this.#options.stalledAfterMs ?? STALLED_AFTER_MS)
      const done = (): void => {
        clearInterval(timer)
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }
}
