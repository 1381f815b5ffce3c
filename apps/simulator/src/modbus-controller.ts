import type { Clock } from '@golem/core'

/** What a unit answers; a number: the code of an exception. */
export type ModbusAnswer = { pdu: Buffer; acted: boolean } | number

const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3

/** What register 0 says, by which the model knows it. */
const IDENTITY = 0x7e41
/** What register 2 and coil 0 are at power-on. */
const STOPPED = 0
const RUNNING = 1
const NO_SENSOR = 0x7fff

/** Words that mean nothing to the controller, to be used as one likes. */
const FREE = { from: 100, to: 1099 }
/** The heater's full power warms the oven to that much above its surroundings, K. */
const REACH = 300
/** How fast the oven follows, s. */
const TIME_CONSTANT = 20
/** Power for each kelvin below the set-point, and for each kelvin and second, %. */
const GAIN = 4
const INTEGRAL = 0.2
const LONGEST_STEP = 0.25
const MOST_STEPS = 2000

/**
 * A temperature controller with an oven, as `modbus-temperature-controller` describes it:
 *
 * - input registers: 0 temperature (0.1 °C, 7FFF: no sensor), 1 power (0.1 %), 2 status (bit 0 runs, 1 above, 2
 *   below its alarm limits), 3 and 4 seconds since power-on (32 bits, high word first)
 * - holding registers: 0 identity, 1 set-point (0.1 °C), 2 mode (0 stopped, 1 runs), 3 and 4 upper and lower alarm
 *   limit (0.1 °C), 5 and 6 ramp (float32, low word first, °C/min; 0 none), 7 to 14 name (text)
 * - holding registers 100 to 1099: free
 * - coil 0: runs; coils 16 to 31: outputs without a meaning; discrete inputs 0 and 1: above and below
 */
export class ModbusController {
  readonly #clock: Clock
  readonly #ambient: number
  readonly #holding = new Map<number, number>()
  readonly #outputs = new Set<number>()
  #sensor = true
  #temperature: number
  #power = 0
  #integral = 0
  #goal: number
  #advancedTo: number
  #startedAt: number

  /** @param ambient - what the oven cools down to, °C */
  constructor(clock: Clock, ambient = 21) {
    this.#clock = clock
    this.#ambient = ambient
    this.#temperature = ambient
    this.#goal = ambient
    this.#advancedTo = clock.now()
    this.#startedAt = clock.now()
    const name = Buffer.from('OVEN'.padEnd(16, '\0'))
    const settings = [IDENTITY, 250, STOPPED, 3000, 0, 0, 0]
    for (let at = 0; at < name.length; at += 2) settings.push(name.readUInt16BE(at))
    for (const [address, word] of settings.entries()) this.#holding.set(address, word)
  }

  /** Power is back: settings are kept, it is stopped, outputs are off. */
  boot(): void {
    this.#advance()
    this.#holding.set(2, STOPPED)
    this.#outputs.clear()
    this.#power = 0
    this.#startedAt = this.#clock.now()
  }

  /** Takes the sensor off, or puts it on again. */
  fit(sensor: boolean): void {
    this.#sensor = sensor
  }

  state(): Record<string, unknown> {
    this.#advance()
    return {
      temperature: Math.round(this.#temperature * 100) / 100,
      power: Math.round(this.#power * 10) / 10,
      setPoint: signed(this.#word(1)) / 10,
      runs: this.#runs,
      outputs: [...this.#outputs],
    }
  }

  /** A word of the holding registers, for tests. */
  holding(address: number): number | undefined {
    return this.#holding.get(address) ?? (isFree(address) ? 0 : undefined)
  }

  /** Carries a request out. @param act - false: says that it does and does not */
  execute(pdu: Buffer, act: boolean): ModbusAnswer {
    this.#advance()
    if (pdu.length < 5) return ILLEGAL_VALUE
    const [code, address, count] = [pdu[0] ?? 0, pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
    switch (code) {
      case 1:
      case 2:
        return this.#readBits(code, address, count)
      case 3:
      case 4:
        return this.#readWords(code, address, count)
      case 5:
        if (count !== 0 && count !== 0xff00) return ILLEGAL_VALUE
        return this.#writeBits(pdu, address, [count !== 0], act)
      case 6:
        return this.#writeWords(pdu, address, [count], act)
      case 15:
        if (count < 1 || count > 1968 || pdu[5] !== Math.ceil(count / 8)) return ILLEGAL_VALUE
        return this.#writeBits(
          pdu.subarray(0, 5),
          address,
          Array.from({ length: count }, (_, n) => (((pdu[6 + (n >> 3)] ?? 0) >> (n & 7)) & 1) === 1),
          act,
        )
      case 16:
        if (count < 1 || count > 123 || pdu[5] !== 2 * count || pdu.length !== 6 + 2 * count)
          return ILLEGAL_VALUE
        return this.#writeWords(
          pdu.subarray(0, 5),
          address,
          Array.from({ length: count }, (_, n) => pdu.readUInt16BE(6 + 2 * n)),
          act,
        )
      default:
        return ILLEGAL_FUNCTION
    }
  }

  #readBits(code: number, address: number, count: number): ModbusAnswer {
    if (count < 1 || count > 2000) return ILLEGAL_VALUE
    const data = Buffer.alloc(Math.ceil(count / 8))
    for (let n = 0; n < count; n += 1) {
      const bit = code === 1 ? this.#coil(address + n) : this.#discrete(address + n)
      if (bit === undefined) return ILLEGAL_ADDRESS
      if (bit) data[n >> 3] = (data[n >> 3] ?? 0) | (1 << (n & 7))
    }
    return { pdu: Buffer.concat([Buffer.of(code, data.length), data]), acted: false }
  }

  #readWords(code: number, address: number, count: number): ModbusAnswer {
    if (count < 1 || count > 125) return ILLEGAL_VALUE
    const data = Buffer.alloc(2 * count)
    for (let n = 0; n < count; n += 1) {
      const word = code === 3 ? this.holding(address + n) : this.#input(address + n)
      if (word === undefined) return ILLEGAL_ADDRESS
      data.writeUInt16BE(word, 2 * n)
    }
    return { pdu: Buffer.concat([Buffer.of(code, data.length), data]), acted: false }
  }

  #writeBits(answer: Buffer, address: number, bits: readonly boolean[], act: boolean): ModbusAnswer {
    if (bits.some((_, n) => this.#coil(address + n) === undefined)) return ILLEGAL_ADDRESS
    for (const [n, on] of bits.entries()) {
      if (!act) break
      if (address + n === 0) this.#holding.set(2, on ? RUNNING : STOPPED)
      else if (on) this.#outputs.add(address + n)
      else this.#outputs.delete(address + n)
    }
    return { pdu: answer, acted: act }
  }

  #writeWords(answer: Buffer, address: number, words: readonly number[], act: boolean): ModbusAnswer {
    for (const [n, word] of words.entries()) {
      const at = address + n
      if (at === 0 || this.holding(at) === undefined) return ILLEGAL_ADDRESS
      const wrong =
        (at === 2 && word > RUNNING) ||
        ([1, 3, 4].includes(at) && (signed(word) < -1000 || signed(word) > 4000))
      if (wrong) return ILLEGAL_VALUE
    }
    if (act) for (const [n, word] of words.entries()) this.#holding.set(address + n, word)
    return { pdu: answer, acted: act }
  }

  get #runs(): boolean {
    return this.#word(2) === RUNNING
  }

  #word(address: number): number {
    return this.#holding.get(address) ?? 0
  }

  #coil(address: number): boolean | undefined {
    if (address === 0) return this.#runs
    return address >= 16 && address <= 31 ? this.#outputs.has(address) : undefined
  }

  #discrete(address: number): boolean | undefined {
    if (address === 0) return this.#temperature > signed(this.#word(3)) / 10
    return address === 1 ? this.#temperature < signed(this.#word(4)) / 10 : undefined
  }

  #input(address: number): number | undefined {
    const seconds = Math.floor((this.#clock.now() - this.#startedAt) / 1000)
    const status = [this.#runs, this.#discrete(0), this.#discrete(1)]
    switch (address) {
      case 0:
        return this.#sensor ? Math.round(this.#temperature * 10) & 0xffff : NO_SENSOR
      case 1:
        return Math.round(this.#power * 10)
      case 2:
        return status.reduce((word, on, bit) => word + (on === true ? 1 << bit : 0), 0)
      case 3:
        return (seconds >>> 16) & 0xffff
      case 4:
        return seconds & 0xffff
      default:
        return undefined
    }
  }

  #advance(): void {
    const now = this.#clock.now()
    const seconds = (now - this.#advancedTo) / 1000
    if (seconds <= 0) return
    this.#advancedTo = now
    const steps = Math.min(MOST_STEPS, Math.ceil(seconds / LONGEST_STEP))
    for (let step = 0; step < steps; step += 1) this.#step(seconds / steps)
  }

  #step(seconds: number): void {
    const setPoint = signed(this.#word(1)) / 10
    const ramp = this.#ramp
    const change = setPoint - this.#goal
    this.#goal =
      ramp > 0 ? this.#goal + Math.sign(change) * Math.min(Math.abs(change), (ramp / 60) * seconds) : setPoint
    if (this.#runs) {
      const missing = this.#goal - this.#temperature
      const wanted = GAIN * missing + this.#integral
      if (wanted > 0 && wanted < 100) this.#integral += INTEGRAL * missing * seconds
      this.#power = Math.min(100, Math.max(0, wanted))
    } else {
      this.#power = 0
      this.#integral = 0
      this.#goal = this.#temperature
    }
    const end = this.#ambient + (REACH * this.#power) / 100
    this.#temperature += (end - this.#temperature) * (1 - Math.exp(-seconds / TIME_CONSTANT))
  }

  get #ramp(): number {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt16BE(this.#word(6), 0)
    bytes.writeUInt16BE(this.#word(5), 2)
    return bytes.readFloatBE(0)
  }
}

function isFree(address: number): boolean {
  return address >= FREE.from && address <= FREE.to
}

function signed(word: number): number {
  return word > 0x7fff ? word - 0x1_0000 : word
}
