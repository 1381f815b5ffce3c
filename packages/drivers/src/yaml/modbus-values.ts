import { asGolemError, type Fault, fault, GolemError, isFault, type Value } from '@golem/core'
import type { ByteOrder, WordType } from './modbus-schema.ts'
import { fromNumbers, fromWireNumber, parseNumber, toWireNumber, type ValueForm } from './values.ts'

/** How a value stands in registers. */
export interface Layout {
  as: WordType
  order: ByteOrder
  /** Registers of one number, or of the text. */
  each: number
  /** How many numbers there are. */
  items: number
}

const WORDS: Readonly<Record<Exclude<WordType, 'text'>, number>> = {
  uint16: 1,
  int16: 1,
  bcd16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
  bcd32: 2,
  float64: 4,
}

/** How many registers one number of this type has. */
export function wordsOf(as: WordType, length: number): number {
  return as === 'text' ? length : WORDS[as]
}

const RANGE: Readonly<Partial<Record<WordType, readonly [low: number, high: number]>>> = {
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  bcd16: [0, 9999],
  bcd32: [0, 99_999_999],
}

/** The value that stands in these registers. What can't be one is a fault. */
export function fromWords(form: ValueForm, layout: Layout, words: readonly number[]): Value | Fault {
  try {
    const { as, each, items } = layout
    if (as === 'text') return textOf(bytesOf(words, layout))
    const numbers = Array.from({ length: items }, (_, n) => {
      const part = bytesOf(words.slice(n * each, (n + 1) * each), layout)
      return { number: numberOf(as, part), unsigned: unsignedOf(part) }
    })
    const declared = numbers.map((one) => declaredFault(form, one)).find((found) => found !== undefined)
    if (declared !== undefined) return fault(declared)
    if (form.type === 'array')
      return fromNumbers(
        form,
        numbers.map((one) => one.number),
      )
    return fromWireNumber(form, numbers[0]?.number ?? NaN)
  } catch (error) {
    return fault(asGolemError(error).message)
  }
}

/** The value of a bit. What can't be one is a fault. */
export function fromBit(form: ValueForm, bit: boolean): Value | Fault {
  try {
    return fromWireNumber(form, bit ? 1 : 0)
  } catch (error) {
    return fault(asGolemError(error).message)
  }
}

/** The bit for a value. */
export function toBit(form: ValueForm, value: Value): boolean {
  return toWireNumber(form, value) !== 0
}

/**
 * The registers for a value.
 *
 * @throws OUT_OF_RANGE when it does not fit into them
 */
export function toWords(form: ValueForm, layout: Layout, value: Value): number[] {
  const { as, each } = layout
  if (as === 'text') return inOrder(textBytes(String(value), 2 * each), layout)
  const numbers = typeof value === 'object' ? value : [value]
  if (form.type === 'array' && numbers.length !== layout.items) {
    throw refused(`It takes ${layout.items} numbers, not ${numbers.length}.`)
  }
  const itemForm: ValueForm = form.type === 'array' ? { ...form, type: 'number' } : form
  return numbers.flatMap((item) => inOrder(numberBytes(as, toWireNumber(itemForm, item)), layout))
}

/** How far a number read back may be off by what is lost in the register. */
export function rounding({ as }: Layout, { scale = 1 }: ValueForm, value: number): number {
  if (as === 'float64') return 0
  if (as === 'float32') return Math.abs(value) * 2 ** -23
  return Math.abs(scale) * 0.5 * (1 + 1e-9)
}

/** The registers in the order of their table, as bytes with the highest first; each register has its two bytes. */
function bytesOf(words: readonly number[], { order }: Layout): Buffer {
  const bytes = Buffer.alloc(2 * words.length)
  for (const [n, word] of words.entries()) bytes.writeUInt16BE(word, 2 * n)
  return arranged(bytes, order)
}

function inOrder(bytes: Buffer, { order }: Layout): number[] {
  const sorted = arranged(bytes, order)
  return Array.from({ length: sorted.length / 2 }, (_, n) => sorted.readUInt16BE(2 * n))
}

/** Each of the four orders is its own opposite. */
function arranged(bytes: Buffer, order: ByteOrder): Buffer {
  const sorted = Buffer.from(bytes)
  if (order === 'DCBA' || order === 'CDAB') sorted.reverse()
  if (order === 'CDAB' || order === 'BADC') sorted.swap16()
  return sorted
}

function numberOf(as: Exclude<WordType, 'text'>, bytes: Buffer): number {
  switch (as) {
    case 'uint16':
      return bytes.readUInt16BE(0)
    case 'int16':
      return bytes.readInt16BE(0)
    case 'uint32':
      return bytes.readUInt32BE(0)
    case 'int32':
      return bytes.readInt32BE(0)
    case 'float32':
      return shortest(bytes.readFloatBE(0))
    case 'float64':
      return bytes.readDoubleBE(0)
    case 'bcd16':
    case 'bcd32': {
      const digits = bytes.toString('hex')
      if (/^\d+$/.test(digits)) return Number(digits)
      throw new GolemError('REPLY_MALFORMED', `The answer can't be understood: ${digits} is no BCD number.`)
    }
  }
}

/** The shortest decimals that are this single float: 21.1 is not 21.100000381469727. */
function shortest(float: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const value = Number(float.toPrecision(digits))
    if (Math.fround(value) === float) return value
  }
  return float
}

function numberBytes(as: Exclude<WordType, 'text'>, wire: number): Buffer {
  const bytes = Buffer.alloc(2 * WORDS[as])
  const range = RANGE[as]
  if (range === undefined) {
    if (as === 'float64') bytes.writeDoubleBE(wire)
    else bytes.writeFloatBE(wire)
    return bytes
  }
  const whole = Math.round(wire)
  if (!(whole >= range[0] && whole <= range[1])) {
    throw refused(`${wire} does not fit into ${as} (${range[0]} to ${range[1]}).`)
  }
  const unsigned = whole < 0 ? whole + 2 ** (8 * bytes.length) : whole
  const hex = (as === 'bcd16' || as === 'bcd32' ? String(whole) : unsigned.toString(16)).padStart(
    2 * bytes.length,
    '0',
  )
  bytes.write(hex, 'hex')
  return bytes
}

function unsignedOf(bytes: Buffer): number | undefined {
  return bytes.length > 4 ? undefined : Number.parseInt(bytes.toString('hex'), 16)
}

/** What the model says is no value: as the number, or as it stands in the registers (0x8000). */
function declaredFault(
  { faults = {} }: ValueForm,
  { number, unsigned }: { number: number; unsigned: number | undefined },
): string | undefined {
  return Object.entries(faults).find(([key]) => {
    const wanted = parseNumber(key)
    return wanted !== undefined && (wanted === number || wanted === unsigned)
  })?.[1]
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes
    .subarray(0, end === -1 ? bytes.length : end)
    .toString('latin1')
    .trimEnd()
}

function textBytes(value: string, length: number): Buffer {
  if (!/^[\x20-\x7e\xa0-\xff]*$/.test(value)) throw refused('It has characters that registers do not take.')
  if (value.length > length)
    throw refused(`It has ${value.length} characters, and there is room for ${length}.`)
  const bytes = Buffer.alloc(length)
  bytes.write(value, 'latin1')
  return bytes
}

function refused(why: string): GolemError {
  return new GolemError('OUT_OF_RANGE', why, { field: '/value' })
}

/** Does what was read agree with what identification wants? */
export function isOneOf(
  found: Value | Fault,
  wanted: number | string | readonly (number | string)[],
): boolean {
  if (isFault(found)) return false
  return (typeof wanted === 'object' ? wanted : [wanted]).some((each) => each === found)
}
