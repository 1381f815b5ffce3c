import type { Finding } from '@golem/conformance'

/** One line at a terminal that says how far things are; nothing where nobody watches. */
export class Progress {
  readonly #isWatched: boolean
  readonly #startedAt = performance.now()
  /** By model: checks that ended, and that failed. */
  readonly #running = new Map<string, { ended: number; failed: number }>()
  #done = 0

  constructor(isWatched: boolean) {
    this.#isWatched = isWatched
  }

  found(model: string, { status }: Finding): void {
    const counts = this.#running.get(model) ?? { ended: 0, failed: 0 }
    counts.ended += 1
    if (status === 'failed') counts.failed += 1
    this.#running.set(model, counts)
    this.#draw()
  }

  done(model: string): void {
    this.#running.delete(model)
    this.#done += 1
    this.#draw()
  }

  /** Takes the line away. */
  end(): void {
    this.#write('')
  }

  #draw(): void {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000)
    const models = [...this.#running].map(
      ([model, { ended, failed }]) => `${model}: ${ended} checks${failed > 0 ? `, ${failed} FAILED` : ''}`,
    )
    const done = this.#done > 0 ? [`${this.#done} done`] : []
    this.#write([`${seconds} s`, ...done, ...models].join('; '))
  }

  #write(text: string): void {
    if (!this.#isWatched) return
    // Back to the beginning of the line, and clear it. A line that is too long would go on in the next one.
    process.stderr.write(`\r\u001b[K${text.slice(0, process.stderr.columns - 1)}`)
  }
}
