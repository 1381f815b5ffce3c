import { GolemError, messageOf } from '@golem/core'
import type { ModelSpec, RunningDevice } from './device.ts'
import type { Fault } from './faults.ts'
import { wireFaultOf } from './model-faults.ts'
import type { Random } from './random.ts'
import { type RequestEntry, RequestLog } from './request-log.ts'
import { type PlayedInstrument, playedEnd } from './wire/device-end.ts'
import { listenOn, type NearSide } from './wire/near-ends.ts'
import { lineRequests, pieceRequests } from './wire/requests.ts'
import { type Arrived, FaultyWire } from './wire/wire.ts'

/** The simulation of a model file, as `@golem/drivers` plays it. */
interface Played extends PlayedInstrument {
  readonly state: Readonly<Record<string, string | number>>
  set(name: string, value: string | number): void
}

/** What this needs of a model file. */
interface RawModel {
  link?: { send?: string; receive?: string }
  simulation?: { rules?: { bytes?: string }[] }
}

export interface ModelDeviceOptions {
  random: Random
  replyDelayMs: number
  /** What is so inside another device, by its name; undefined: there is none, or it has not started yet. */
  stateOf: (device: string) => Readonly<Record<string, unknown>> | undefined
}

/** An instrument on TCP that is played by the `simulation:` of a YAML model golem ships, and what can go wrong with it. */
export class ModelDevice implements RunningDevice {
  readonly name: string
  readonly kind = 'model'
  readonly #spec: ModelSpec
  readonly #options: ModelDeviceOptions
  readonly #played: Played
  readonly #end: ReturnType<typeof playedEnd>
  readonly #wire: FaultyWire
  readonly #requests = new RequestLog()
  /** The note on a request, by its bytes, until the instrument has had it. */
  readonly #notes = new WeakMap<Buffer, RequestEntry>()
  #near: NearSide | undefined
  #fault: Fault | null = null
  #timesLeft = Infinity
  #plugged = true
  #rebooting: NodeJS.Timeout | undefined
  #settling: Promise<void> = Promise.resolve()

  private constructor(spec: ModelSpec, played: Played, raw: RawModel, options: ModelDeviceOptions) {
    this.name = spec.name
    this.#spec = spec
    this.#options = options
    this.#played = played
    this.#end = playedEnd(this.#living())
    const { send = '\n', receive = '\n' } = raw.link ?? {}
    const singles = (raw.simulation?.rules ?? []).flatMap(({ bytes }) => bytes ?? []).join('')
    this.#wire = new FaultyWire({
      device: this.#end,
      requests: send === '' ? pieceRequests : lineRequests(send, receive, singles),
      keep: 0,
      onArrived: (request) => this.#note(request),
    })
  }

  /**
   * Starts one. The drivers are loaded with the first: most simulators have none of these.
   *
   * @throws CONFIG_INVALID when there is no such model with a simulation of lines, or its port is taken
   */
  static async start(spec: ModelSpec, options: ModelDeviceOptions): Promise<ModelDevice> {
    const { createAnswerer, modelFileOf, SHIPPED_MODELS } = await import('@golem/drivers')
    const { raw } = modelFileOf(spec.model, [SHIPPED_MODELS])
    const played = createAnswerer(raw)
    if (!played) {
      throw new GolemError(
        'CONFIG_INVALID',
        `The model ${spec.model} has no simulation that can be played on TCP.`,
      )
    }
    const device = new ModelDevice(spec, played, raw as RawModel, options)
    await device.#listen()
    await device.#settle()
    return device
  }

  get address(): string {
    return this.#near?.address ?? ''
  }

  counters(): Record<string, number> {
    return this.#requests.counters()
  }

  requests(): RequestEntry[] {
    return this.#requests.entries()
  }

  resetCounters(): void {
    this.#requests.reset()
  }

  async setFault(fault: Fault | null): Promise<void> {
    if (fault) wireFaultOf(fault)
    this.#fault = fault
    this.#timesLeft = fault?.times ?? Infinity
    if (fault?.kind === 'reboot') this.#reboot(fault.seconds ?? 3)
    await this.#settle()
  }

  fault(): Fault | null {
    if (this.#rebooting) return { kind: 'reboot' }
    if (this.#fault?.times === undefined) return this.#fault
    return this.#timesLeft > 0 ? { ...this.#fault, times: this.#timesLeft } : null
  }

  state(): Record<string, unknown> {
    this.#measure()
    return {
      ...this.#played.state,
      reachable: !this.#wire.refusing,
      plugged: this.#plugged,
      connections: this.#wire.counters.connections,
    }
  }

  async unplug(): Promise<void> {
    this.#plugged = false
    // Without power what was set is gone.
    this.#played.reset()
    await this.#settle()
  }

  async replug(): Promise<void> {
    this.#plugged = true
    await this.#settle()
  }

  async close(): Promise<void> {
    clearTimeout(this.#rebooting)
    await this.#settling
    this.#end.close()
    await this.#near?.close()
  }

  async #listen(): Promise<void> {
    const { port = 0 } = this.#spec
    try {
      this.#near = await listenOn(this.#wire, port)
    } catch (error) {
      throw new GolemError(
        'CONFIG_INVALID',
        `The simulated device ${this.name} can't listen on 127.0.0.1:${port}: ${messageOf(error)}. Free that port or give it another one.`,
        { cause: error },
      )
    }
  }

  #reboot(seconds: number): void {
    clearTimeout(this.#rebooting)
    this.#fault = null
    this.#end.reboot()
    this.#rebooting = setTimeout(() => {
      this.#rebooting = undefined
      void this.#settle()
    }, seconds * 1000)
  }

  /** Brings what the wire does in line with what should be. Steps follow each other. */
  #settle(): Promise<void> {
    this.#settling = this.#settling.then(() => {
      const away = !this.#plugged || this.#rebooting !== undefined
      if (away) return this.#wire.setFaults([{ kind: 'refuse' }])
      if (this.#fault) return this.#wire.setFaults([wireFaultOf(this.#fault)])
      const { replyDelayMs } = this.#options
      return this.#wire.setFaults(replyDelayMs > 0 ? [{ kind: 'delay', ms: replyDelayMs }] : [])
    })
    return this.#settling
  }

  #note({ bytes, fault }: Arrived): void {
    // The instrument speaks by itself.
    if (bytes.length === 0) return
    const body = bytes.toString('latin1').trim()
    const entry = this.#requests.add({ method: body.split(/\s/, 1)[0] ?? '', path: '', body })
    this.#notes.set(bytes, entry)
    if (!fault || !this.#fault) return
    entry.fault = this.#fault.kind
    this.#timesLeft -= 1
    if (this.#timesLeft <= 0) this.#fault = null
  }

  /** The played instrument, with what it measures brought up to date before it is asked. */
  #living(): PlayedInstrument {
    const played = this.#played
    return {
      receive: (bytes) => {
        this.#measure()
        const before = JSON.stringify(played.state)
        const answers = played.receive(bytes)
        const entry = this.#notes.get(bytes as Buffer)
        if (entry) entry.acted = JSON.stringify(played.state) !== before
        return answers
      },
      reset: () => played.reset(),
      greeting: played.greeting,
      talks: played.talks,
    }
  }

  #measure(): void {
    const { measures } = this.#spec
    if (!measures) return
    const { variable, of, value, when = {}, noise } = measures
    const state = this.#options.stateOf(of)
    const isThere = state && Object.entries(when).every(([name, wanted]) => state[name] === wanted)
    const level = isThere ? Number(state[value]) : 0
    this.#played.set(variable, level + this.#options.random.normal(noise))
  }
}
