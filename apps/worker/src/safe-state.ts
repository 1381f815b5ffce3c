import { type Value, asGolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'
import { ForcedWrites } from './forced-writes.ts'
import type { Instrument } from './instrument.ts'

/** How long after a try the next one is made while the instrument is not in its safe state, in ms. */
const AGAIN_AFTER_MS = 2_000

/** Brings one instrument to its declared safe state, and keeps it there while a stop is in force. */
export class SafeState {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #outputs: readonly (readonly [string, Value])[]
  #triedAt = -Infinity
  #busy: Promise<void> | undefined
  readonly #writes: ForcedWrites
  /** What the driver does at a stop before the safe values has not worked yet. */
  #unstopped = false

  /** @param outputs - every output with a safe value, also those the site does not show */
  constructor(
    context: WorkerContext,
    instrument: Instrument,
    outputs: readonly (readonly [name: string, safe: Value])[],
  ) {
    this.#context = context
    this.#instrument = instrument
    this.#outputs = outputs
    this.#writes = new ForcedWrites(context, instrument, 'safe')
  }

  /** Did everything take its safe value the last time, or reads so since, and is what moved at rest? */
  get reached(): boolean {
    return !this.#unstopped && (this.#writes.missed.size === 0 || this.#wrong().length === 0)
  }

  /** Sends the safe values now, ahead of everything, interrupting what runs. Never throws; says what happened in the log. */
  enter(why: string): Promise<void> {
    this.#writes.tellAnew()
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
    return this.#wanted().filter(([name, safe]) => this.#writes.isWrong(name, safe))
  }

  async #send(outputs: readonly (readonly [string, Value])[], why: string): Promise<void> {
    const makeSafe: ((io: never) => Promise<void>) | undefined = this.#instrument.driver.makeSafe
    if (!makeSafe) this.#unstopped = false
    if (outputs.length === 0 && !this.#unstopped) return
    this.#triedAt = performance.now()
    const said: string[] = []
    for (const [name] of outputs) this.#writes.missed.add(name)
    try {
      await this.#instrument.channel.run('stop', async (io) => {
        if (makeSafe && this.#unstopped) await this.#makeSafe(() => makeSafe(io), said)
        await this.#writes.write(io, outputs, said)
      })
    } catch (error) {
      said.push(`not reached: ${asGolemError(error).message}`)
    }
    this.#instrument.pollSoon()
    this.#writes.tell(`safe state (${why}): ${said.join(', ')}`, why)
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
}
