import { GolemError, type ModbusIo } from '@golem/core'

/** Where an answer says that it is none. */
export const EXCEPTION = 0x80
export const ILLEGAL_FUNCTION = 1
const ILLEGAL_VALUE = 3

/** Unit, and function with its data: the longest frame of Modbus TCP behind its first six bytes. */
const MAX_LENGTH = 254

/** A frame of Modbus TCP. */
export interface ModbusFrame {
  /** Its answer has the same. */
  transaction: number
  unit: number
  /** Function and data. */
  pdu: Buffer
}

/** Cuts what a client sends into frames. */
export class ModbusFrames {
  #rest: Buffer = Buffer.alloc(0)

  /** @throws INVALID_REQUEST when it is no Modbus TCP */
  take(chunk: Buffer): ModbusFrame[] {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    const frames: ModbusFrame[] = []
    while (bytes.length >= 6) {
      const length = bytes.readUInt16BE(4)
      if (bytes.readUInt16BE(2) !== 0 || length < 2 || length > MAX_LENGTH) {
        throw new GolemError('INVALID_REQUEST', 'What it sends is no Modbus TCP.')
      }
      if (bytes.length < 6 + length) break
      const pdu = Buffer.from(bytes.subarray(7, 6 + length))
      frames.push({ transaction: bytes.readUInt16BE(0), unit: bytes[6] ?? 0, pdu })
      bytes = bytes.subarray(6 + length)
    }
    // A copy: a piece of a socket's buffer would hold all of it in memory.
    this.#rest = Buffer.from(bytes)
    return frames
  }
}

/** The bytes of a frame. */
export function bytesOf({ transaction, unit, pdu }: ModbusFrame): Buffer {
  const head = Buffer.alloc(7)
  head.writeUInt16BE(transaction, 0)
  head.writeUInt16BE(pdu.length + 1, 4)
  head[6] = unit
  return Buffer.concat([head, pdu])
}

/** An exception as an answer. */
export function exceptionTo(pdu: Buffer, code: number): Buffer {
  return Buffer.of((pdu[0] ?? 0) | EXCEPTION, code)
}

/** One request of a client. */
export interface ModbusErrand {
  /** In words. */
  text: string
  changes: boolean
  /** Has it carried out. @returns the answer, function and data */
  run: (io: ModbusIo) => Promise<Buffer>
}

/** The most that one request may read or write (Modbus Application Protocol 1.1b3, section 6). */
const MOST = { 1: 2000, 2: 2000, 3: 125, 4: 125, 15: 1968, 16: 123 } as const
const TABLES = { 1: 'coils', 2: 'discrete inputs', 3: 'holding registers', 4: 'input registers' } as const

/**
 * What a request asks for.
 *
 * @returns the code of an exception, for a function golem does not know or a request that can't be
 */
export function errandOf(pdu: Buffer): ModbusErrand | number {
  const code = pdu[0] ?? 0
  switch (code) {
    case 1:
    case 2:
    case 3:
    case 4:
      return reading(code, pdu)
    case 5:
    case 6:
      return writingOne(code, pdu)
    case 15:
    case 16:
      return writingMany(code, pdu)
    default:
      return ILLEGAL_FUNCTION
  }
}

function reading(code: 1 | 2 | 3 | 4, pdu: Buffer): ModbusErrand | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE
  const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
  if (count < 1 || count > MOST[code] || address + count > 0x1_0000) return ILLEGAL_VALUE
  const answer = (data: Buffer): Buffer => Buffer.concat([Buffer.of(code, data.length), data])
  const run = {
    1: async (io: ModbusIo) => answer(fromBits(await io.readCoils(address, count))),
    2: async (io: ModbusIo) => answer(fromBits(await io.readDiscreteInputs(address, count))),
    3: async (io: ModbusIo) => answer(fromWords(await io.readHoldingRegisters(address, count))),
    4: async (io: ModbusIo) => answer(fromWords(await io.readInputRegisters(address, count))),
  }[code]
  return { text: `read ${placed(TABLES[code], address, count)}`, changes: false, run }
}

function writingOne(code: 5 | 6, pdu: Buffer): ModbusErrand | number {
  if (pdu.length !== 5) return ILLEGAL_VALUE
  const [address, value] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
  if (code === 5 && value !== 0 && value !== 0xff00) return ILLEGAL_VALUE
  const run = async (io: ModbusIo): Promise<Buffer> => {
    await (code === 5 ? io.writeCoil(address, value !== 0) : io.writeRegister(address, value))
    return pdu
  }
  const text =
    code === 5
      ? `write ${value === 0 ? 'off' : 'on'} to coil ${address}`
      : `write ${value} to holding register ${address}`
  return { text, changes: true, run }
}

function writingMany(code: 15 | 16, pdu: Buffer): ModbusErrand | number {
  if (pdu.length < 6) return ILLEGAL_VALUE
  const [address, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
  const data = pdu.subarray(6)
  const bytes = code === 15 ? Math.ceil(count / 8) : 2 * count
  const fits = pdu[5] === bytes && data.length === bytes
  if (!fits || count < 1 || count > MOST[code] || address + count > 0x1_0000) return ILLEGAL_VALUE
  const run = async (io: ModbusIo): Promise<Buffer> => {
    if (code === 15) await io.writeCoils(address, toBits(data, count))
    else await io.writeRegisters(address, toWords(data))
    return pdu.subarray(0, 5)
  }
  const what = code === 15 ? toBits(data, count).map(Number).join('') : toWords(data).join(', ')
  const text = `write ${what} to ${placed(code === 15 ? TABLES[1] : TABLES[3], address, count)}`
  return { text, changes: true, run }
}

function placed(table: string, address: number, count: number): string {
  return count === 1 ? `${table.slice(0, -1)} ${address}` : `${table} ${address} to ${address + count - 1}`
}

function fromBits(bits: readonly boolean[]): Buffer {
  const data = Buffer.alloc(Math.ceil(bits.length / 8))
  for (const [n, bit] of bits.entries()) if (bit) data[n >> 3] = (data[n >> 3] ?? 0) | (1 << (n & 7))
  return data
}

function toBits(data: Buffer, count: number): boolean[] {
  return Array.from({ length: count }, (_, n) => (((data[n >> 3] ?? 0) >> (n & 7)) & 1) === 1)
}

function fromWords(words: readonly number[]): Buffer {
  const data = Buffer.alloc(2 * words.length)
  for (const [n, word] of words.entries()) data.writeUInt16BE(word, 2 * n)
  return data
}

function toWords(data: Buffer): number[] {
  return Array.from({ length: data.length / 2 }, (_, n) => data.readUInt16BE(2 * n))
}
