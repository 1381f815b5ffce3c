import { type ErrorCode, GolemError, type LineDriver } from '@golem/core'
import type { Socket } from 'node:net'
import { carryOut } from './carry-out.ts'
import { Client } from './client.ts'
import { exchange, messageFor } from './exchange.ts'
import { MessageFraming } from './message-framing.ts'
import type { PortOptions } from './port.ts'
import { shown } from './scpi.ts'
import type { Rfc2217 } from './rfc2217.ts'

/** Lines nobody asked for are not kept for a client that has so much still to take, in bytes. */
const MAX_UNREAD_LINES = 64 * 1024

/** The instrument was silent, and the client is to see just that; after all other errors its connection ends. */
const SILENCE: ReadonlySet<ErrorCode> = new Set(['REPLY_TIMEOUT'])

/** One client of a port that speaks in lines. */
export class Session {
  readonly #options: PortOptions
  readonly #driver: LineDriver
  readonly #framing: MessageFraming
  readonly #telnet: Rfc2217 | undefined
  readonly #client: Client<Buffer>
  /** Grows when the client throws away what is on its way to it. */
  #purged = 0
  #any = false

  constructor(options: PortOptions, socket: Socket, by: string, telnet: Rfc2217 | undefined) {
    this.#options = options
    this.#driver = options.channel.driver as LineDriver
    this.#telnet = telnet
    this.#framing = new MessageFraming({
      terminator: this.#driver.link.sendTerminator,
      // Where only reading is allowed, a block is no place to hide a command in.
      blocks: (this.#driver.replies ?? 'query') === 'query' && !options.readOnly,
    })
    this.#client = new Client<Buffer>({
      by,
      socket,
      port: options,
      take: (chunk) => this.#take(chunk),
      carryOut: (bytes) => this.#carryOut(bytes),
    })
    telnet?.start()
  }

  /** What is on its way to the client, in bytes. */
  get unread(): number {
    return this.#client.unread
  }

  /** Hands on a line nobody asked for. */
  show(line: Buffer): void {
    if (this.unread <= MAX_UNREAD_LINES) this.#write(line)
  }

  /** Ends the connection. @param why - as a sentence, for the log */
  end(why: string): void {
    this.#client.end(why)
  }

  /** The client wants to see nothing of what it has asked so far. */
  purge(): void {
    this.#purged += 1
  }

  /** The client takes back what has not been sent yet. */
  forgetPending(): void {
    this.#client.forgetPending()
    this.#framing.reset()
  }

  #take(chunk: Buffer): Buffer[] {
    const messages = this.#framing.take(this.#telnet ? this.#telnet.take(chunk) : chunk)
    const [first] = messages
    if (!this.#any && first && /^[A-Z]{3,10} \S+ HTTP\/\d/.test(first.toString('latin1', 0, 4096))) {
      // A page in somebody's browser could reach a port of his own machine by it.
      throw new GolemError('INVALID_REQUEST', 'It speaks HTTP.')
    }
    this.#any ||= first !== undefined
    return messages
  }

  async #carryOut(bytes: Buffer): Promise<void> {
    const { channel, timeoutMs, onLog } = this.#options
    const message = messageFor(this.#driver, bytes)
    // An empty line means nothing in the language of SCPI; for others it may.
    if (bytes.length === 0 && message.answer === 'none') return
    const purged = this.#purged
    const { by } = this.#client
    const ended = await carryOut(this.#options, {
      by,
      text: shown(bytes),
      changes: message.changes,
      isOver: () => this.#client.isOver,
      exchange: (beforeSend) => exchange(channel, message, timeoutMs, beforeSend),
      tell: (answer) => answer,
    })
    if ('answer' in ended) {
      if (ended.answer !== undefined && purged === this.#purged) this.#write(ended.answer)
    } else if (SILENCE.has(ended.error.code)) {
      onLog(`${by}, ${shown(bytes, 60)}: ${ended.error.message}`)
    } else this.end(`${shown(bytes, 60)}: ${ended.error.message}`)
  }

  #write(bytes: Buffer): void {
    this.#client.write(this.#telnet ? this.#telnet.data(bytes) : bytes)
  }
}
