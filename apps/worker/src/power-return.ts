import type { InstrumentConfig } from '@golem/config'
import {
  type CommandTarget,
  type PowerReturn as Question,
  type PowerReturnChoice,
  type Reading,
  type Snapshot,
  type Value,
  asGolemError,
  checkValue,
  isoTime,
  valueInWords,
} from '@golem/core'
import type { WorkerContext } from './context.ts'
import type { Instrument } from './instrument.ts'
import { mayCommand } from './may-command.ts'
import type { SafeState } from './safe-state.ts'

/** How wrong a device may count its time since power-on: so many s, and a share of what has passed. */
const CLOCK_ERROR_S = 3
const CLOCK_ERROR = 0.02

/**
 * Notices that an instrument was without power, and does with outputs that are no longer as they were what the site
 * says: hold them as the device has them, make them safe, write what was there before, or ask. An instrument that
 * counts its time since power-on was without power when that has fallen; of another one it is taken for granted when it
 * comes back after it was lost.
 */
export class PowerReturn {
  readonly #context: WorkerContext
  readonly #instrument: Instrument
  readonly #policy: NonNullable<InstrumentConfig['onPowerReturn']>
  readonly #safeState: SafeState
  /** Values of its outputs as they were last written or read. */
  readonly #believed = new Map<string, Value>()
  readonly #readAt = new Map<string, string | null | undefined>()
  /** How long it had been up, in s, and when that was read, ms since 1970. */
  #uptime: { seconds: number; at: number } | undefined
  #wasLost = false
  #question: Question | undefined

  constructor(
    context: WorkerContext,
    instrument: Instrument,
    { onPowerReturn = 'hold' }: Pick<InstrumentConfig, 'onPowerReturn'>,
    safeState: SafeState,
  ) {
    this.#context = context
    this.#instrument = instrument
    this.#policy = onPowerReturn
    this.#safeState = safeState
    instrument.outputs.onWrote = (target) => this.#wrote(target)
    instrument.powerReturn = () => this.#question
  }

  /** Takes over what the last owner has published. */
  adopt(last: Snapshot | null): void {
    if (!last) return
    this.#question = last.powerReturn
    const uptime = uptimeOf(last.readings[this.#instrument.driver.uptime ?? ''])
    if (!uptime) return
    this.#uptime = uptime
    for (const name of this.#outputs()) {
      const value = last.readings[name]?.value
      if (value !== undefined && value !== null) this.#believed.set(name, value)
    }
  }

  /** Called after each poll, good or not. */
  afterPoll(): void {
    const outputs = this.#outputs()
    const readings = outputs.map((name) => this.#instrument.reading(name))
    if (readings.some((reading) => reading?.quality === 'stale' && reading.value !== null)) {
      this.#wasLost = true
      return
    }
    if (readings.every((reading) => reading?.quality !== 'good')) return
    if (this.#hasReturned()) this.#compare(outputs)
    if (this.#question) return
    for (const name of outputs) {
      const value = this.#goodValue(name)
      const at = this.#instrument.reading(name)?.at
      // One that is told again after a poll that failed may be older than what has been written since.
      if (value === undefined || at === this.#readAt.get(name)) continue
      this.#readAt.set(name, at)
      this.#believed.set(name, value)
    }
  }

  #goodValue(name: string): Value | undefined {
    const reading = this.#instrument.reading(name)
    return reading?.quality === 'good' ? (reading.value ?? undefined) : undefined
  }

  /** A person has decided. @returns false: nothing was asked */
  settle(keep: PowerReturnChoice, by: string): boolean {
    const question = this.#question
    if (!question) return false
    this.#question = undefined
    this.#tell(`after power return ${by} decided: keep ${KEEP_IN_WORDS[keep]}`)
    if (keep === 'safe') void this.#safeState.enter(`decided by ${by} after power return`)
    else if (keep === 'golem')
      void this.#restore(new Map(question.differences.map((one) => [one.parameter, one.before])))
    this.#instrument.publish()
    return true
  }

  /** Has it been without power since the last poll? */
  #hasReturned(): boolean {
    const { uptime } = this.#instrument.driver
    const wasLost = this.#wasLost
    this.#wasLost = false
    if (uptime === undefined) return wasLost
    const before = this.#uptime
    const now = uptimeOf(this.#instrument.reading(uptime))
    if (!now) return false
    this.#uptime = now
    if (!before) return false
    // Also where it has been up again for longer than it was then, unseen.
    const elapsed = Math.max(0, now.at - before.at) / 1000
    return (
      now.seconds < before.seconds ||
      now.seconds + CLOCK_ERROR_S + elapsed * CLOCK_ERROR < before.seconds + elapsed
    )
  }

  #compare(outputs: readonly string[]): void {
    const differences = outputs.flatMap((parameter) => {
      const before = this.#believed.get(parameter)
      const now = this.#goodValue(parameter)
      if (before === undefined || now === undefined) return []
      return this.#instrument.matches(parameter, before, now) ? [] : [{ parameter, before, now }]
    })
    // Under a stop its values are written anyhow.
    if (differences.length === 0 || this.#context.stops.of(this.#instrument.id)) return
    const inWords = differences
      .map(
        ({ parameter, before, now }) => `${parameter} is ${valueInWords(now)}, was ${valueInWords(before)}`,
      )
      .join(', ')
    this.#tell(`power return (${this.#policy}): ${inWords}`)
    switch (this.#policy) {
      case 'hold':
        return
      case 'safe':
        void this.#safeState.enter('its power has returned')
        return
      case 'restore':
        void this.#restore(new Map(differences.map(({ parameter, before }) => [parameter, before])))
        return
      case 'ask':
        this.#question = { since: isoTime(this.#context.client.clock.now()), differences }
        this.#instrument.publish()
    }
  }

  /** Writes what was there before, once, as a command would be written: stops, interlocks, limits and rules hold. */
  async #restore(values: ReadonlyMap<string, Value>): Promise<void> {
    const said: string[] = []
    for (const [parameter, value] of values) {
      try {
        await this.#write(parameter, value)
        said.push(`${parameter} = ${valueInWords(value)}`)
      } catch (error) {
        said.push(`${parameter} NOT (${asGolemError(error).message})`)
      }
    }
    this.#instrument.pollSoon()
    this.#tell(`restored after power return: ${said.join(', ')}`)
  }

  async #write(parameter: string, value: Value): Promise<void> {
    const { id, description, channel, outputs } = this.#instrument
    const write = this.#instrument.writeOf(parameter)
    const allowed = description.parameters[parameter]
    if (!write || !allowed) return
    checkValue(`${id}.${parameter}`, allowed, value, '/value')
    const target: CommandTarget = { parameter, value }
    const beforeSend = (): void => {
      // Of whoever has reserved it, this is not the business: it is as it was when they had it.
      mayCommand(this.#context, id, '', { changes: false })
      this.#context.interlocks.check(this.#instrument, target)
      outputs.judge(target)
      outputs.writing(target)
    }
    await channel.run('command', (io) => write(io, value), { beforeSend })
    outputs.wrote(target)
  }

  /** What is written by whomever since is what is wanted. */
  #wrote(target: CommandTarget): void {
    if (!('parameter' in target)) return
    this.#believed.set(target.parameter, target.value)
    if (!this.#question) return
    const differences = this.#question.differences.filter(({ parameter }) => parameter !== target.parameter)
    this.#question = differences.length > 0 ? { ...this.#question, differences } : undefined
  }

  /** Outputs that are read: of the others nobody can tell. */
  #outputs(): string[] {
    return Object.entries(this.#instrument.description.parameters)
      .filter(([, { readable, writable, calibration }]) => readable && writable && !calibration)
      .map(([name]) => name)
  }

  #tell(message: string): void {
    this.#context.log.warn({ instrument: this.#instrument.id }, message)
    this.#context.client
      .event('power', this.#instrument.id, message)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}

function uptimeOf(reading: Reading | undefined): { seconds: number; at: number } | undefined {
  if (typeof reading?.value !== 'number' || reading.at === null) return undefined
  return { seconds: reading.value, at: Date.parse(reading.at) }
}

const KEEP_IN_WORDS: Record<PowerReturnChoice, string> = {
  device: 'what the device has',
  golem: 'what was there before',
  safe: 'the safe values',
}
