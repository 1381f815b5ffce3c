import {
  type ErrorCode,
  GolemError,
  type ModbusAddress,
  type ModbusDriver,
  type ModbusIo,
  nameOf,
  type SerialSettings,
} from '@golem/core'
import type { ChannelState, Gate } from './conversation.ts'
import { exchangeChannel } from './exchange-channel.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import {
  bitsOf,
  type ModbusRequest,
  readRequest,
  wordsOf,
  writeCoilRequest,
  writeCoilsRequest,
  writeRegisterRequest,
  writeRegistersRequest,
} from './modbus-pdu.ts'
import { ModbusWire } from './modbus-wire.ts'
import { type Talk, Turns } from './turns.ts'

const SERIAL_KEYS = [
  'baudRate',
  'dataBits',
  'parity',
  'stopBits',
  'flowControl',
  'dtr',
  'rts',
] as const satisfies readonly (keyof SerialSettings)[]

/** Modbus units on one line or behind one connection: one request at a time. */
export class ModbusLink implements Link {
  readonly #options: LinkOptions & { endpoint: ModbusAddress }
  readonly #where: string
  readonly #turns: Turns
  #wire: ModbusWire | undefined
  #settings: SerialSettings | undefined

  constructor(options: LinkOptions & { endpoint: ModbusAddress }) {
    this.#options = options
    this.#where = nameOf(options.endpoint.place)
    this.#turns = new Turns(this.#where)
  }

  attach({ driver, endpoint }: AttachOptions): Channel {
    const { framing } = this.#options.endpoint
    if (driver.transport !== 'modbus' || endpoint.kind !== 'modbus') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}" on a Modbus link: write a modbus-tcp:// or modbus-rtu: address and a model that speaks Modbus.`,
      )
    }
    if (endpoint.framing !== framing) {
      throw new GolemError(
        'CONFIG_INVALID',
        `Two instruments at ${this.#where} speak differently (modbus-${framing} and modbus-${endpoint.framing}): write the same in both addresses.`,
      )
    }
    const wire = this.#wireFor(driver, endpoint)
    wire.gapMs = Math.max(wire.gapMs, driver.link.gapMs)
    let generation = 0
    const prepare = async (_talk: Talk, state: ChannelState): Promise<void> => {
      await wire.open()
      if (generation !== wire.generation) state.standing = 'unknown'
      generation = wire.generation
    }
    return exchangeChannel({
      driver,
      where: nameOf(endpoint),
      turns: this.#turns,
      guard: this.#options.guard,
      ioFor: (gate) => ioFor(wire, driver, endpoint, gate),
      prepare,
    })
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#turns.close(reason)
    await this.#wire?.end()
  }

  /** All units of a line share its settings, so the first one's are the line's. */
  #wireFor(driver: ModbusDriver, { place }: ModbusAddress): ModbusWire {
    const settings = Object.fromEntries(
      SERIAL_KEYS.flatMap((key) => {
        const value = (place.kind === 'serial' ? place[key] : undefined) ?? driver.link[key]
        return value === undefined ? [] : [[key, value]]
      }),
    ) as SerialSettings
    const known = this.#settings
    if (known && place.kind === 'serial') {
      const differing = SERIAL_KEYS.filter((key) => known[key] !== settings[key])
      if (differing.length > 0) {
        throw new GolemError(
          'CONFIG_INVALID',
          `Two units on ${this.#where} need other line settings (${differing.join(', ')}): set all of them alike, and write it into their addresses.`,
        )
      }
    }
    this.#settings = settings
    this.#wire ??= new ModbusWire({
      place,
      framing: this.#options.endpoint.framing,
      where: this.#where,
      settings,
      onConnection: (up, message) => this.#options.onConnection?.(up, message),
    })
    return this.#wire
  }
}

function ioFor(wire: ModbusWire, driver: ModbusDriver, endpoint: ModbusAddress, gate: Gate): ModbusIo {
  const { talk, pass } = gate
  const where = nameOf(endpoint)
  let last: Promise<unknown> = Promise.resolve()
  // One at a time, also when a driver asks for several at once.
  const ask = (request: ModbusRequest): Promise<Buffer> => {
    const { replyTimeoutMs: timeoutMs } = driver.link
    const answer = last.then(() =>
      wire.exchange({ unit: endpoint.unit, request, where, timeoutMs, talk, pass }),
    )
    last = answer.catch(() => undefined)
    return answer
  }
  return {
    readCoils: async (address, count) => bitsOf(await ask(readRequest('coils', address, count)), count),
    readDiscreteInputs: async (address, count) =>
      bitsOf(await ask(readRequest('discrete inputs', address, count)), count),
    readHoldingRegisters: async (address, count) =>
      wordsOf(await ask(readRequest('holding registers', address, count)), count),
    readInputRegisters: async (address, count) =>
      wordsOf(await ask(readRequest('input registers', address, count)), count),
    writeCoil: async (address, value) => {
      await ask(writeCoilRequest(address, value))
    },
    writeCoils: async (address, values) => {
      await ask(writeCoilsRequest(address, values))
    },
    writeRegister: async (address, value) => {
      await ask(writeRegisterRequest(address, value))
    },
    writeRegisters: async (address, values) => {
      await ask(writeRegistersRequest(address, values))
    },
    sleep: (ms) => talk.sleep(ms),
  }
}
