import type { Clock } from '@golem/core'
import { DeviceBase } from './device-base.ts'
import type { RunningDevice, StreamSpec } from './device.ts'
import type { Fault, FaultKind } from './faults.ts'
import type { Stand } from './stand.ts'
import { StreamPort } from './stream-port.ts'

const BAUD_RATE = 4800
const END = '\r\n'
/** What a line at the wrong speed gives. */
const GARBAGE = Buffer.from([0x80, 0xff, 0x24, 0x9c, 0xe0, 0xfe, 0x0a, 0x86, 0xf8, 0x80])
const BANNER = '\r\nBoot v2.1 reset cause 4\r\n'
const NO_END_BYTES = 10_240
const FITTING: readonly FaultKind[] = [
  'silence',
  'refuse',
  'garbage',
  'cut',
  'wrongValue',
  'duplicate',
  'hugeReply',
  'reboot',
]

/** A weather station that talks by itself: NMEA 0183 lines, each with its number as the temperature. */
export class StreamDevice extends DeviceBase implements RunningDevice {
  readonly kind = 'stream'
  readonly #spec: StreamSpec
  readonly #stand: Stand
  readonly #clock: Clock
  readonly #port: StreamPort
  #timer: NodeJS.Timeout | undefined
  #startedAt: number
  #sent = 0
  #owed = 0

  private constructor(spec: StreamSpec, stand: Stand, clock: Clock, path: string) {
    super(spec.name, { what: 'a stream', fits: (kind) => FITTING.includes(kind), rebootSeconds: 1 })
    this.#spec = spec
    this.#stand = stand
    this.#clock = clock
    this.#startedAt = clock.now()
    const at = spec.line === 'tcp' ? { tcpPort: spec.port ?? 0 } : { path, baudRate: BAUD_RATE }
    this.#port = new StreamPort({
      name: spec.name,
      at,
      // It does not listen; it counts what it is told all the same.
      onBytes: (bytes) => {
        const body = bytes.toString('latin1')
        this.log.add({ method: 'heard', path: '', body })
      },
    })
  }

  /** Starts one. @throws CONFIG_INVALID when its port is taken, or socat is missing */
  static async start(
    spec: StreamSpec,
    stand: Stand,
    clock: Clock,
    options: { path: string },
  ): Promise<StreamDevice> {
    const device = new StreamDevice(spec, stand, clock, options.path)
    await device.settle()
    device.#timer = setInterval(() => device.#tick(), Math.max(5, 500 / (spec.perSecond ?? 1)))
    return device
  }

  get address(): string {
    return this.#port.address
  }

  /** `duplicate` is the double rate, `hugeReply` bytes without a line end, `wrongValue` a wrong checksum. */
  override async setFault(fault: Fault | null): Promise<void> {
    await super.setFault(fault)
    if (fault?.kind === 'hugeReply') this.#port.write('x'.repeat(fault.bytes ?? NO_END_BYTES))
  }

  state(): Record<string, unknown> {
    return { sent: this.#sent, reachable: this.#port.reachable, plugged: this.isPlugged }
  }

  override async close(): Promise<void> {
    clearInterval(this.#timer)
    await super.close()
  }

  protected override powerOff(): void {
    this.#owed = 0
  }

  protected override powerOn(): void {
    this.#port.write(BANNER)
  }

  protected override async settle(): Promise<void> {
    await this.#port.settle(this.isReachable)
  }

  /** Sends what is due since the last time. */
  #tick(): void {
    const now = this.#clock.now()
    const rate = (this.#spec.perSecond ?? 1) * (this.faults.current?.kind === 'duplicate' ? 2 : 1)
    this.#owed += ((now - this.#startedAt) / 1000) * rate
    this.#startedAt = now
    for (; this.#owed >= 1; this.#owed -= 1) this.#say()
  }

  /** Air and wind by turns. */
  #weather(): string {
    if (this.#sent % 2 === 0) {
      const { speed, from } = windAt(this.#clock.now() / 1000)
      return `WIMWV,${from.toFixed(1)},T,${speed.toFixed(1)},K,A`
    }
    const temperature = this.#stand.measure('room.temperature').toFixed(1)
    const humidity = this.#stand.measure('room.humidity').toFixed(1)
    return `WIXDR,C,${temperature},C,TEMP1,H,${humidity},P,RH1`
  }

  #say(): void {
    if (
      this.isRebooting ||
      this.faults.current?.kind === 'silence' ||
      this.faults.current?.kind === 'hugeReply'
    )
      return
    this.#sent += 1
    const line = nmea(
      this.#spec.measures ? this.#weather() : `WIXDR,C,${(this.#sent / 10).toFixed(1)},C,TEMP1`,
    )
    switch (this.faults.current?.kind) {
      case 'garbage':
        return this.#port.write(GARBAGE)
      case 'cut':
        return this.#port.write(line.slice(0, 12))
      case 'wrongValue':
        return this.#port.write(line.replace('C,', 'C,9') + END)
      default:
        return this.#port.write(line + END)
    }
  }
}

/** A wind that comes in gusts and turns slowly, km/h and degrees, from the time in s. */
function windAt(seconds: number): { speed: number; from: number } {
  const speed = 6 + 3 * Math.sin(seconds / 37) + 1.5 * Math.sin(seconds / 5.3)
  return { speed, from: (225 + 30 * Math.sin(seconds / 91) + 360) % 360 }
}

/** A sentence with its checksum: the exclusive or of what is between $ and *. */
function nmea(content: string): string {
  const sum = Buffer.from(content).reduce((before, byte) => before ^ byte, 0)
  return `$${content}*${sum.toString(16).toUpperCase().padStart(2, '0')}`
}
