import { Tc420Controller, type Tc420Step } from './tc420-controller.ts'
import { UsbBus } from './usbtmc-bus.ts'

/**
 * - `silence`: does what it is told and does not answer; `deaf`: does not even do it
 * - `late`: does it and answers only after `ms`
 * - `refuse`: repeats the request instead of doing it
 * - `garbage`: does it and answers nonsense; `short`: a report of 8 bytes; `duplicate`: answers twice
 */
export interface Tc420Fault {
  kind: 'silence' | 'deaf' | 'late' | 'refuse' | 'garbage' | 'short' | 'duplicate'
  /** late, default 1500 */
  ms?: number
  /** Only so many packets (default: all). */
  times?: number
  /** Only packets with this command code. */
  command?: number
}

export interface Tc420Options {
  /** Where its device file is to appear. */
  path: string
  /**
   * After so long without new channel values it leaves play mode, in ms (default 3000; how long a real one waits is not
   * known).
   */
  playMs?: number
}

const REPORT_BYTES = 64

/** A TC420 lamp controller as its USB end shows it. */
export class Tc420Device {
  readonly #options: Tc420Options
  readonly #bus: UsbBus
  readonly #controller: Tc420Controller
  /** Packets as they came, oldest first. */
  readonly packets: Buffer[] = []
  readonly #lateTimers = new Set<NodeJS.Timeout>()
  #fault: Tc420Fault | null = null
  #faultsLeft = 0

  constructor(options: Tc420Options) {
    this.#options = options
    this.#controller = new Tc420Controller(options.playMs)
    this.#bus = new UsbBus(options.path, 'hid', { onReport: (report) => this.#onReport(report) })
  }

  /** Plugs it in. */
  static async start(options: Tc420Options): Promise<Tc420Device> {
    const device = new Tc420Device(options)
    await device.replug()
    return device
  }

  /** As golem takes it. */
  get address(): string {
    return `hid:${this.#options.path}`
  }

  /** How many programs on the host have it open. */
  get hosts(): number {
    return this.#bus.hosts
  }

  /** `YYYY-MM-DD HH:MM:SS` as it was last set. */
  get clock(): string | null {
    return this.#controller.clock
  }

  /** Stored programs by bank. */
  get programs(): ReadonlyMap<number, { name: string; steps: Tc420Step[] }> {
    return this.#controller.programs
  }

  /** The light of each channel that the host has set, %; null when it is not in play mode. */
  get light(): readonly number[] | null {
    return this.#controller.light
  }

  /** How many packets had this command code. */
  count(command: number): number {
    return this.packets.filter((packet) => packet[2] === command).length
  }

  /** Makes it misbehave; null: it behaves again. */
  setFault(fault: Tc420Fault | null): void {
    this.#fault = fault
    this.#faultsLeft = fault?.times ?? Infinity
  }

  replug(): Promise<void> {
    return this.#bus.plug()
  }

  /** Pulls the cable: it is powered by the lamps' supply and keeps its programs. */
  async unplug(): Promise<void> {
    this.#controller.interrupt()
    for (const timer of this.#lateTimers) clearTimeout(timer)
    this.#lateTimers.clear()
    await this.#bus.unplug()
  }

  close(): Promise<void> {
    return this.unplug()
  }

  #onReport(report: Buffer): void {
    const packet = Buffer.from(report)
    this.packets.push(packet)
    const fault = this.#takeFault(packet[2] ?? 0)
    if (fault?.kind === 'deaf') return
    const answer = this.#controller.take(packet, fault?.kind === 'refuse')
    if (answer) this.#answer(answer, fault)
  }

  #answer(answer: Buffer, fault: Tc420Fault | null): void {
    switch (fault?.kind) {
      case 'silence':
        return
      case 'late': {
        const timer = setTimeout(() => {
          this.#lateTimers.delete(timer)
          this.#bus.send('H', answer)
        }, fault.ms ?? 1500)
        this.#lateTimers.add(timer)
        return
      }
      case 'garbage':
        return this.#bus.send('H', Buffer.alloc(REPORT_BYTES, '#'))
      case 'short':
        return this.#bus.send('H', answer.subarray(0, 8))
      case 'duplicate':
        this.#bus.send('H', answer)
        return this.#bus.send('H', answer)
      default:
        return this.#bus.send('H', answer)
    }
  }

  #takeFault(command: number): Tc420Fault | null {
    const fault = this.#fault
    if (!fault || this.#faultsLeft <= 0 || (fault.command ?? command) !== command) return null
    this.#faultsLeft -= 1
    return fault
  }
}
