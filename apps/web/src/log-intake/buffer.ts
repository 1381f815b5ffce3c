import type { LogLine } from '@golem/queue'

/** What is kept while Redis is away: so many lines, and so many characters. */
const MAX_LINES = 10_000
const MAX_CHARACTERS = 8_000_000
/** What goes out at once. */
const BATCH_LINES = 200
const BATCH_CHARACTERS = 500_000

/** Lines of the log that are not yet written. Bounded: what does not fit is counted and told in its place. */
export class LogBuffer {
  #lines: { line: LogLine; size: number }[] = []
  #characters = 0
  #lost = 0
  /** What was handed out and is not yet known to be written. */
  #batch: LogLine[] = []

  /** How many are not yet written. */
  get size(): number {
    return this.#lines.length + this.#batch.length + (this.#lost > 0 ? 1 : 0)
  }

  add(line: LogLine, size: number): void {
    const full = this.#lines.length >= MAX_LINES || this.#characters + size > MAX_CHARACTERS
    // Until the loss is told nothing more is taken: the line about it stands where the lines are missing.
    if (full || this.#lost > 0) {
      this.#lost += 1
      return
    }
    this.#lines.push({ line, size })
    this.#characters += size
  }

  /** The lines to write now: the same until they are `written`. @param now - ms since 1970, for the line about lost ones */
  batch(now: () => number): readonly LogLine[] {
    if (this.#batch.length > 0) return this.#batch
    let characters = 0
    let count = 0
    for (const { size } of this.#lines) {
      if (count >= BATCH_LINES || (count > 0 && characters + size > BATCH_CHARACTERS)) break
      characters += size
      count += 1
    }
    this.#batch = this.#lines.splice(0, count).map(({ line }) => line)
    this.#characters -= characters
    if (this.#lines.length === 0 && this.#lost > 0) {
      const message = `${this.#lost} log records were lost: Redis was away, and no more of them could be kept.`
      this.#batch.push({ at: now(), by: 'golem', message, details: { level: 'error' } })
      this.#lost = 0
    }
    return this.#batch
  }

  /** The last batch has arrived. */
  written(): void {
    this.#batch = []
  }
}
