import { type Value, asGolemError } from '@golem/core'
import type { WorkerContext } from './context.ts'
import { ForcedWrites } from './forced-writes.ts'
import type { Instrument } from './instrument.ts'
import { monotonic } from './output-store.ts'
import type { OutputWatch } from './output-watch.ts'

type Overdue = readonly [name: string, watch: OutputWatch, safe: Value]

/** How long after a try the next one is made while an output is still on, in ms. */
const AGAIN_AFTER_MS = 2_000
/** What runs on the link is let finish for so long; then it is interrupted, in ms. */
const PATIENCE_MS = 1_000

/** Brings the outputs of one instrument to their safe values when they have been on for longer than `maxOn` allows. */
export class MaxOn {
  readonly #instrument: Instrument
  #busy = false
  #triedAt = -Infinity
  readonly #writes: ForcedWrites

  constructor(context: WorkerContext, instrument: Instrument) {
    this.#instrument = instrument
    this.#writes = new ForcedWrites(context, instrument, 'safe')
  }

  /** Looks whether something is due, and does it. Called several times a second; never throws. */
  async look(): Promise<void> {
    const now = monotonic()
    if (this.#busy || now - this.#triedAt < AGAIN_AFTER_MS) return
    const overdue = this.#instrument.outputs.overdue(now)
    if (overdue.length === 0) return
    this.#busy = true
    this.#triedAt = now
    const said: string[] = []
    const safeValues = overdue.map(([name, , safe]) => [name, safe] as const)
    try {
      await this.#inTurn((io) => this.#writes.write(io, safeValues, said))
    } catch (error) {
      said.push(`not reached: ${asGolemError(error).message}`)
    }
    this.#busy = false
    this.#instrument.pollSoon()
    this.#writes.tell(`maxOn: ${overdue.map(inWords).join(', ')}: ${said.join(', ')}`, 'maxOn')
  }

  /** Runs it as a command; where what runs on the link takes too long, as a stop does. */
  async #inTurn(work: (io: never) => Promise<void>): Promise<void> {
    const { channel } = this.#instrument
    let begun = false
    const once = (io: never): Promise<void> => {
      if (begun) return Promise.resolve()
      begun = true
      return work(io)
    }
    let timer: NodeJS.Timeout | undefined
    const atOnce = new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => {
        if (!begun) channel.run('stop', once).then(resolve, reject)
      }, PATIENCE_MS)
    })
    const asCommand = channel.run('command', once).catch(async (error: unknown) => {
      // It may have made way for the one that interrupts.
      if (begun || asGolemError(error).code !== 'STOPPED') throw error
      await atOnce
    })
    try {
      await Promise.race([asCommand, atOnce])
    } finally {
      clearTimeout(timer)
    }
  }
}

function inWords([name, { rules }]: Overdue): string {
  return `${name} was on for longer than ${(rules.maxOnMs ?? 0) / 1000} s`
}
