import { type ErrorCode, GolemError } from '@golem/core'

/** The most that one request may read or write (Modbus Application Protocol 1.1b3). */
export const MODBUS_LIMITS = { readBits: 2000, readWords: 125, writeBits: 1968, writeWords: 123 } as const

/** A request without unit and frame, and what its answer has to be. */
export interface ModbusRequest {
  pdu: Buffer
  /** In words, for messages, e.g. `holding registers 0 to 1`. */
  what: string
  writes: boolean
  /** How many bytes a good answer has, without unit and frame. */
  answerBytes: number
  /** Is it a good answer to this request? It has that length and the request's function. */
  fits: (pdu: Buffer) => boolean
}

const READ = { coils: 1, 'discrete inputs': 2, 'holding registers': 3, 'input registers': 4 } as const
export type ModbusTable = keyof typeof READ

/** Reads bits or words. @throws INTERNAL when there are too many or none of them */
export function readRequest(table: ModbusTable, address: number, count: number): ModbusRequest {
  const bits = table === 'coils' || table === 'discrete inputs'
  const what = inWords('reading', table, address, count)
  check(address, count, bits ? MODBUS_LIMITS.readBits : MODBUS_LIMITS.readWords, what)
  const bytes = bits ? Math.ceil(count / 8) : 2 * count
  return {
    pdu: bytesOf(READ[table], address, count),
    what,
    writes: false,
    answerBytes: 2 + bytes,
    fits: (pdu) => pdu[1] === bytes,
  }
}

/** Function 5. */
export function writeCoilRequest(address: number, value: boolean): ModbusRequest {
  const what = `writing ${value} to coil ${address}`
  check(address, 1, 1, what)
  return echoed(bytesOf(5, address, value ? 0xff00 : 0), what)
}

/** Function 6. @throws INTERNAL when the value is no 16-bit word */
export function writeRegisterRequest(address: number, value: number): ModbusRequest {
  const what = `writing ${value} to holding register ${address}`
  check(address, 1, 1, what)
  checkWord(value, what)
  return echoed(bytesOf(6, address, value), what)
}

/** Function 15. */
export function writeCoilsRequest(address: number, values: readonly boolean[]): ModbusRequest {
  const what = inWords('writing', 'coils', address, values.length)
  check(address, values.length, MODBUS_LIMITS.writeBits, what)
  const data = Buffer.alloc(Math.ceil(values.length / 8))
  for (const [n, value] of values.entries()) if (value) data[n >> 3] = (data[n >> 3] ?? 0) | (1 << (n & 7))
  return many(bytesOf(15, address, values.length), data, what)
}

/** Function 16. @throws INTERNAL when a value is no 16-bit word */
export function writeRegistersRequest(address: number, values: readonly number[]): ModbusRequest {
  const what = inWords('writing', 'holding registers', address, values.length)
  check(address, values.length, MODBUS_LIMITS.writeWords, what)
  const data = Buffer.alloc(2 * values.length)
  for (const [n, value] of values.entries()) {
    checkWord(value, what)
    data.writeUInt16BE(value, 2 * n)
  }
  return many(bytesOf(16, address, values.length), data, what)
}

/** The bits of a good answer. */
export function bitsOf(pdu: Buffer, count: number): boolean[] {
  return Array.from({ length: count }, (_, n) => (((pdu[2 + (n >> 3)] ?? 0) >> (n & 7)) & 1) === 1)
}

/** The words of a good answer. */
export function wordsOf(pdu: Buffer, count: number): number[] {
  return Array.from({ length: count }, (_, n) => pdu.readUInt16BE(2 + 2 * n))
}

const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledge: it has taken the request and is still working on it',
  6: 'device busy',
  7: 'negative acknowledge',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'the device behind the gateway does not answer',
}

/**
 * An exception as an error. Most of them say that nothing was done. Not so, for a write: 4 (it failed while it was
 * at it) and 5 (it is at it still); and 11, with which a gateway reports its own time-out, is one.
 */
export function exceptionError(where: string, request: ModbusRequest, code: number): GolemError {
  const name = EXCEPTIONS[code] ?? 'not in the standard'
  const said = `${where} answered ${request.what} with exception ${code} (${name})`
  const unknown: Readonly<Record<number, ErrorCode>> = request.writes
    ? { 4: 'REPLY_MALFORMED', 5: 'REPLY_TIMEOUT', 11: 'REPLY_TIMEOUT' }
    : { 11: 'REPLY_TIMEOUT' }
  const error = unknown[code]
  const details = { exception: code }
  if (error === undefined) return new GolemError('INSTRUMENT_REFUSED', `${said}.`, { details })
  return new GolemError(error, request.writes ? `${said}: it may have been done.` : `${said}.`, { details })
}

function echoed(pdu: Buffer, what: string): ModbusRequest {
  return { pdu, what, writes: true, answerBytes: 5, fits: (answer) => answer.equals(pdu) }
}

function many(head: Buffer, data: Buffer, what: string): ModbusRequest {
  const pdu = Buffer.concat([head, Buffer.of(data.length), data])
  return { pdu, what, writes: true, answerBytes: 5, fits: (answer) => answer.equals(head) }
}

function bytesOf(code: number, address: number, last: number): Buffer {
  const pdu = Buffer.alloc(5)
  pdu[0] = code
  pdu.writeUInt16BE(address, 1)
  pdu.writeUInt16BE(last, 3)
  return pdu
}

function inWords(doing: string, table: ModbusTable, address: number, count: number): string {
  if (count === 1) return `${doing} ${table.slice(0, -1)} ${address}`
  return `${doing} ${table} ${address} to ${address + count - 1}`
}

function check(address: number, count: number, most: number, what: string): void {
  const good =
    Number.isInteger(address) &&
    Number.isInteger(count) &&
    address >= 0 &&
    count >= 1 &&
    address + count <= 0x1_0000
  if (!good) throw new GolemError('INTERNAL', `${what}: addresses are 0 to 65535.`)
  if (count > most) throw new GolemError('INTERNAL', `${what}: one request takes ${most} at most.`)
}

function checkWord(value: number, what: string): void {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff) return
  throw new GolemError('INTERNAL', `${what}: ${value} is no 16-bit word (0 to 65535).`)
}
