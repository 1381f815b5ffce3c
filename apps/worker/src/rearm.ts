import { GolemError, type Value, asGolemError, valueInWords } from '@golem/core'
import type { WorkerContext } from './context.ts'
import { ForcedWrites } from './forced-writes.ts'
import type { Instrument } from './instrument.ts'
import { mayCommand } from './may-command.ts'
import { monotonic } from './output-store.ts'
import type { OutputWatch } from './output-watch.ts'

/** How long after a try that failed the next one is made, as a share of the time. */
const AGAIN_AFTER = 0.1

/**
 * Keeps `rearm` for the outputs of one instrument: writes each that is meant to be on for its time again, at half of that
 * time. It is sent as a command is (lease, emergency stop, interlocks), but is none: nothing new is asked for, so there is
 * neither a line in the journal nor a record in the ledger. When it can't be done any more, the instrument switches it off.
 */
export class Rearm {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #log: ForcedWrites
  readonly #triedAt = new Map<string, number>()
  readonly #busy = new Set<string>()

  constructor(context: WorkerContext, instrument: Instrument) {
    this.#context = context
    this.#instrument = instrument
    this.#log = new ForcedWrites(context, instrument, 'safe')
  }

  /** Looks whether something is due, and does it. Called several times a second; never throws. */
  look(): void {
    const now = monotonic()
    for (const [name, watch] of this.#instrument.outputs.watches) {
      const value = watch.deadMan?.due(now)
      const { rearmMs = 0 } = watch.rules
      if (value === undefined || this.#busy.has(name)) continue
      if (now - (this.#triedAt.get(name) ?? -Infinity) < AGAIN_AFTER * rearmMs) continue
      this.#triedAt.set(name, now)
      void this.#rearm(name, watch, value, rearmMs)
    }
  }

  async #rearm(name: string, watch: OutputWatch, value: Value, rearmMs: number): Promise<void> {
    const { channel } = this.#instrument
    const write = this.#instrument.writeOf(name)
    if (!write) return
    let sentAt = Infinity
    const beforeSend = (): void => {
      if (!this.#mayBeKept(name, watch, value)) throw new Overtaken()
      sentAt = monotonic()
    }
    this.#busy.add(name)
    try {
      await channel.run('command', (io) => write(io, value), { beforeSend })
      if (watch.deadMan?.kept !== undefined) watch.deadMan.armed(sentAt)
    } catch (error) {
      if (error instanceof Overtaken) return
      const within = `within ${rearmMs / 1000} s`
      this.#log.tell(
        `rearm: ${name} was not re-armed, and goes off ${within}: ${asGolemError(error).message}`,
        'rearm',
      )
    } finally {
      this.#busy.delete(name)
    }
  }

  /** Directly before the first byte: is it still to stay as it was? */
  #mayBeKept(name: string, watch: OutputWatch, value: Value): boolean {
    const { id } = this.#instrument
    const now = monotonic()
    const kept = watch.deadMan?.kept
    if (kept === undefined || !watch.deadMan?.mayArm(now) || watch.offBy <= now) return false
    if (!this.#instrument.matches(name, value, kept)) return false
    const held = this.#context.interlocks.held(id).get(name)
    if (held !== undefined && !this.#instrument.matches(name, value, held)) return false
    try {
      // Whoever has reserved it has it as it is.
      mayCommand(this.#context, id, '', { changes: false })
      return true
    } catch (error) {
      this.#context.log.debug(
        { instrument: id },
        `${name} = ${valueInWords(value)} is not kept: ${asGolemError(error).message}`,
      )
      return false
    }
  }
}

/** Something has been asked of the output meanwhile: nothing is sent, and nothing is wrong. */
class Overtaken extends GolemError {
  constructor() {
    super('OUTPUT_RULE', 'It is not to be kept as it was any more.')
  }
}
