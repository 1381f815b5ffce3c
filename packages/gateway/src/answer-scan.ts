import { GolemError } from '@golem/core'
import { blockAt, HASH, mayStandBefore } from './scpi.ts'

/** The longest answer that is passed on, in bytes. */
export const MAX_ANSWER = 64 * 1024 * 1024

/**
 * Finds the end of an answer that is one line, in which binary blocks of definite length may stand. It goes on where
 * it was: an answer of megabytes comes in thousands of pieces.
 */
export class AnswerScan {
  readonly #terminator: Buffer
  #at = 0
  #elementAt = 0
  #blockEnd = -1
  #received: Uint8Array = new Uint8Array()

  /** @param terminator - what ends a line of the instrument */
  constructor(terminator: string) {
    this.#terminator = Buffer.from(terminator, 'latin1')
  }

  /** What has come, when it is a block and nothing after it: some instruments send no line end there. */
  get wholeBlock(): Buffer | undefined {
    return this.#blockEnd > 0 && this.#received.length === this.#blockEnd
      ? Buffer.from(this.#received)
      : undefined
  }

  /** As `askBytes` wants it. @throws REPLY_MALFORMED for a block that is longer than what is passed on */
  readonly complete = (received: Uint8Array): number | undefined => {
    this.#received = received
    while (this.#at < received.length) {
      const byte = received[this.#at] ?? 0
      if (byte === HASH && this.#at === this.#elementAt) {
        const block = blockAt(received, this.#at)
        if (block === 'more') return undefined
        if (block !== undefined && !this.#skip(block.end)) return undefined
        if (block !== undefined) continue
      }
      this.#at += 1
      if (mayStandBefore(byte)) this.#elementAt = this.#at
      if (byte === this.#terminator.at(-1) && this.#endsHere(received)) return this.#at
    }
    return undefined
  }

  /** Goes on behind a block. @returns false when it has not come whole */
  #skip(end: number): boolean {
    if (end > MAX_ANSWER) {
      throw new GolemError('REPLY_MALFORMED', `It announces a block of ${end} bytes, more than is passed on.`)
    }
    this.#blockEnd = end
    if (this.#received.length < end) return false
    this.#at = end
    return true
  }

  #endsHere(received: Uint8Array): boolean {
    const from = this.#at - this.#terminator.length
    return from >= 0 && this.#terminator.every((byte, n) => received[from + n] === byte)
  }
}
