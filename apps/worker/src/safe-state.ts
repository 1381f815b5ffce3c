import { type Value, asGolemError, valueInWords } from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'

/** How long after a try the next one is made while the instrument is not in its safe state, in ms. */
const AGAIN_AFTER_MS = 2_000
/** What is tried again with the same result is told this often, in ms: a dead board must not fill the site's log. */
const TELL_AGAIN_MS = 10 * 60_000

/** Brings one instrument to its declared safe state, and keeps it there while a stop is in force. */
export class SafeState {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #outputs: readonly (readonly [string, Value])[]
  #triedAt = -Infinity
  #busy: Promise<void> | undefined
  /** Outputs that did not take their safe value the last time; of those that are not read nothing else tells. */
  readonly #missed = new Set<string>()
  /** What the driver does at a stop before the safe values has not worked yet. */
  #unstopped = false
  #told = { message: '', at: -Infinity }

  /** @param outputs - every output with a safe value, also those the site does not show */
  constructor(
    context: WorkerContext,
    instrument: Instrument,
    outputs: readonly (readonly [name: string, safe: Value])[],
  ) {
    this.#context = context
    this.#instrument = instrument
    this.#outputs = outputs
  }

  /** Did everything take its safe value the last time, or reads so since, and is what moved at rest? */
  get reached(): boolean {
    return !this.#unstopped && (this.#missed.size === 0 || this.#wrong().length === 0)
  }

  /** Sends the safe values now, ahead of everything, interrupting what runs. Never throws; says what happened in the log. */
  enter(why: string): Promise<void> {
    this.#told.message = ''
    this.#unstopped = true
    this.#busy ??= this.#send(this.#wanted(), why).finally(() => {
      this.#busy = undefined
    })
    return this.#busy
  }

  /** While stopped: sends the safe values again to outputs that read otherwise, not more often than every two seconds. */
  async keep(why: string): Promise<void> {
    if (this.#busy || performance.now() - this.#triedAt < AGAIN_AFTER_MS) return
    const wrong = this.#wrong()
    if (wrong.length === 0 && !this.#unstopped) return
    this.#busy = this.#send(wrong, why).finally(() => {
      this.#busy = undefined
    })
    await this.#busy
  }

  /** What an interlock holds stays so; only the emergency stop goes before it. */
  #wanted(): readonly (readonly [string, Value])[] {
    const { stops, interlocks } = this.#context
    if (stops.of(this.#instrument.id)) return this.#outputs
    const held = interlocks.held(this.#instrument.id)
    return this.#outputs.map(([name, safe]) => [name, held.get(name) ?? safe] as const)
  }

  /** Outputs that read otherwise than safe, or are not read and did not take their safe value. */
  #wrong(): (readonly [string, Value])[] {
    return this.#wanted().filter(([name, safe]) => {
      const reading = this.#instrument.reading(name)
      if (!reading) return this.#missed.has(name)
      return reading.quality !== 'good' || !this.#instrument.matches(name, safe, reading.value ?? undefined)
    })
  }

  async #send(outputs: readonly (readonly [string, Value])[], why: string): Promise<void> {
    const makeSafe: ((io: never) => Promise<void>) | undefined = this.#instrument.driver.makeSafe
    if (!makeSafe) this.#unstopped = false
    if (outputs.length === 0 && !this.#unstopped) return
    this.#triedAt = performance.now()
    const said: string[] = []
    for (const [name] of outputs) this.#missed.add(name)
    try {
      await this.#instrument.channel.run('stop', async (io) => {
        if (makeSafe && this.#unstopped) await this.#makeSafe(() => makeSafe(io), said)
        for (const [name, safe] of outputs) {
          try {
            await this.#instrument.spec(name).write?.(io, safe)
            said.push(`${name} = ${valueInWords(safe)}`)
            this.#instrument.outputs.wrote({ parameter: name, value: safe })
            this.#missed.delete(name)
          } catch (error) {
            // The next output may still be reached; this one is tried again after the next reading.
            said.push(`${name} NOT (${asGolemError(error).message})`)
          }
        }
      })
    } catch (error) {
      said.push(`not reached: ${asGolemError(error).message}`)
    }
    this.#instrument.pollSoon()
    this.#tell(`safe state (${why}): ${said.join(', ')}`)
  }

  /** What the driver does to end a movement at once; the safe values are written whatever comes of it. */
  async #makeSafe(makeSafe: () => Promise<void>, said: string[]): Promise<void> {
    try {
      await makeSafe()
      this.#unstopped = false
      said.push('stopped')
    } catch (error) {
      said.push(`NOT stopped (${asGolemError(error).message})`)
    }
  }

  #tell(message: string): void {
    const at = performance.now()
    if (message === this.#told.message && at - this.#told.at < TELL_AGAIN_MS) return
    this.#told = { message, at }
    this.#context.log.warn({ instrument: this.#instrument.id }, message)
    this.#context.client
      .event('safe', this.#instrument.id, message)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}
