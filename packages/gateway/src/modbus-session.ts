import type { ErrorCode, GolemError } from '@golem/core'
import type { Socket } from 'node:net'
import { carryOut } from './carry-out.ts'
import { Client } from './client.ts'
import {
  bytesOf,
  errandOf,
  exceptionTo,
  ILLEGAL_FUNCTION,
  type ModbusErrand,
  type ModbusFrame,
  ModbusFrames,
} from './modbus-messages.ts'
import type { PortOptions } from './port.ts'

const BUSY = 6
/** There is no way to the unit: nothing was sent. */
const NO_PATH = 10
/** It did not answer, or not so that anybody could read it. */
const NO_ANSWER = 11

/** Something else than the instrument forbids it: nothing was sent. */
const FORBIDDEN: Partial<Record<ErrorCode, number>> = { NOT_ALLOWED: ILLEGAL_FUNCTION, STOPPED: BUSY }

/**
 * One client of a port that speaks Modbus TCP with one unit, on whatever line that is.
 *
 * What goes wrong is told by exceptions, as Modbus has them: masters repeat what they sent when a connection breaks or
 * nothing comes, and an exception is an answer.
 */
export class ModbusSession {
  readonly #options: PortOptions
  readonly #unit: number
  readonly #client: Client<ModbusFrame>

  /** @param unit - the instrument's own; 0 and 255 mean it too, as with any device on TCP */
  constructor(options: PortOptions, socket: Socket, by: string, unit: number) {
    this.#options = options
    this.#unit = unit
    const frames = new ModbusFrames()
    this.#client = new Client<ModbusFrame>({
      by,
      socket,
      port: options,
      take: (chunk) => frames.take(chunk),
      carryOut: (frame) => this.#carryOut(frame),
    })
  }

  /** What is on its way to the client, in bytes. */
  get unread(): number {
    return this.#client.unread
  }

  /** A unit says nothing by itself. */
  show(): void {
    return undefined
  }

  /** Ends the connection. @param why - as a sentence, for the log */
  end(why: string): void {
    this.#client.end(why)
  }

  async #carryOut(frame: ModbusFrame): Promise<void> {
    const answer = await this.#answer(frame)
    this.#client.write(bytesOf({ ...frame, pdu: answer }))
  }

  async #answer({ unit, pdu }: ModbusFrame): Promise<Buffer> {
    if (![this.#unit, 0, 255].includes(unit)) return exceptionTo(pdu, NO_PATH)
    const errand = errandOf(pdu)
    if (typeof errand === 'number') return exceptionTo(pdu, errand)
    const ended = await carryOut(this.#options, {
      by: this.#client.by,
      text: errand.text,
      changes: errand.changes,
      isOver: () => this.#client.isOver,
      exchange: (beforeSend) => this.#options.channel.run('command', errand.run, { beforeSend }),
      tell: () => Buffer.from(errand.changes ? 'acknowledged' : 'answered'),
    })
    if ('answer' in ended) return ended.answer
    return this.#exception(pdu, errand, ended)
  }

  #exception(
    pdu: Buffer,
    { text }: ModbusErrand,
    { error, sent }: { error: GolemError; sent: boolean },
  ): Buffer {
    const own = error.details?.['exception']
    if (typeof own === 'number') return exceptionTo(pdu, own)
    this.#options.onLog(`${this.#client.by}, ${text}: ${error.message}`)
    return exceptionTo(pdu, FORBIDDEN[error.code] ?? (sent ? NO_ANSWER : NO_PATH))
  }
}
