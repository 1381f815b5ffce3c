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

export interface Tc420Step {
  /** `HH:MM` */
  at: string
  /** %, five of them. */
  channels: number[]
  /** Bit n−1: channel n jumps instead of fading. */
  jumps: number
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

const PACKET_BYTES = 64
const CHECKSUM_AT = 61
const CLOCK = 0x11
const PROGRAM = 0x12
const STEP = 0x13
const END_STEPS = 0x01
const END_SESSION = 0x02
const DELETE_ALL = 0x03
const PLAY = 0x15
const CHANNELS = 0x16

/** A TC420 lamp controller as its USB end shows it. Source: the packets of github.com/wallneradam/tc420. */
export class Tc420Device {
  readonly #options: Tc420Options
  readonly #bus: UsbBus
  /** Packets as they came, oldest first. */
  readonly packets: Buffer[] = []
  /** `YYYY-MM-DD HH:MM:SS` as it was last set. */
  clock: string | null = null
  /** Stored programs by bank. */
  readonly programs = new Map<number, { name: string; steps: Tc420Step[] }>()
  #loading: { bank: number; name: string; left: number; steps: Tc420Step[] } | null = null
  #playing = false
  #channels = [0, 0, 0, 0, 0]
  #playTimer: NodeJS.Timeout | undefined
  readonly #lateTimers = new Set<NodeJS.Timeout>()
  #fault: Tc420Fault | null = null
  #faultsLeft = 0

  constructor(options: Tc420Options) {
    this.#options = options
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

  /** The light of each channel that the host has set, %; null when it is not in play mode. */
  get light(): readonly number[] | null {
    return this.#playing ? [...this.#channels] : null
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
    this.#leavePlay()
    this.#loading = null
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
    const done = fault?.kind !== 'refuse' && this.#carryOut(packet)
    // This one is acknowledged by nothing.
    if (done && packet[2] === END_STEPS) return
    this.#answer(done ? success(packet) : packet, fault)
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
        return this.#bus.send('H', Buffer.alloc(PACKET_BYTES, '#'))
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

  /** @returns false when it refuses */
  #carryOut(packet: Buffer): boolean {
    if (!isWhole(packet)) return false
    const data = packet.subarray(5, 5 + packet.readUInt16BE(3))
    switch (packet[2]) {
      case CLOCK:
        return this.#setClock(data)
      case PROGRAM:
        return this.#beginProgram(data)
      case STEP:
        return this.#addStep(data)
      case END_STEPS:
        return this.#endSteps()
      case END_SESSION:
        this.#loading = null
        this.#leavePlay()
        return true
      case DELETE_ALL:
        this.programs.clear()
        return true
      case PLAY:
        return this.#play(data)
      case CHANNELS:
        return this.#setChannels(data)
      default:
        return false
    }
  }

  #setClock(data: Buffer): boolean {
    if (data.length !== 7) return false
    const two = (value: number | undefined): string => String(value).padStart(2, '0')
    const [, , month, day, hour, minute, second] = data
    this.clock = `${data.readUInt16BE(0)}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
    return true
  }

  #beginProgram(data: Buffer): boolean {
    const [bank = 255, left = 0] = data
    const name = data.toString('latin1', 2)
    if (bank > 63 || left < 2 || name.length < 1 || name.length > 8) return false
    this.#loading = { bank, name, left, steps: [] }
    return true
  }

  #addStep(data: Buffer): boolean {
    const [hour = 99, minute = 99, ...rest] = data
    const channels = rest.slice(0, 5)
    if (!this.#loading || data.length !== 8 || hour > 23 || minute > 59 || !areDuties(channels)) return false
    const two = (value: number): string => String(value).padStart(2, '0')
    this.#loading.steps.push({ at: `${two(hour)}:${two(minute)}`, channels, jumps: rest[5] ?? 0 })
    return true
  }

  #endSteps(): boolean {
    const loading = this.#loading
    this.#loading = null
    if (!loading || loading.steps.length !== loading.left) return false
    this.programs.set(loading.bank, { name: loading.name, steps: loading.steps })
    return true
  }

  #play(data: Buffer): boolean {
    if (data.length < 3 || data.length > 10 || data.readUInt16BE(data.length - 2) !== 0x7f) return false
    this.#playing = true
    this.#keepPlaying()
    return true
  }

  #setChannels(data: Buffer): boolean {
    const channels = [...data.subarray(1, 6)]
    if (!this.#playing || data.length !== 7 || data[0] !== 0xf5 || !areDuties(channels)) return false
    this.#channels = channels
    this.#keepPlaying()
    return true
  }

  #keepPlaying(): void {
    clearTimeout(this.#playTimer)
    this.#playTimer = setTimeout(() => this.#leavePlay(), this.#options.playMs ?? 3000)
  }

  #leavePlay(): void {
    clearTimeout(this.#playTimer)
    this.#playing = false
    this.#channels = [0, 0, 0, 0, 0]
  }
}

function isWhole(packet: Buffer): boolean {
  if (packet.length !== PACKET_BYTES || packet.readUInt16BE(0) !== 0x55aa || packet.readUInt16BE(3) > 56)
    return false
  const sum = packet.subarray(0, CHECKSUM_AT).reduce((total, byte) => total + byte, 0)
  return (packet[CHECKSUM_AT] ?? -1) === sum % 256 && packet.readUInt16BE(62) === 0x0d0a
}

function areDuties(channels: readonly number[]): boolean {
  return channels.length === 5 && channels.every((duty) => duty <= 100)
}

/** The answer to a packet that was taken: one byte of data, 0. No magic, no checksum. */
function success(packet: Buffer): Buffer {
  const answer = Buffer.alloc(PACKET_BYTES)
  answer[2] = packet[2] ?? 0
  answer.writeUInt16BE(1, 3)
  return answer
}
