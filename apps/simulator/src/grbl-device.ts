import type { Clock } from '@golem/core'
import { DeviceBase } from './device-base.ts'
import type { GrblSpec, RunningDevice } from './device.ts'
import { acts, type Fault, type FaultKind } from './faults.ts'
import { GrblController } from './grbl-controller.ts'
import { StreamPort } from './stream-port.ts'
import { isGrblRealTime } from './wire/requests.ts'

export interface GrblDeviceOptions {
  /** Where its serial port is to appear. */
  path: string
  replyDelayMs: number
}

const BAUD_RATE = 115_200
const LATE_MS = 2600
const GARBAGE = '<Id\u0007~e|MPos:##,\u00ff\u00fe\r\n'
const FITTING: readonly FaultKind[] = [
  'delay',
  'late',
  'silence',
  'refuse',
  'garbage',
  'cut',
  'stuck',
  'duplicate',
  'reboot',
]

/** A stage with Grbl on a serial port or TCP: the controller, its line, and what can go wrong with them. */
export class GrblDevice extends DeviceBase implements RunningDevice {
  readonly kind = 'grbl'
  readonly #options: GrblDeviceOptions
  readonly #controller: GrblController
  readonly #port: StreamPort
  readonly #spec: GrblSpec
  #piece = ''
  #asked = 0
  /** When the last answer to a line goes out, by the monotonic clock. */
  #answeredUntil = 0
  /** Lines that have not been answered yet, and the most there were at a time. */
  #outstanding = 0
  #mostOutstanding = 0

  private constructor(spec: GrblSpec, clock: Clock, options: GrblDeviceOptions) {
    super(spec.name, { what: 'a stage', fits: (kind) => FITTING.includes(kind), rebootSeconds: 1 })
    this.#spec = spec
    this.#options = options
    this.#controller = new GrblController(spec, clock, (text) => this.#port.write(text))
    const at = spec.line === 'tcp' ? { tcpPort: spec.port ?? 0 } : { path: options.path, baudRate: BAUD_RATE }
    this.#port = new StreamPort({ name: spec.name, at, onBytes: (bytes) => this.#receive(bytes) })
  }

  /** Starts one. @throws CONFIG_INVALID when its port is taken, or socat is missing */
  static async start(spec: GrblSpec, clock: Clock, options: GrblDeviceOptions): Promise<GrblDevice> {
    const device = new GrblDevice(spec, clock, options)
    device.#controller.powerOn()
    await device.settle()
    return device
  }

  get address(): string {
    return this.#port.address
  }

  override resetCounters(): void {
    super.resetCounters()
    this.#mostOutstanding = 0
  }

  state(): Record<string, unknown> {
    return {
      ...this.#controller.state(),
      reachable: this.#port.reachable,
      plugged: this.isPlugged,
      mostOutstanding: this.#mostOutstanding,
    }
  }

  /** A limit switch or the like. @param number - as in Grbl's table */
  alarm(number: number): void {
    this.#controller.alarm(number)
  }

  protected override powerOff(): void {
    this.#piece = ''
    this.#outstanding = 0
    this.#controller.powerOff()
  }

  protected override powerOn(): void {
    this.#controller.powerOn()
  }

  protected override async settle(): Promise<void> {
    const appeared = await this.#port.settle(this.isReachable)
    // The program that opens the port resets the board by its DTR wire, as an Arduino does it.
    if (appeared && this.#spec.resetOnPlug) this.#controller.powerOn()
  }

  #receive(bytes: Buffer): void {
    for (const byte of bytes) {
      const character = String.fromCharCode(byte)
      if (isGrblRealTime(byte)) this.#realTime(byte)
      else if (character !== '\n' && character !== '\r') this.#piece += character
      else if (character === '\n' || this.#piece !== '') {
        const line = this.#piece
        this.#piece = ''
        this.#line(line)
      }
    }
  }

  #realTime(byte: number): void {
    const method = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `0x${byte.toString(16)}`
    const entry = this.log.add({ method, path: '', body: method })
    if (byte === 0x18) {
      // Everything pending is gone, also the answers to it.
      this.life += 1
      this.#piece = ''
      this.#outstanding = 0
      this.#answeredUntil = 0
    }
    const fault = byte === 0x3f ? this.faults.take(entry) : null
    if (fault) entry.fault = fault.kind
    if (byte === 0x3f) {
      this.#asked += 1
      if (this.#spec.dropStatusEvery && this.#asked % this.#spec.dropStatusEvery === 0) return
    }
    entry.acted = byte !== 0x3f
    this.#controller.realTime(byte, (text) => this.#answer(text, fault, false))
  }

  #line(line: string): void {
    const entry = this.log.add({ method: line.slice(0, 2), path: '', body: line })
    const fault = this.faults.take(entry)
    if (fault) entry.fault = fault.kind
    entry.acted = acts(fault)
    this.#outstanding += 1
    this.#mostOutstanding = Math.max(this.#mostOutstanding, this.#outstanding)
    const life = this.life
    const answer = (text: string): void => {
      if (/^(ok|error:\d+)\r\n$/m.test(text) && life === this.life) this.#outstanding -= 1
      this.#answer(text, fault, true)
    }
    if (entry.acted) this.#controller.line(line, answer)
    else answer('ok\r\n')
  }

  /** @param inTurn - the answer to a line: it never overtakes one to an earlier line */
  #answer(text: string, fault: Fault | null, inTurn: boolean): void {
    if (fault?.kind === 'silence') return
    const late = fault?.kind === 'late' ? (fault.ms ?? LATE_MS) : 0
    const waitMs = this.#options.replyDelayMs + (fault?.kind === 'delay' ? (fault.ms ?? 1000) : late)
    const life = this.life
    const now = performance.now()
    const at = Math.max(now + waitMs, inTurn ? this.#answeredUntil : 0)
    if (inTurn) this.#answeredUntil = at
    const send = (): void => {
      if (life === this.life) this.#port.write(spoil(text, fault))
    }
    if (at <= now) send()
    else setTimeout(send, at - now).unref()
  }
}

function spoil(text: string, fault: Fault | null): string {
  switch (fault?.kind) {
    case 'garbage':
      return GARBAGE
    case 'cut':
      return text.slice(0, Math.floor(text.length / 2))
    case 'duplicate':
      return text + text
    default:
      return text
  }
}
