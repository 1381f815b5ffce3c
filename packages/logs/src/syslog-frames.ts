/** The longest message of a stream, in bytes. */
const MAX_FRAME = 65_536
const LF = 0x0a
const NUL = 0x00
const LESS_THAN = 0x3c

/**
 * Cuts a TCP connection into syslog messages (RFC 6587): by counted octets, or each ended by LF or, as Python's
 * SysLogHandler does it, by NUL. After a LF, what does not begin with a priority goes on with the message before it, so that
 * a traceback stays whole; where a NUL has ended one, only a NUL ends the next ones.
 */
export class SyslogFrames {
  #buffer = Buffer.alloc(0)
  #byNul = false
  /** Throws bytes away until the end of a message that was too long. */
  #skipping = false

  /** @returns the messages that are complete now */
  push(bytes: Uint8Array): Buffer[] {
    this.#buffer = Buffer.concat([this.#buffer, bytes])
    const found: Buffer[] = []
    for (;;) {
      const frame = this.#next()
      if (frame === undefined) return found
      if (frame.length > 0) found.push(frame)
    }
  }

  /** What has come without an end: the connection is over, or nothing more has come for a while. */
  rest(): Buffer[] {
    const rest = this.#skipping ? Buffer.alloc(0) : this.#buffer
    this.#buffer = Buffer.alloc(0)
    // A count whose octets never came is no text.
    return rest.length === 0 ? [] : [rest.subarray(countOf(rest)?.start ?? 0)]
  }

  #next(): Buffer | undefined {
    const buffer = this.#buffer
    if (buffer.length === 0) return undefined
    const count = this.#skipping ? undefined : countOf(buffer)
    if (count !== undefined) {
      const end = count.start + count.length
      if (buffer.length < end) return undefined
      return this.#take(count.start, end, end)
    }
    const end = this.#end()
    if (end !== undefined) {
      if (!this.#skipping) return this.#take(0, end, end + 1)
      this.#skipping = false
      return this.#take(end, end, end + 1)
    }
    if (buffer.length <= MAX_FRAME) return undefined
    const skipped = this.#skipping
    this.#skipping = true
    return this.#take(0, skipped ? 0 : MAX_FRAME, buffer.length)
  }

  #take(start: number, end: number, next: number): Buffer {
    const frame = this.#buffer.subarray(start, end)
    this.#buffer = this.#buffer.subarray(next)
    return frame
  }

  /** Where the terminator of the first message is. */
  #end(): number | undefined {
    const nul = this.#buffer.indexOf(NUL)
    if (nul >= 0) this.#byNul = true
    if (this.#byNul) return nul < 0 ? undefined : nul
    const wholeLines = !this.#skipping && this.#buffer[0] === LESS_THAN
    let at = this.#buffer.indexOf(LF)
    while (at >= 0) {
      const after = this.#buffer.subarray(at + 1)
      if (!wholeLines || after.length === 0 || after[0] === LESS_THAN || countOf(after) !== undefined)
        return at
      at = this.#buffer.indexOf(LF, at + 1)
    }
    return undefined
  }
}

/** The count before a message, e.g. `52 <34>1 ...`. */
function countOf(buffer: Buffer): { start: number; length: number } | undefined {
  const found = /^([1-9]\d{0,4}) </.exec(buffer.subarray(0, 8).toString('latin1'))
  const length = Number(found?.[1])
  if (!found || length > MAX_FRAME) return undefined
  return { start: found[0].length - 1, length }
}
