import { type Value, asGolemError, valueInWords } from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'

/** What is tried again with the same result is told this often, in ms: a dead board must not fill the site's log. */
const TELL_AGAIN_MS = 10 * 60_000

/** Values that the worker itself writes to the outputs of one instrument: safe ones, and those of interlocks. */
export class ForcedWrites {
  /** Outputs that did not take their value the last time; of those that are not read nothing else tells. */
  readonly missed = new Set<string>()
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #kind: string
  #told = { message: '', at: -Infinity }

  /** @param kind - of the events that tell of them */
  constructor(context: WorkerContext, instrument: Instrument, kind: string) {
    this.#context = context
    this.#instrument = instrument
    this.#kind = kind
  }

  /** Writes each, whatever comes of the others. @param said - gets what came of each, in words */
  async write(io: never, values: Iterable<readonly [string, Value]>, said: string[]): Promise<void> {
    for (const [name, value] of values) {
      try {
        await this.#instrument.writeOf(name)?.(io, value)
        said.push(`${name} = ${valueInWords(value)}`)
        this.#instrument.outputs.wrote({ parameter: name, value })
        this.missed.delete(name)
      } catch (error) {
        // The next output may still be reached; this one is tried again after the next reading.
        said.push(`${name} NOT (${asGolemError(error).message})`)
      }
    }
  }

  /** Does an output read otherwise, or did it, when it is not read, not take its value? */
  isWrong(name: string, value: Value): boolean {
    const reading = this.#instrument.reading(name)
    if (!reading) return this.missed.has(name)
    return reading.quality !== 'good' || !this.#instrument.matches(name, value, reading.value ?? undefined)
  }

  /** Tells the site's log, of the same not again for ten minutes. @param cause - what brought it about */
  tell(message: string, cause: string): void {
    const at = performance.now()
    if (message === this.#told.message && at - this.#told.at < TELL_AGAIN_MS) return
    this.#told = { message, at }
    this.#context.log.warn({ instrument: this.#instrument.id }, message)
    this.#context.client
      .event(this.#kind, this.#instrument.id, message, '', { level: 'warning', data: { cause } })
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }

  /** What comes next is told, also when it is the same as before. */
  tellAnew(): void {
    this.#told.message = ''
  }
}
