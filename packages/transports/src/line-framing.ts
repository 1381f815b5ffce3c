/** The longest line, in characters. */
export const MAX_LINE = 4096

/** Cuts what comes in into lines. A piece without terminator is not a line. */
export class LineFraming {
  readonly #terminator: string
  readonly #onLine: (line: string) => void
  readonly #onOverflow: (beginning: string) => void
  #piece = ''
  #discarding = false

  /**
   * @param terminator - ends a line; not part of it
   * @param onOverflow - told once when more than 4096 characters came without a terminator; everything is
   *   then thrown away until `reset`
   */
  constructor(terminator: string, onLine: (line: string) => void, onOverflow: (beginning: string) => void) {
    this.#terminator = terminator
    this.#onLine = onLine
    this.#onOverflow = onOverflow
  }

  /** What has come since the last terminator. */
  get piece(): string {
    return this.#piece
  }

  take(chunk: Buffer): void {
    if (this.#discarding) return
    // latin1 keeps every byte as one character: garbage stays visible and countable.
    const parts = (this.#piece + chunk.toString('latin1')).split(this.#terminator)
    this.#piece = parts.pop() ?? ''
    for (const part of parts) {
      if (part.length > MAX_LINE) return this.#overflow(part)
      this.#onLine(part)
    }
    if (this.#piece.length > MAX_LINE) this.#overflow(this.#piece)
  }

  /** Throws the unfinished piece away and listens again. */
  reset(): void {
    this.#piece = ''
    this.#discarding = false
  }

  #overflow(line: string): void {
    this.#piece = ''
    this.#discarding = true
    this.#onOverflow(line.slice(0, 40))
  }
}

/** Received text as messages show it: quoted, and in hex where it has unprintable characters. */
export function inWords(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  if (/^[\x20-\x7e…]*$/.test(shown)) return `"${shown}"`
  return `${JSON.stringify(shown)} (hex ${Buffer.from(text.slice(0, 80), 'latin1').toString('hex')})`
}
