import { type AskBytesOptions, GolemError } from '@golem/core'
import { Silence } from './silence.ts'

/** Gathers the bytes of one answer until it is complete. */
export class ByteCollector {
  readonly #options: AskBytesOptions & { timeoutMs: number; maxBytes: number }
  readonly #where: string
  #received = Buffer.alloc(0)
  /** Grows by doubling: an answer of a megabyte comes in thousands of pieces. */
  #length = 0
  readonly #silence = new Silence(() => this.#onSilence())
  #settle: { resolve: (answer: Uint8Array) => void; reject: (error: unknown) => void } | undefined
  /** Bytes that came after the answer. */
  readonly #onRest: (rest: Buffer) => void

  constructor(
    options: AskBytesOptions & { timeoutMs: number; maxBytes: number },
    where: string,
    onRest: (rest: Buffer) => void,
  ) {
    this.#options = options
    this.#where = where
    this.#onRest = onRest
  }

  /** The answer. Its time runs from the call of `startClock` on. */
  answer(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  /** The question is out: from now on silence counts. */
  startClock(): void {
    if (this.#settle && this.#length === 0) this.#silence.watch(this.#options.timeoutMs)
  }

  take(chunk: Buffer): void {
    if (!this.#settle) return this.#onRest(chunk)
    this.#append(chunk)
    const bytes = this.#received.subarray(0, this.#length)
    try {
      const complete = this.#options.complete(bytes)
      if (complete !== undefined) return this.#finish(complete)
    } catch (error) {
      return this.fail(error)
    }
    if (this.#length > this.#options.maxBytes) {
      return this.fail(
        new GolemError(
          'REPLY_MALFORMED',
          `More than ${this.#options.maxBytes} bytes came from ${this.#where}, and the answer is still not complete.`,
        ),
      )
    }
    this.#silence.watch(this.#options.quietMs ?? this.#options.timeoutMs)
  }

  fail(error: unknown): void {
    const settle = this.#settle
    this.stop()
    settle?.reject(error)
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#silence.stop()
    this.#settle = undefined
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length
    if (needed > this.#received.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#received.length, 256))
      this.#received.copy(grown, 0, 0, this.#length)
      this.#received = grown
    }
    chunk.copy(this.#received, this.#length)
    this.#length = needed
  }

  #onSilence(): void {
    const { quietMs, timeoutMs } = this.#options
    const begun = this.#length > 0
    if (begun && quietMs !== undefined) return this.#finish(this.#length)
    this.fail(
      new GolemError(
        'REPLY_TIMEOUT',
        `${this.#where}: no complete answer, silence for ${timeoutMs} ms${begun ? ` after the first ${this.#length} bytes` : ''}.`,
      ),
    )
  }

  #finish(length: number): void {
    const settle = this.#settle
    this.stop()
    const answer = Buffer.from(this.#received.subarray(0, length))
    const rest = Buffer.from(this.#received.subarray(length, this.#length))
    settle?.resolve(answer)
    if (rest.length > 0) this.#onRest(rest)
  }
}
