import { type Value, asGolemError, valueInWords } from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'

/** How long after a try the next one is made while an output is not as it is to be held, in ms. */
const AGAIN_AFTER_MS = 2_000
/** What is tried again with the same result is told this often, in ms. */
const TELL_AGAIN_MS = 10 * 60_000

/** Brings outputs of one instrument to the values at which interlocks hold them, and keeps them there. */
export class InterlockKeeper {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #held: () => ReadonlyMap<string, Value>
  #busy = false
  #again = false
  #triedAt = -Infinity
  /** Outputs that did not take their value the last time; of those that are not read nothing else tells. */
  readonly #missed = new Set<string>()
  #told = { message: '', at: -Infinity }

  /** @param held - the values that hold now, by parameter */
  constructor(context: WorkerContext, instrument: Instrument, held: () => ReadonlyMap<string, Value>) {
    this.#context = context
    this.#instrument = instrument
    this.#held = held
  }

  /** Writes them now, ahead of everything, interrupting what runs. Never throws; says what happened in the log. */
  async enter(why: string): Promise<void> {
    for (const name of this.#held().keys()) this.#missed.add(name)
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#told.message = ''
    await this.#send(this.#held(), why)
  }

  /** Writes those again that read otherwise, not more often than every two seconds. Called after each poll. */
  async keep(why: string): Promise<void> {
    const held = this.#held()
    if (held.size === 0) this.#missed.clear()
    if (held.size === 0 || this.#busy || performance.now() - this.#triedAt < AGAIN_AFTER_MS) return
    const wrong = [...held].filter(([name, value]) => this.#isWrong(name, value))
    if (wrong.length > 0) await this.#send(new Map(wrong), why)
  }

  #isWrong(name: string, value: Value): boolean {
    const reading = this.#instrument.reading(name)
    if (!reading) return this.#missed.has(name)
    return reading.quality !== 'good' || !this.#instrument.matches(name, value, reading.value ?? undefined)
  }

  async #send(values: ReadonlyMap<string, Value>, why: string): Promise<void> {
    // Under an emergency stop the safe values hold; these come after its release.
    if (values.size === 0 || this.#context.stops.of(this.#instrument.id)) return
    this.#busy = true
    this.#triedAt = performance.now()
    const said: string[] = []
    try {
      await this.#instrument.channel.run('stop', async (io) => {
        for (const [name, value] of values) await this.#write(io, name, value, said)
      })
    } catch (error) {
      said.push(`not reached: ${asGolemError(error).message}`)
    }
    this.#busy = false
    this.#instrument.pollSoon()
    this.#tell(`${why}: ${said.join(', ')}`)
    if (!this.#again) return
    this.#again = false
    await this.#send(this.#held(), why)
  }

  async #write(io: never, name: string, value: Value, said: string[]): Promise<void> {
    try {
      await this.#instrument.spec(name).write?.(io, value)
      said.push(`${name} = ${valueInWords(value)}`)
      this.#instrument.outputs.wrote({ parameter: name, value })
      this.#missed.delete(name)
    } catch (error) {
      // The next output may still be reached; this one is tried again after the next reading.
      said.push(`${name} NOT (${asGolemError(error).message})`)
    }
  }

  #tell(message: string): void {
    const at = performance.now()
    if (message === this.#told.message && at - this.#told.at < TELL_AGAIN_MS) return
    this.#told = { message, at }
    this.#context.log.warn({ instrument: this.#instrument.id }, message)
    this.#context.client
      .event('interlock', this.#instrument.id, message)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}
