import process from 'node:process'

const DRAW_EVERY_MS = 200
const NEWLINE = 0x0a

/** One line at a terminal that says how far a download is; nothing where nobody watches. */
export class DownloadProgress {
  readonly #isWatched: boolean
  readonly #name: string
  readonly #startedAt = performance.now()
  #drawnAt = 0
  #bytes = 0
  /** Lines, which rows nearly are. */
  #lines = 0
  #expected: number | null = null

  constructor(name: string, isWatched: boolean) {
    this.#name = name
    this.#isWatched = isWatched
  }

  /** @param rows - about how many there will be; null: rows can't be counted, or nobody knows; @param before - those there are already */
  expect(rows: number | null, before: number): void {
    this.#expected = rows === null ? null : rows + before
    this.#lines = before
  }

  took(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (!this.#isWatched) return
    if (this.#expected !== null) {
      for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) this.#lines += 1
    }
    const now = performance.now()
    if (now - this.#drawnAt < DRAW_EVERY_MS) return
    this.#drawnAt = now
    this.#write(this.inWords(now))
  }

  /** e.g. `readings: 120,000 of about 1,000,000 rows, 12 %, 8.1 MB, 3.2 MB/s` */
  inWords(now = performance.now()): string {
    const megabytes = this.#bytes / 1e6
    const speed = megabytes / Math.max(0.001, (now - this.#startedAt) / 1000)
    const rows =
      this.#expected === null
        ? []
        : [
            `${this.#lines.toLocaleString('en')} of about ${this.#expected.toLocaleString('en')} rows`,
            `${Math.min(100, Math.round((100 * this.#lines) / Math.max(1, this.#expected)))} %`,
          ]
    return `${this.#name}: ${[...rows, `${megabytes.toFixed(1)} MB`, `${speed.toFixed(1)} MB/s`].join(', ')}`
  }

  /** Takes the line away. */
  end(): void {
    this.#write('')
  }

  #write(text: string): void {
    if (!this.#isWatched) return
    // Back to the beginning of the line, and clear it. A line that is too long would go on in the next one.
    process.stderr.write(`\r\u001b[K${text.slice(0, process.stderr.columns - 1)}`)
  }
}
