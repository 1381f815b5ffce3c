import {
  type AnyIo,
  type AnyParameterSpec,
  asGolemError,
  type Driver,
  GolemError,
  isFault,
  type Readings,
  type Value,
} from '@golem/core'
import { type Channel, type Link, openLink, type Priority } from '@golem/transports'
import type { Arrived, FaultyWire } from '@golem/simulator'
import type { Rig, RigMaker } from './rig.ts'
import { StallLog } from './stalls.ts'
import { agrees } from './test-values.ts'

/** After so many failed polls in a row what was told before is worth nothing any more, as in the worker. */
const LOST_AFTER = 3

/** How one conversation ended. */
export interface Outcome {
  error: GolemError | null
  /** It had not ended when it should have, and was given up. */
  hung: boolean
  /** How long it took, in ms. */
  ms: number
  /** When its own first byte went out (identification does not count), by the monotonic clock. */
  sentAt: number | null
  endedAt: number
}

export interface PollOutcome extends Outcome {
  /** What it found, and what came by itself meanwhile. */
  readings: Readings
}

/** What driver code is: a parameter's functions, whatever io they want. */
type AnyWrite = (io: AnyIo, value: Value) => Promise<void>

type AnyAction = (io: AnyIo, values: Readonly<Record<string, Value>>) => Promise<void>

/** One driver on its own transport, used as the worker uses it, with a rig behind it. */
export class Bench {
  readonly rig: Rig
  readonly driver: Driver
  readonly #link: Link
  readonly #channel: Channel
  /** When this process did not get to run. */
  readonly stalls = new StallLog()
  /** What was told last of what is not told again, as the worker keeps it. */
  #held: Record<string, Readings[string]> = {}
  /** Polls that failed in a row. */
  #failures = 0
  /** What has come by itself since the last poll. */
  #heard: Record<string, Readings[string]> = {}
  #patienceMs = 120_000
  #isEnded = false
  #hasHung = false

  constructor(rig: Rig, driver: Driver) {
    this.rig = rig
    this.driver = driver
    const onReadings = (readings: Readings): void => void Object.assign(this.#heard, readings)
    driver.onLateReadings?.(onReadings)
    const { endpoint, usbDrivers } = rig
    this.#link = openLink({
      endpoint,
      guard: () => undefined,
      ...(usbDrivers === undefined ? {} : { usbDrivers }),
    })
    this.#channel = this.#link.attach({ driver, endpoint, onReadings })
  }

  /**
   * Starts a rig and a driver on it.
   *
   * @throws CONFIG_INVALID when the driver can't be made with these options
   */
  static async start(maker: RigMaker, options?: Readonly<Record<string, unknown>>): Promise<Bench> {
    const rig = await maker.make(options)
    let driver: Driver | undefined
    try {
      driver = maker.model.create(rig.options)
      return new Bench(rig, driver)
    } catch (error) {
      driver?.close?.()
      await rig.close()
      throw error
    }
  }

  get wire(): FaultyWire {
    return this.rig.wire
  }

  /** How long a conversation may take from now on, in ms. */
  set patienceMs(ms: number) {
    this.#patienceMs = ms
  }

  spec(name: string): AnyParameterSpec {
    const spec: AnyParameterSpec | undefined = this.driver.parameters[name]
    if (!spec) throw new GolemError('UNKNOWN_NAME', `There is no parameter "${name}".`)
    return spec
  }

  async poll(): Promise<PollOutcome> {
    const due = new Set(
      Object.entries(this.driver.parameters).flatMap(([name, spec]) =>
        spec.readable === false ? [] : [name],
      ),
    )
    let found: Readings = {}
    const readAll: (io: never, due: ReadonlySet<string>) => Promise<Readings> = this.driver.readAll
    const outcome = await this.run('poll', async (io) => {
      found = await readAll(io as never, due)
    })
    const heard = this.#heard
    this.#heard = {}
    if (outcome.error) {
      this.#failures += 1
      if (this.#tellsEvents) Object.assign(this.#held, heard)
      if (!this.#tellsEvents || this.#failures >= LOST_AFTER) this.#held = {}
      return { ...outcome, readings: {} }
    }
    this.#failures = 0
    const readings = { ...this.#held, ...heard, ...found }
    for (const name of this.#tellsEvents ? Object.keys(readings) : (this.rig.toldOnChange ?? [])) {
      const value = readings[name]
      if (value !== undefined) this.#held[name] = value
    }
    return { ...outcome, readings }
  }

  /** It tells its readings once, and is not asked for what it has told. */
  get #tellsEvents(): boolean {
    return this.driver.transport === 'http' && this.driver.events !== undefined
  }

  /** From now on only what is read or told from now on counts. */
  forget(): void {
    this.#held = {}
    this.#heard = {}
  }

  async write(name: string, value: Value): Promise<Outcome> {
    const write = this.spec(name).write as AnyWrite | undefined
    if (!write) throw new GolemError('NOT_WRITABLE', `${name} can't be written.`)
    const once = (): Promise<Outcome> => this.run('command', (io) => write(io, value))
    const outcome = await once()
    this.#forgetWhatWasHeard()
    if (outcome.error === null && this.#tellsEvents) this.#forgetOldValue(name, value)
    const { remedy } = this.rig
    if (!remedy || outcome.error?.code !== 'INSTRUMENT_REFUSED' || outcome.sentAt !== null) return outcome
    const run = this.driver.actions[remedy.action]?.run as AnyAction | undefined
    const remedied = await this.run('command', async (io) => run?.(io, remedy.arguments ?? {}))
    return remedied.error ? remedied : once()
  }

  /**
   * A device behind a broker is asked at one poll and heard at the next: what it told before a write says nothing of
   * afterwards, and it is asked again. Except for what it tells only when it changes.
   */
  #forgetWhatWasHeard(): void {
    if (this.driver.transport !== 'mqtt') return
    const told = this.rig.toldOnChange ?? []
    this.#heard = Object.fromEntries(Object.entries(this.#heard).filter(([name]) => told.includes(name)))
  }

  /** What a board has told of a parameter before it was written; its event of what was written is still to come. */
  #forgetOldValue(name: string, written: Value): void {
    for (const readings of [this.#held, this.#heard]) {
      const told = readings[name]
      if (told !== undefined && (isFault(told) || !agrees(this.spec(name), written, told)))
        delete readings[name]
    }
  }

  /** What the worker does at an emergency stop: what ends a movement, then the safe values, each whatever comes of the others. */
  async stop(): Promise<Outcome & { missed: readonly string[] }> {
    const missed: string[] = []
    const tried = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        missed.push(`${what}: ${asGolemError(error).message}`)
      }
    }
    const makeSafe = this.driver.makeSafe as ((io: AnyIo) => Promise<void>) | undefined
    const outcome = await this.run('stop', async (io) => {
      if (makeSafe) await tried('makeSafe', () => makeSafe(io))
      for (const [name, safe] of this.safeValues()) {
        const write = this.spec(name).write as AnyWrite | undefined
        await tried(name, async () => write?.(io, safe))
      }
    })
    return { ...outcome, missed }
  }

  safeValues(): (readonly [string, Value])[] {
    return Object.entries(this.driver.parameters).flatMap(([name, spec]) =>
      spec.write && spec.safe !== undefined ? [[name, spec.safe] as const] : [],
    )
  }

  /** Runs a conversation and waits for its end, but not for ever. */
  async run(priority: Priority, conversation: (io: AnyIo) => Promise<void>): Promise<Outcome> {
    if (this.#isEnded) throw new Error('it was ended early')
    const startedAt = performance.now()
    let sentAt: number | null = null
    let timer: NodeJS.Timeout | undefined
    const given = new Promise<'hung'>((resolve) => {
      // Time in which this process did not run does not count.
      const wait = (ms: number): void => {
        timer = setTimeout(() => {
          const left = this.#patienceMs - this.stalls.ranBetween(startedAt, performance.now())
          if (left > 1) wait(left)
          else resolve('hung')
        }, ms)
      }
      wait(this.#patienceMs)
    })
    const ended = this.#channel
      .run(priority, conversation as (io: never) => Promise<void>, {
        beforeSend: () => void (sentAt = performance.now()),
      })
      .then(
        () => null,
        (error: unknown) => asGolemError(error),
      )
    const result = await Promise.race([ended, given])
    clearTimeout(timer)
    const endedAt = performance.now()
    const hung = result === 'hung'
    this.#hasHung ||= hung
    return {
      error: hung
        ? new GolemError('INTERNAL', `It had not ended after ${Math.round(this.#patienceMs)} ms.`)
        : result,
      hung,
      ms: endedAt - startedAt,
      sentAt,
      endedAt,
    }
  }

  /** A conversation did not end in the time this process ran: that is so on any machine. */
  get hasHung(): boolean {
    return this.#hasHung
  }

  /** Requests that arrived at the wire in a span of time, in ms of the monotonic clock. */
  arrived(from: number, to = Infinity): Arrived[] {
    return this.wire.arrived.filter(({ at, bytes }) => at >= from && at < to && bytes.length > 0)
  }

  /** Ends what runs; nothing can be run after that. It has to be closed all the same. */
  endEarly(): void {
    this.#isEnded = true
    void this.#link.close()
  }

  async close(): Promise<void> {
    this.stalls.close()
    await this.#link.close()
    this.driver.close?.()
    await this.rig.close()
  }
}

/** Names of the readings that are values. */
export function goodOnes(readings: Readings): string[] {
  return Object.entries(readings).flatMap(([name, value]) => (isFault(value) ? [] : [name]))
}
