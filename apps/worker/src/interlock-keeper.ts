import { type Value, asGolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'
import { ForcedWrites } from './forced-writes.ts'
import type { Instrument } from './instrument.ts'

/** How long after a try the next one is made while an output is not as it is to be held, in ms. */
const AGAIN_AFTER_MS = 2_000

/** Brings outputs of one instrument to the values at which interlocks hold them, and keeps them there. */
export class InterlockKeeper {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #held: () => ReadonlyMap<string, Value>
  #busy = false
  #again = false
  #triedAt = -Infinity
  readonly #writes: ForcedWrites

  /** @param held - the values that hold now, by parameter */
  constructor(context: WorkerContext, instrument: Instrument, held: () => ReadonlyMap<string, Value>) {
    this.#context = context
    this.#instrument = instrument
    this.#held = held
    this.#writes = new ForcedWrites(context, instrument, 'interlock')
  }

  /** Writes them now, ahead of everything, interrupting what runs. Never throws; says what happened in the log. */
  async enter(why: string): Promise<void> {
    for (const name of this.#held().keys()) this.#writes.missed.add(name)
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#writes.tellAnew()
    await this.#send(this.#held(), why)
  }

  /** Writes those again that read otherwise, not more often than every two seconds. Called after each poll. */
  async keep(why: string): Promise<void> {
    const held = this.#held()
    if (held.size === 0) this.#writes.missed.clear()
    if (held.size === 0 || this.#busy || performance.now() - this.#triedAt < AGAIN_AFTER_MS) return
    const wrong = [...held].filter(([name, value]) => this.#writes.isWrong(name, value))
    if (wrong.length > 0) await this.#send(new Map(wrong), why)
  }

  async #send(values: ReadonlyMap<string, Value>, why: string): Promise<void> {
    // Under an emergency stop the safe values hold; these come after its release.
    if (values.size === 0 || this.#context.stops.of(this.#instrument.id)) return
    this.#busy = true
    this.#triedAt = performance.now()
    const said: string[] = []
    try {
      await this.#instrument.channel.run('stop', async (io) => {
        await this.#writes.write(io, values, said)
      })
    } catch (error) {
      said.push(`not reached: ${asGolemError(error).message}`)
    }
    this.#busy = false
    this.#instrument.pollSoon()
    this.#writes.tell(`${why}: ${said.join(', ')}`, why)
    if (!this.#again) return
    this.#again = false
    await this.#send(this.#held(), why)
  }
}
