/** The longest line, in characters, unless a driver says otherwise. */
export const MAX_LINE = 4096

/** Cuts what comes in into lines or frames. A piece without its end is none. */
export interface Framing {
  /** What has come and is not complete yet, for messages. */
  readonly piece: string
  take(chunk: Buffer): void
  /** Throws the unfinished piece away: what comes next is a beginning. */
  reset(): void
  /** Throws the unfinished piece away, and its end when that comes: we have come in in the middle. */
  skipToNext(): void
}

/** Cuts at a terminator. */
export class LineFraming implements Framing {
  readonly #terminator: string
  readonly #maxLength: () => number
  readonly #onLine: (line: string) => void
  readonly #onOverflow: (beginning: string) => void
  /** Put together only when its end has come: a long line costs no more than its length. */
  #head = ''
  /** The last characters, which may belong to a terminator that is not complete yet. */
  #tail = ''
  #skipping = false

  /**
   * @param terminator - ends a line; not part of it
   * @param maxLength - the longest line, in characters
   * @param onOverflow - told once when more than that came without a terminator; the line is thrown away to its end
   */
  constructor(
    terminator: string,
    maxLength: () => number,
    onLine: (line: string) => void,
    onOverflow: (beginning: string) => void,
  ) {
    this.#terminator = terminator
    this.#maxLength = maxLength
    this.#onLine = onLine
    this.#onOverflow = onOverflow
  }

  get piece(): string {
    return this.#head + this.#tail
  }

  take(chunk: Buffer): void {
    // latin1 keeps every byte as one character: garbage stays visible and countable.
    const lines = (this.#tail + chunk.toString('latin1')).split(this.#terminator)
    const rest = lines.pop() ?? ''
    for (const end of lines) {
      const line = this.#head + end
      this.#head = ''
      if (this.#skipping) this.#skipping = false
      else if (line.length > this.#maxLength()) this.#onOverflow(line.slice(0, 40))
      else this.#onLine(line)
    }
    const whole = Math.max(0, rest.length - (this.#terminator.length - 1))
    this.#tail = rest.slice(whole)
    if (this.#skipping) return
    this.#head += rest.slice(0, whole)
    if (this.#head.length + this.#tail.length <= this.#maxLength()) return
    const beginning = this.#head.slice(0, 40)
    this.skipToNext(this.#tail)
    this.#onOverflow(beginning)
  }

  reset(): void {
    this.#head = ''
    this.#tail = ''
    this.#skipping = false
  }

  skipToNext(tail = ''): void {
    this.#head = ''
    this.#tail = tail
    this.#skipping = true
  }
}

/** Cuts frames of a fixed length out by their header; what is no frame is passed over. */
export class FrameFraming implements Framing {
  readonly #header: Buffer
  readonly #length: number
  readonly #onFrame: (frame: string) => boolean
  #received: Buffer = Buffer.alloc(0)

  /**
   * @param header - latin1; the first bytes of each frame
   * @param length - of a frame with its header, in bytes
   * @param onFrame - gets a frame as latin1; false: it is none (its checksum is wrong, say), so that the next
   *   header is looked for inside it
   */
  constructor(header: string, length: number, onFrame: (frame: string) => boolean) {
    this.#header = Buffer.from(header, 'latin1')
    this.#length = Math.max(length, this.#header.length, 1)
    this.#onFrame = onFrame
  }

  get piece(): string {
    return this.#received.toString('latin1')
  }

  take(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    let at = 0
    for (;;) {
      at = this.#headerFrom(bytes, at)
      if (at + this.#length > bytes.length) break
      const isFrame = this.#onFrame(bytes.toString('latin1', at, at + this.#length))
      at += isFrame ? this.#length : 1
    }
    // A copy, so that the chunk is not kept for its last bytes.
    this.#received = Buffer.from(bytes.subarray(at))
  }

  reset(): void {
    this.#received = Buffer.alloc(0)
  }

  skipToNext(): void {
    this.reset()
  }

  /** Where the next header begins, or may begin with the last bytes that have come. */
  #headerFrom(bytes: Buffer, from: number): number {
    const found = bytes.indexOf(this.#header, from)
    if (found >= 0) return found
    for (let at = Math.max(from, bytes.length - this.#header.length + 1); at < bytes.length; at += 1) {
      if (this.#header.indexOf(bytes.subarray(at)) === 0) return at
    }
    return bytes.length
  }
}

/** Received text as messages show it: quoted, and in hex where it has unprintable characters. */
export function inWords(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  if (/^[\x20-\x7e…]*$/.test(shown)) return `"${shown}"`
  return `${JSON.stringify(shown)} (hex ${Buffer.from(text.slice(0, 80), 'latin1').toString('hex')})`
}
