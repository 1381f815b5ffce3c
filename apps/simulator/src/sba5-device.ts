import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, messageOf } from '@golem/core'
import type { Logger } from 'pino'
import { DeviceBase } from './device-base.ts'
import type { RunningDevice, Sba5Spec } from './device.ts'
import { acts, type Fault, type FaultKind, padding } from './faults.ts'
import { Pty } from './pty.ts'
import type { RequestEntry } from './request-log.ts'
import { Sba5Analyser } from './sba5-analyser.ts'
import { isSingle, Sba5CommandReader } from './sba5-settings.ts'
import type { Stand } from './stand.ts'

export interface Sba5DeviceOptions {
  /** Where its serial port is to appear. */
  path: string
  replyDelayMs: number
  log: Logger
}

const BAUD_RATE = 19_200
const END = '\r\n'
const GARBAGE = 'M 5o8\u0007~5 ##### \u0001\u007f,,-'
const UNFITTING: readonly FaultKind[] = ['http500', 'sensorMissing', 'exception', 'wrongUnit']

/** An SBA-5 on a pseudo terminal: the analyser, its line, and what can go wrong with them. */
export class Sba5Device extends DeviceBase implements RunningDevice {
  readonly kind = 'sba5'
  readonly #options: Sba5DeviceOptions
  readonly #analyser: Sba5Analyser
  #reader = new Sba5CommandReader()
  #pty: Pty | null = null
  #clientFaults = 0
  #turn: Promise<void> = Promise.resolve()
  #settling: Promise<void> = Promise.resolve()

  private constructor(spec: Sba5Spec, stand: Stand, clock: Clock, options: Sba5DeviceOptions) {
    super(spec.name, { what: 'a serial line', fits: (kind) => !UNFITTING.includes(kind), rebootSeconds: 3 })
    this.#options = options
    this.#analyser = new Sba5Analyser(spec, stand, clock, (line) => this.#pty?.write(line + END))
  }

  /** Starts one. @throws CONFIG_INVALID when socat is missing */
  static async start(
    spec: Sba5Spec,
    stand: Stand,
    clock: Clock,
    options: Sba5DeviceOptions,
  ): Promise<Sba5Device> {
    const device = new Sba5Device(spec, stand, clock, options)
    await device.settle()
    device.#analyser.powerOn()
    return device
  }

  get address(): string {
    const path = this.#options.path.split('/').map(encodeURIComponent).join('/')
    return `serial:${path}?baud=${BAUD_RATE}`
  }

  override resetCounters(): void {
    super.resetCounters()
    this.#clientFaults = 0
  }

  state(): Record<string, unknown> {
    return {
      ...this.#analyser.state(),
      reachable: this.#pty !== null,
      plugged: this.isPlugged,
      clientFaults: this.#clientFaults,
    }
  }

  protected override powerOff(): void {
    this.#turn = Promise.resolve()
    this.#analyser.powerOff()
  }

  protected override powerOn(): void {
    this.#analyser.powerOn()
  }

  /** Makes or removes the port, as it now should be. Steps follow each other. */
  protected override settle(): Promise<void> {
    const step = this.#settling.then(async () => {
      const wanted = this.isReachable
      if (wanted && !this.#pty) {
        this.#reader = new Sba5CommandReader()
        this.#pty = await Pty.open(this.#options.path, (bytes) => this.#receive(bytes.toString('latin1')))
      }
      if (!wanted && this.#pty) {
        const pty = this.#pty
        this.#pty = null
        await pty.close()
      }
    })
    // One that failed is told to its caller; the next one tries again.
    this.#settling = step.catch(() => undefined)
    return step
  }

  #receive(bytes: string): void {
    for (const command of this.#reader.push(bytes)) {
      const entry = this.log.add({ method: command.charAt(0), path: '', body: command })
      const life = this.life
      this.#turn = this.#turn
        .then(() => (life === this.life ? this.#serve(command, entry, life) : undefined))
        .catch((error: unknown) => {
          this.#options.log.error({ device: this.name, command }, `not answered: ${messageOf(error)}`)
        })
    }
  }

  async #serve(command: string, entry: RequestEntry, life: number): Promise<void> {
    const fault = this.faults.take(entry)
    if (fault) entry.fault = fault.kind
    const { lines, acted, understood } = this.#analyser.execute(command, acts(fault))
    entry.acted = acted
    if (!understood) this.#clientFaults += 1
    if (fault?.kind === 'silence') return
    const lateMs =
      fault?.kind === 'delay' ? (fault.ms ?? 1000) : fault?.kind === 'late' ? (fault.ms ?? 2600) : 0
    const waitMs = this.#options.replyDelayMs + lateMs
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false })
    if (life === this.life)
      this.#pty?.write(spoil(lines, fault, isSingle(command) ? this.#analyser.co2Position : null))
  }
}

/**
 * An answer as it goes out, with what the fault makes of it.
 *
 * @param co2Position - which field of a measurement is the CO2 value; null: it is an acknowledgement
 */
function spoil(lines: readonly string[], fault: Fault | null, co2Position: number | null): string {
  const text = lines.map((line) => line + END).join('')
  switch (fault?.kind) {
    case 'garbage':
      return GARBAGE + END
    case 'cut':
      return text.slice(0, Math.floor(text.length / 2))
    case 'duplicate':
      return text + text
    case 'hugeReply':
      return padding(fault.bytes ?? 1_200_000) + END
    case 'wrongValue':
      return lines.map((line) => misprint(line, fault, co2Position) + END).join('')
    default:
      return text
  }
}

/** A wrong CO2 value in a measurement, a wrong last digit in an acknowledgement. */
function misprint(line: string, fault: Fault, co2Position: number | null): string {
  if (co2Position === null) return line.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10))
  const fields = line.split(' ')
  if (fields[0] === 'M') fields[co2Position] = String(fault.value ?? 999)
  return fields.join(' ')
}
