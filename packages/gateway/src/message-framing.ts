import { GolemError } from '@golem/core'
import { blockAt, HASH, mayStandBefore } from './scpi.ts'

/** The longest message of a client, binary blocks not counted, in bytes. */
export const MAX_MESSAGE = 64 * 1024
/** The most data of binary blocks in one message, in bytes: a waveform for a generator. */
export const MAX_BLOCKS = 16 * 1024 * 1024
/** `#9` and nine digits. */
const LONGEST_HEAD = 11

const LF = 0x0a
const CR = 0x0d

export interface MessageFramingOptions {
  /** What ends a message for the instrument; a line feed ends it too. Empty: what comes at once is one message. */
  terminator: string
  /** Definite-length blocks are counted: a line feed in one does not end the message. */
  blocks: boolean
}

/** Cuts what a client sends into messages, without their terminators. */
export class MessageFraming {
  readonly #options: MessageFramingOptions
  readonly #ends: Buffer
  /** Of the message that is coming. */
  #parts: Buffer[] = []
  #textBytes = 0
  #blockBytes = 0
  /** What has not been looked at yet: the beginning of a block's head at most. */
  #rest: Buffer = Buffer.alloc(0)
  #before: number | undefined
  #quote = 0
  #blockLeft = 0
  #afterCr = false

  constructor(options: MessageFramingOptions) {
    this.#options = options
    this.#ends = Buffer.from(options.terminator, 'latin1')
  }

  /** What has come of a message that has not ended. */
  get pending(): number {
    return this.#textBytes + this.#blockBytes + this.#rest.length
  }

  /**
   * Takes bytes.
   *
   * @returns the messages that are whole now
   * @throws INVALID_REQUEST when one is too long; nothing can be made of what follows
   */
  take(chunk: Buffer): Buffer[] {
    if (this.#ends.length === 0) return chunk.length > 0 ? [Buffer.from(chunk)] : []
    const messages: Buffer[] = []
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    this.#rest = Buffer.alloc(0)
    let from = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#blockLeft > 0) {
        const some = Math.min(this.#blockLeft, bytes.length - at)
        this.#blockLeft -= some
        this.#keep(bytes.subarray(from, at), bytes.subarray(at, at + some))
        at += some
        from = at
        continue
      }
      const byte = bytes[at] ?? 0
      if (this.#options.blocks && byte === HASH && this.#quote === 0 && mayStandBefore(this.#before)) {
        const block = blockAt(bytes, at)
        if (block === 'more' && bytes.length - at < LONGEST_HEAD) break
        if (typeof block === 'object') {
          this.#blockLeft = block.end - block.start
          if (this.#blockBytes + this.#blockLeft > MAX_BLOCKS) {
            throw tooLong(`binary data of more than ${MAX_BLOCKS / 1024 / 1024} MiB`)
          }
          at = block.start
          this.#before = 0
          continue
        }
      }
      at += 1
      const swallowed = byte === LF && this.#afterCr && this.#textBytes === 0 && at - from === 1
      this.#afterCr = false
      if (swallowed) {
        from = at
        continue
      }
      if (!this.#isEnd(byte, bytes, from, at)) {
        this.#note(byte)
        continue
      }
      this.#keep(bytes.subarray(from, at))
      messages.push(this.#finish(byte))
      from = at
    }
    this.#keep(bytes.subarray(from, at))
    this.#rest = Buffer.from(bytes.subarray(at))
    return messages
  }

  /** Throws away what has come of a message that has not ended. */
  reset(): void {
    this.#parts = []
    this.#textBytes = 0
    this.#blockBytes = 0
    this.#rest = Buffer.alloc(0)
    this.#before = undefined
    this.#quote = 0
    this.#blockLeft = 0
  }

  #isEnd(byte: number, bytes: Buffer, from: number, at: number): boolean {
    if (byte === LF) return true
    if (byte !== this.#ends.at(-1)) return false
    if (this.#ends.length === 1) return true
    const tail = Buffer.concat([...this.#parts.slice(-this.#ends.length), bytes.subarray(from, at)])
    return tail.length >= this.#ends.length && tail.subarray(-this.#ends.length).equals(this.#ends)
  }

  #note(byte: number): void {
    if (this.#quote !== 0) {
      if (byte === this.#quote) this.#quote = 0
    } else if (byte === 0x22 || byte === 0x27) this.#quote = byte
    this.#before = byte
  }

  #keep(text: Buffer, block: Buffer = Buffer.alloc(0)): void {
    this.#textBytes += text.length
    this.#blockBytes += block.length
    if (this.#textBytes > MAX_MESSAGE) {
      throw tooLong(`more than ${MAX_MESSAGE / 1024} KiB without a line end`)
    }
    // Copies: a piece of a socket's buffer would hold all of it in memory.
    for (const part of [text, block]) if (part.length > 0) this.#parts.push(Buffer.from(part))
  }

  /** The message that has just ended, without what ended it. */
  #finish(last: number): Buffer {
    let message = Buffer.concat(this.#parts)
    this.reset()
    if (last === LF) {
      message = message.subarray(0, -1)
      if (message.at(-1) === CR) message = message.subarray(0, -1)
    } else {
      message = message.subarray(0, -this.#ends.length)
      this.#afterCr = last === CR
    }
    return message
  }
}

function tooLong(what: string): GolemError {
  return new GolemError('INVALID_REQUEST', `A message with ${what} came; nothing of it was sent.`)
}
