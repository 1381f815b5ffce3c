import type { InstrumentConfig } from '@golem/config'
import {
  type CommandRecord,
  type Condition,
  type Driver,
  type ErrorCode,
  type EventDetails,
  GolemError,
  MAX_ITEMS,
  type InstrumentDescription,
  type ParameterSpec,
  type Reading,
  type Readings,
  type Snapshot,
  type Value,
  asGolemError,
  defaultMatches,
  isFault,
  isoTime,
  targetOf,
  valueInWords,
} from '@golem/core'
import type { Channel } from '@golem/transports'
import { CalibratedParameters } from './calibrated.ts'
import type { WorkerContext } from './context.ts'
import { monotonic } from './output-store.ts'
import type { Outputs } from './outputs.ts'

/** After this many polls without an answer an instrument is lost. */
const LOST_AFTER = 3
/** The longest pause between tries to reach a silent instrument, in ms. */
const MAX_BACK_OFF_MS = 5_000

/** The readings of an instrument that talks by itself are written so often at most, in ms. */
const PUBLISH_EVERY_MS = 100

/** How soon after a command its effect is read, in ms. */
const SOON_MS = 25

/**
 * A reading that does not show what a command of unknown outcome asked for settles it only so long after its end, in
 * ms: some boards answer first and act afterwards, and some act and answer not at all.
 */
const NOT_DONE_AFTER_MS = 1_000

/** Why a poll may end without saying anything about the instrument. */
const NOT_ITS_FAULT: ReadonlySet<ErrorCode> = new Set([
  'LEASE_LOST',
  'INTERRUPTED',
  'STOPPED',
  'WORKER_STOPPING',
])

export interface InstrumentOptions {
  context: WorkerContext
  config: InstrumentConfig
  driver: Driver
  channel: Channel
  description: InstrumentDescription
  outputs: Outputs
  /** Asks the poll loop to read this instrument now. */
  wake: () => void
}

/** One instrument in the hands of its owner: its readings, its condition, and what is still to be found out. */
export class Instrument {
  readonly id: string
  readonly driver: Driver
  readonly channel: Channel
  /** Those that have rules. */
  readonly outputs: Outputs
  /** Those that calibrations make. */
  readonly calibrated: CalibratedParameters
  /** The question that waits for a person, if any. */
  powerReturn: () => Snapshot['powerReturn'] = () => undefined
  /** When the next poll is due, by the monotonic clock. */
  nextPollAt = 0
  readonly #context: WorkerContext
  readonly #config: InstrumentConfig
  readonly #readings: Record<string, Reading> = {}
  readonly #readAt = new Map<string, number>()
  readonly #unsettled = new Map<string, { record: CommandRecord; since: number }>()
  readonly #wake: () => void
  readonly #pollEveryMs: number
  readonly #staleAfterMsOf: Readonly<Record<string, number>>
  #description: InstrumentDescription
  #condition: Condition = 'connecting'
  #conditionSince: string
  #message = 'Not heard of yet.'
  #seenAt: string | null = null
  #failures = 0
  #owned = true
  #uptime: number | undefined
  #publishTimer: NodeJS.Timeout | undefined

  constructor({ context, config, driver, channel, description, outputs, wake }: InstrumentOptions) {
    this.id = config.id
    this.#description = description
    this.calibrated = new CalibratedParameters(config, context.calibrations)
    this.driver = driver
    this.channel = channel
    this.outputs = outputs
    this.#context = context
    this.#config = config
    this.#wake = wake
    this.#pollEveryMs = Math.min(
      config.pollEveryMs,
      ...Object.values(config.parameters).map(({ pollEveryMs }) => pollEveryMs ?? Infinity),
    )
    const staleAfterMsOf: Record<string, number> = Object.fromEntries(
      Object.entries(config.parameters).flatMap(([name, { pollEveryMs }]) =>
        pollEveryMs === undefined ? [] : [[name, staleAfterMs(pollEveryMs)]],
      ),
    )
    for (const [name, from] of this.calibrated.sources) {
      const periods = from.flatMap((one) => staleAfterMsOf[one] ?? [])
      if (periods.length > 0) staleAfterMsOf[name] = Math.max(...periods, staleAfterMs(config.pollEveryMs))
    }
    this.#staleAfterMsOf = staleAfterMsOf
    this.#conditionSince = isoTime(context.client.clock.now())
    for (const [name, { readable }] of Object.entries(description.parameters)) {
      if (readable) this.#readings[name] = { value: null, at: null, quality: 'stale' }
    }
  }

  get description(): InstrumentDescription {
    return this.#description
  }

  /** Other versions of calibrations count from now on. @param description - as it is with them */
  recalibrate(description: InstrumentDescription): void {
    this.#description = description
    Object.assign(this.#readings, this.calibrated.readings(this.#readings))
  }

  /** A parameter as the driver defines it. @throws UNKNOWN_NAME */
  spec(name: string): ParameterSpec<never> {
    const spec: ParameterSpec<never> | undefined = this.driver.parameters[name]
    if (!spec) throw new GolemError('UNKNOWN_NAME', `${this.id} has no parameter "${name}".`)
    return spec
  }

  /** What writes a parameter: with `rearm` an output is switched on for that time only. undefined: nothing does */
  writeOf(name: string): ((io: never, value: Value) => Promise<void>) | undefined {
    const { write, timed } = this.spec(name)
    const watch = this.outputs.watches.get(name)
    const ms = watch?.rules.rearmMs
    if (!write || !timed || ms === undefined) return write
    return (io, value) => (watch?.isOff(value) ? write(io, value) : timed.write(io, value, ms))
  }

  /** Does what was read agree with what was wanted? */
  matches(name: string, wanted: CommandRecord['value'], got: CommandRecord['value']): boolean {
    if (wanted === undefined || got === undefined) return false
    const spec = this.spec(name)
    return spec.matches ? spec.matches(wanted, got) : defaultMatches(wanted, got, spec.step)
  }

  reading(name: string): Reading | undefined {
    return this.#readings[name]
  }

  /**
   * Reads what is due, once.
   *
   * @param dueAt - for when it was planned, by the monotonic clock, in ms: the next one is planned from there, so that
   *   a busy line, which begins a little late each time, keeps its pace
   * @returns when the next poll should start, by the monotonic clock, in ms
   */
  async poll(dueAt: number): Promise<number> {
    const started = performance.now()
    const planned = started - dueAt < this.#pollEveryMs ? dueAt : started
    const startedAt = this.#context.client.clock.now()
    const began = monotonic()
    try {
      const due = this.#due(started)
      const anew = new Set(this.#unsettled.keys())
      const found = await this.channel.run('poll', (io) => this.driver.readAll(io, due, anew))
      for (const name of due) this.#readAt.set(name, started)
      this.outputs.read(found, began)
      this.#answered(found, startedAt)
      return Math.max(planned + this.#pollEveryMs, performance.now())
    } catch (error) {
      this.#failed(asGolemError(error))
      const backOff = Math.min(this.#pollEveryMs * 2 ** Math.min(this.#failures - 1, 10), MAX_BACK_OFF_MS)
      return performance.now() + Math.max(backOff, Math.min(this.#pollEveryMs, MAX_BACK_OFF_MS))
    }
  }

  /** Takes readings that came by themselves. */
  received(found: Readings): void {
    this.outputs.read(found, monotonic())
    this.#answered(found, this.#context.client.clock.now(), 'gathered')
  }

  /** Remembers a command of unknown outcome, to be settled by a reading that begins from now on. */
  settleLater(asked: CommandRecord): void {
    const record = { ...asked, ...this.#rawOf(asked) }
    if (record.parameter === undefined || !this.description.parameters[record.parameter]?.readable) return
    this.#unsettled.set(record.parameter, { record, since: this.#context.client.clock.now() })
    this.pollSoon()
  }

  /** A new command to a parameter makes it impossible to tell what the one before has done. */
  forgetUnsettled(name: string): void {
    const open = this.#unsettled.get(name)
    if (!open) return
    this.#unsettled.delete(name)
    this.#settle(
      open.record,
      'unknown',
      undefined,
      `It could not be told before the next command to ${name}.`,
    )
  }

  /** Reads it soon, because something has been done to it: not at once, so that commands in a row are not held up. */
  pollSoon(): void {
    // All of it: what a command changes may show in other parameters too.
    this.#readAt.clear()
    this.nextPollAt = Math.min(this.nextPollAt, performance.now() + SOON_MS)
    this.#wake()
  }

  /** The instrument is no longer polled by this worker, for a reason people are told. */
  leave(condition: Condition, message: string): void {
    this.#owned = false
    for (const reading of Object.values(this.#readings)) {
      if (reading.quality === 'good') reading.quality = 'stale'
    }
    this.#become(condition, message)
    this.#sample()
    this.publish()
  }

  publish(): void {
    clearTimeout(this.#publishTimer)
    this.#publishTimer = undefined
    const snapshot = this.snapshot()
    this.#context.publisher.snapshot(snapshot)
    // After that: what this changes is published anew.
    this.#context.interlocks.heardHere(snapshot)
  }

  snapshot(): Snapshot {
    const interlocks = this.#context.interlocks.views(this.id)
    const powerReturn = this.powerReturn()
    return {
      id: this.id,
      condition: this.#condition,
      conditionSince: this.#conditionSince,
      message: this.#message,
      writtenAt: isoTime(this.#context.client.clock.now()),
      owner: this.#owned ? this.#context.id : null,
      seenAt: this.#seenAt,
      staleAfterMs: this.#staleAfterMs,
      staleAfterMsOf: this.#staleAfterMsOf,
      readings: structuredClone(this.#readings),
      ...(interlocks.length === 0 ? {} : { interlocks }),
      ...(powerReturn ? { powerReturn } : {}),
      ...(this.outputs.watches.size === 0
        ? {}
        : { outputs: this.outputs.states(this.description.parameters) }),
    }
  }

  /** What a command wrote: of a calibrated parameter the raw one; nothing when that can't be told any more. */
  #rawOf(record: CommandRecord): Pick<CommandRecord, 'parameter' | 'value'> {
    try {
      const target = this.calibrated.toRaw(targetOf(record), this.description)
      return 'parameter' in target ? target : {}
    } catch (error) {
      this.#context.log.debug({ command: record.id }, `not to be settled: ${asGolemError(error).message}`)
      return {}
    }
  }

  #due(now: number): Set<string> {
    const due = new Set<string>()
    for (const [name, { readable }] of Object.entries(this.description.parameters)) {
      if (!readable || this.calibrated.has(name)) continue
      const period = this.#config.parameters[name]?.pollEveryMs ?? this.#config.pollEveryMs
      const last = this.#readAt.get(name)
      // Half a tick of tolerance: timers are not exact, and a reading missed now would be a whole period late.
      if (last === undefined || now - last >= period - this.#pollEveryMs / 2) due.add(name)
    }
    for (const name of this.#unsettled.keys()) due.add(name)
    return due
  }

  #answered(found: Readings, startedAt: number, publishing: 'now' | 'gathered' = 'now'): void {
    if (publishing === 'now' && Object.keys(found).length === 0 && Object.keys(this.#readings).length > 0) {
      return this.#toldNothing()
    }
    const at = isoTime(this.#context.client.clock.now())
    this.#failures = 0
    this.#seenAt = at
    for (const [name, value] of Object.entries(found)) {
      const reading = this.#readings[name]
      if (!reading) continue
      const fault = isFault(value) ? value.fault : this.#tooLong(name, value)
      if (isFault(value) || fault !== undefined) {
        reading.quality = 'bad'
        reading.error = fault ?? ''
      } else {
        this.#readings[name] = { value, at, quality: 'good' }
      }
    }
    Object.assign(this.#readings, this.calibrated.readings(this.#readings))
    this.#noticeReboot(found)
    // What a calibration can't say is no fault of the instrument.
    const bad = Object.entries(this.#readings).filter(
      ([name, { quality }]) => quality === 'bad' && !this.calibrated.has(name),
    )
    if (bad.length === 0) this.#become('ok', 'It answers.')
    else this.#become('degraded', `No good reading of ${bad.map(([name]) => name).join(', ')}.`)
    this.#settleFrom(found, startedAt)
    this.#sample()
    if (publishing === 'now') this.publish()
    else this.#publishSoon()
  }

  /** A poll of an instrument that talks by itself: it can be reached, but only what it tells shows that it is there. */
  #toldNothing(): void {
    if (this.#failures > 0) {
      this.#message = 'It can be reached again, but nothing has been heard of it since.'
    }
    this.#failures = 0
    this.publish()
  }

  /** Every poll of a page carries the readings: a long list belongs into the result of an action. */
  #tooLong(name: string, value: Value): string | undefined {
    const most = this.description.parameters[name]?.maxItems ?? MAX_ITEMS
    if (typeof value !== 'object' || value.length <= most) return undefined
    return `It has ${value.length} numbers, more than the ${most} a reading may have.`
  }

  /** An instrument that talks by itself is published ten times a second at most: of each reading the newest counts. */
  #publishSoon(): void {
    this.#publishTimer ??= setTimeout(() => this.publish(), PUBLISH_EVERY_MS)
  }

  #failed(error: GolemError): void {
    if (NOT_ITS_FAULT.has(error.code)) return
    this.#failures += 1
    const sentence = `${this.#failures === 1 ? 'The last poll' : `The last ${this.#failures} polls`} failed: ${error.message}`
    if (this.#failures >= LOST_AFTER) {
      for (const reading of Object.values(this.#readings)) {
        if (reading.quality === 'good') reading.quality = 'stale'
      }
      this.#become('lost', sentence)
    } else {
      this.#become(this.#condition === 'ok' ? 'degraded' : this.#condition, sentence)
    }
    this.#sample()
    this.publish()
  }

  /** Hands what is new of the readings to the archive: a snapshot may be overtaken by the next one, this is not. */
  #sample(): void {
    this.#context.sampler?.take(this.id, {
      condition: this.#condition,
      message: this.#message,
      staleAfterMs: this.#staleAfterMs,
      staleAfterMsOf: this.#staleAfterMsOf,
      readings: this.#readings,
    })
  }

  get #staleAfterMs(): number {
    return Math.max(staleAfterMs(this.#config.pollEveryMs), this.driver.silenceMs ?? 0)
  }

  #become(condition: Condition, message: string): void {
    if (condition !== this.#condition) {
      this.#conditionSince = isoTime(this.#context.client.clock.now())
      this.#tell('condition', `${this.#condition} -> ${condition}: ${message}`, {
        level: condition === 'lost' ? 'warning' : 'info',
      })
      this.#context.log[condition === 'lost' ? 'warn' : 'info']({ instrument: this.id, condition }, message)
    }
    this.#condition = condition
    this.#message = message
  }

  #noticeReboot(found: Readings): void {
    const name = this.driver.uptime
    const uptime = name === undefined ? undefined : found[name]
    if (typeof uptime !== 'number') return
    if (this.#uptime !== undefined && uptime < this.#uptime) {
      this.#tell('reboot', `it has rebooted: up for ${uptime} s, before ${this.#uptime} s`, {
        level: 'warning',
      })
    }
    this.#uptime = uptime
  }

  #settleFrom(found: Readings, startedAt: number): void {
    for (const [name, { record, since }] of this.#unsettled) {
      const got = found[name]
      if (got === undefined || isFault(got) || startedAt < since) continue
      const done = this.matches(name, record.value, got)
      const left = since + NOT_DONE_AFTER_MS - startedAt
      if (!done && left > 0) {
        this.nextPollAt = Math.min(this.nextPollAt, performance.now() + left)
        continue
      }
      this.#unsettled.delete(name)
      this.#settle(
        record,
        done ? 'done' : 'none',
        got,
        `Read back: ${name} is ${valueInWords(got)}, ${done ? 'as' : 'not as'} the command asked.`,
      )
    }
  }

  #settle(
    record: CommandRecord,
    effect: 'done' | 'none' | 'unknown',
    value: CommandRecord['value'],
    message: string,
  ): void {
    const at = isoTime(this.#context.client.clock.now())
    this.#context.client
      .settle(record, { at, effect, ...(value === undefined ? {} : { value }), message })
      .catch((error: unknown) => this.#context.log.error({ err: error, command: record.id }, 'not settled'))
  }

  #tell(kind: string, message: string, details: EventDetails = {}): void {
    this.#context.client
      .event(kind, this.id, message, '', details)
      .catch((error: unknown) => this.#context.log.error({ err: error }, 'event not written'))
  }
}

/** When a reading of this poll period is stale: two polls may be missed, and a busy link may take its time. */
function staleAfterMs(pollEveryMs: number): number {
  return Math.max(3 * pollEveryMs, pollEveryMs + 2_000)
}
