export interface Tc420Step {
  /** `HH:MM` */
  at: string
  /** %, five of them. */
  channels: number[]
  /** Bit n−1: channel n jumps instead of fading. */
  jumps: number
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

/** What a TC420 lamp controller does with the packets it gets. Source: those of github.com/wallneradam/tc420. */
export class Tc420Controller {
  readonly #playMs: number
  /** `YYYY-MM-DD HH:MM:SS` as it was last set. */
  clock: string | null = null
  /** Stored programs by bank. */
  readonly programs = new Map<number, { name: string; steps: Tc420Step[] }>()
  #loading: { bank: number; name: string; left: number; steps: Tc420Step[] } | null = null
  #playing = false
  #channels = [0, 0, 0, 0, 0]
  #playTimer: NodeJS.Timeout | undefined

  /** @param playMs - after so long without new channel values it leaves play mode */
  constructor(playMs = 3000) {
    this.#playMs = playMs
  }

  /** The light of each channel that the host has set, %; null when it is not in play mode. */
  get light(): readonly number[] | null {
    return this.#playing ? [...this.#channels] : null
  }

  /**
   * Takes a packet.
   *
   * @param refuse - it says no
   * @returns the answer; null: this one is acknowledged by nothing
   */
  take(packet: Buffer, refuse = false): Buffer | null {
    const done = !refuse && this.#carryOut(packet)
    if (!done) return packet
    return packet[2] === END_STEPS ? null : success(packet)
  }

  /** The cable is pulled, or power has gone: stored programs stay. */
  interrupt(): void {
    this.leavePlay()
    this.#loading = null
  }

  /** Back to its programs. */
  leavePlay(): void {
    clearTimeout(this.#playTimer)
    this.#playing = false
    this.#channels = [0, 0, 0, 0, 0]
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
        this.leavePlay()
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
    this.#playTimer = setTimeout(() => this.leavePlay(), this.#playMs)
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
