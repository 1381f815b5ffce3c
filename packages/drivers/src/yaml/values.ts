import { type Fault, fault, GolemError, type ParameterType, type Value } from '@golem/core'
import { shown } from '../http-reply.ts'

type WireText = string | number

/** How a value looks to people and on the wire, as a model file has it (`valueProperties` in schema.ts). */
export interface ValueForm {
  type: ParameterType
  unit?: string
  min?: number
  max?: number
  choices?: readonly string[]
  maxLength?: number
  maxItems?: number
  scale?: number
  offset?: number
  format?: string
  map?: Readonly<Record<string, WireText | readonly WireText[]>>
  bit?: number
  bits?: readonly number[]
  faults?: Readonly<Record<string, string>>
  quote?: 'none' | 'double' | 'single'
  allowed?: string
}

/** A word that may be a value the model does not know, and not what a disturbed line makes of one. */
const WORD = /^[\x20-\x7e]{1,60}$/

/** A word in an answer that the model does not know. */
export class UnknownWord extends GolemError {
  readonly word: string

  constructor(word: string) {
    super(
      'REPLY_MALFORMED',
      `The answer can't be understood: ${shown(word)} is none of the values that the model knows.`,
    )
    this.word = word
  }

  /** As a reading: the instrument does say this. */
  asFault(): Fault {
    return fault(`It is ${shown(this.word)}, which is none of the values that the model knows.`)
  }
}

/** SCPI's not-a-number and overload; rounding of single floats is allowed for. */
const NOT_A_NUMBER = 9.91e37
const OVERLOAD = 9.9e37
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const HEX = /^(?:0x|#h)([0-9a-f]{1,8})$/i
const ON = ['1', 'on', 'true', 'yes']
const OFF = ['0', 'off', 'false', 'no']

/**
 * A number as instruments write it: `24`, `+24`, `1.5E-3`, `.5`, `0x0224`, `#H1F`, spaces around it.
 *
 * @returns undefined when it is none; NaN for what SCPI calls not a number (9.91E37), ±Infinity for an overload
 */
export function parseNumber(text: string): number | undefined {
  const bare = text.trim()
  const hex = HEX.exec(bare)?.[1]
  if (hex !== undefined) return Number.parseInt(hex, 16)
  if (/^[+-]?nan$/i.test(bare)) return NaN
  if (/^[+-]?inf(?:inity)?$/i.test(bare)) return bare.startsWith('-') ? -Infinity : Infinity
  if (!NUMBER.test(bare)) return undefined
  const value = Number(bare)
  if (near(Math.abs(value), NOT_A_NUMBER)) return NaN
  if (near(Math.abs(value), OVERLOAD) || !Number.isFinite(value)) return Math.sign(value) * Infinity
  return value
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < b * 1e-5
}

/**
 * What stands on the wire for a value.
 *
 * @throws OUT_OF_RANGE for a text that may not be sent: control characters would be commands of their own
 */
export function toWire(form: ValueForm, value: Value): string {
  switch (form.type) {
    case 'boolean':
      return firstOf(form.map?.[value === true ? 'on' : 'off']) ?? (value === true ? '1' : '0')
    case 'choice':
      return firstOf(own(form.map, String(value))) ?? String(value)
    case 'text':
      return quoted(form, String(value))
    case 'array':
      return (value as readonly number[])
        .map((item) => formatNumber(unscaled(form, item), form.format))
        .join(',')
    case 'number':
    case 'integer':
      return formatNumber(unscaled(form, Number(value)), form.format)
  }
}

/** The number on the wire for a value of a numeric transport (Modbus). A boolean is 1 or 0 unless `map` says else. */
export function toWireNumber(form: ValueForm, value: Value): number {
  if (form.type === 'number' || form.type === 'integer') return unscaled(form, Number(value))
  const number = parseNumber(toWire(form, value))
  if (number === undefined || !Number.isFinite(number)) {
    throw new GolemError('INTERNAL', `${String(value)} is no number on the wire: the model maps it to none.`)
  }
  return number
}

/**
 * The value a text on the wire stands for.
 *
 * @returns a fault for what the model or SCPI says is no value
 * @throws REPLY_MALFORMED when it stands for none
 */
export function fromWire(form: ValueForm, text: string): Value | Fault {
  const bare = text.trim()
  const why = faultOf(form, bare)
  if (why !== undefined) return fault(why)
  switch (form.type) {
    case 'text':
      return unquoted(bare)
    case 'array':
      return fromNumbers(form, bare === '' ? [] : bare.split(',').map((item) => numberOf(item)))
    case 'number':
    case 'integer':
      return fromWireNumber(form, numberOf(bare))
    case 'choice':
    case 'boolean':
      if (form.bit !== undefined || form.bits !== undefined) return fromWireNumber(form, numberOf(bare))
      return fromWord(form, bare)
  }
}

/**
 * As `fromWire`, where it is known that the text is this value's: a word the model does not know is a fault.
 *
 * @throws REPLY_MALFORMED when it stands for none
 */
export function fromOwnText(form: ValueForm, text: string): Value | Fault {
  try {
    return fromWire(form, text)
  } catch (error) {
    if (error instanceof UnknownWord) return error.asFault()
    throw error
  }
}

/**
 * The value a number on the wire stands for.
 *
 * @throws REPLY_MALFORMED when it stands for none
 */
export function fromWireNumber(form: ValueForm, wire: number): Value | Fault {
  const why = faultOf(form, String(wire))
  if (why !== undefined) return fault(why)
  if (Number.isNaN(wire)) return fault('The instrument says that it has no value (not a number).')
  if (!Number.isFinite(wire))
    return fault(`The instrument reports ${wire < 0 ? 'a negative ' : 'an '}overload.`)
  const part = bitsOf(form, wire)
  switch (form.type) {
    case 'boolean':
      return form.map ? fromWord(form, String(part)) : part !== 0
    case 'choice':
      return fromWord(form, String(part))
    case 'text':
      return String(part)
    case 'array':
      return [scaled(form, part)]
    case 'number':
      return scaled(form, part)
    case 'integer': {
      const value = scaled(form, part)
      const whole = Math.round(value)
      if (Math.abs(value - whole) > 1e-6) throw malformed(`${value} is no whole number`)
      return whole
    }
  }
}

/** An array from its numbers on the wire. One that is not a number makes the whole a fault: JSON has no such thing. */
export function fromNumbers(form: ValueForm, wire: readonly number[]): readonly number[] | Fault {
  const bad = wire.reduce((count, item) => count + (Number.isFinite(item) ? 0 : 1), 0)
  if (bad > 0) return fault(`${bad} of ${wire.length} numbers are no value (overload or not a number).`)
  return form.scale === undefined && form.offset === undefined
    ? wire
    : changed(wire, (item) => scaled(form, item))
}

/** As `map`, which takes ten times as long where a million whole numbers become fractions. */
export function changed(numbers: readonly number[], change: (item: number) => number): number[] {
  const all = numbers.slice()
  for (let index = 0; index < all.length; index++) all[index] = change(all[index] ?? NaN)
  return all
}

/** The table's own entry: a choice may be called "constructor". */
function own<T>(map: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return map && Object.hasOwn(map, key) ? map[key] : undefined
}

function faultOf(form: ValueForm, bare: string): string | undefined {
  if (!form.faults) return undefined
  const exact = own(form.faults, bare)
  if (exact !== undefined) return exact
  const value = parseNumber(bare)
  if (value === undefined) return undefined
  return Object.entries(form.faults).find(([wire]) => parseNumber(wire) === value)?.[1]
}

function numberOf(text: string): number {
  const value = parseNumber(text)
  if (value === undefined) throw malformed(`${shown(text)} is no number`)
  return value
}

function fromWord(form: ValueForm, word: string): Value {
  for (const [value, texts] of Object.entries(form.map ?? {})) {
    if (allOf(texts).some((text) => same(text, word))) return form.type === 'boolean' ? value === 'on' : value
  }
  if (form.type === 'boolean' && !form.map) {
    if (ON.includes(word.toLowerCase())) return true
    if (OFF.includes(word.toLowerCase())) return false
    const value = parseNumber(word)
    if (value === 0 || value === 1) return value === 1
    throw malformed(`${shown(word)} is neither on nor off`)
  }
  const choice = form.choices?.find((each) => same(each, unquoted(word)) && own(form.map, each) === undefined)
  if (choice !== undefined) return choice
  if (WORD.test(word)) throw new UnknownWord(word)
  throw malformed(`${shown(word)} is none of the values that the model knows`)
}

function same(text: WireText, word: string): boolean {
  if (String(text).toLowerCase() === word.toLowerCase()) return true
  if (String(text).toLowerCase() === unquoted(word).toLowerCase()) return true
  const a = parseNumber(String(text))
  return a !== undefined && a === parseNumber(word)
}

function allOf(texts: WireText | readonly WireText[]): readonly WireText[] {
  return typeof texts === 'object' ? texts : [texts]
}

function firstOf(texts: WireText | readonly WireText[] | undefined): string | undefined {
  const first = texts === undefined ? undefined : allOf(texts)[0]
  return first === undefined ? undefined : String(first)
}

function bitsOf({ bit, bits }: ValueForm, wire: number): number {
  const [low, count] = bit === undefined ? (bits ?? []) : [bit, 1]
  if (low === undefined || count === undefined) return wire
  // Not by shifts: those end at 31 bits, and a status word may have 32.
  return Math.floor(Math.abs(wire) / 2 ** low) % 2 ** count
}

function scaled({ scale = 1, offset = 0 }: ValueForm, wire: number): number {
  return scale === 1 && offset === 0 ? wire : tidy(wire * scale + offset)
}

function unscaled({ scale = 1, offset = 0 }: ValueForm, value: number): number {
  return scale === 1 && offset === 0 ? value : tidy((value - offset) / scale)
}

/** Without the last bits that scaling leaves: 215 × 0.1 is 21.5, not 21.500000000000004. */
function tidy(value: number): number {
  return Number(value.toPrecision(13))
}

/** A number as `format` of a model says. */
export function formatNumber(value: number, format = 'plain'): string {
  const [kind, digits = '0'] = format.split(' ')
  switch (kind) {
    case 'integer':
      return String(Math.round(value))
    case 'hex':
      return `0x${Math.round(value).toString(16).toUpperCase()}`
    case 'fixed':
      return withoutMinusZero(value.toFixed(Number(digits)))
    case 'exponent':
      return value.toExponential(Number(digits)).replace('e', 'E')
    default:
      return String(value).replace('e', 'E')
  }
}

function withoutMinusZero(text: string): string {
  return /^-[0.]+$/.test(text) ? text.slice(1) : text
}

function quoted({ quote = 'none', allowed }: ValueForm, value: string): string {
  const refused = (why: string): GolemError =>
    new GolemError('OUT_OF_RANGE', `${shown(value)} can't be sent: ${why}.`, { field: '/value' })
  // One byte each, and no line ends: whatever followed one would be a command of its own.
  if (!/^[\x20-\x7e\xa0-\xff]*$/.test(value)) throw refused('it has characters that have no place in a line')
  if (allowed !== undefined && !new RegExp(`^(?:${allowed})$`).test(value)) {
    throw refused(`it has to match ${allowed}`)
  }
  if (quote === 'none') {
    if (value.includes(';')) throw refused('a ; would begin a command of its own')
    return value
  }
  const mark = quote === 'double' ? '"' : "'"
  return `${mark}${value.replaceAll(mark, mark + mark)}${mark}`
}

/** A text without the quotes around it. */
export function unquoted(text: string): string {
  const [, mark, inside] = /^(["'])(.*)\1$/s.exec(text.trim()) ?? []
  return mark === undefined || inside === undefined ? text : inside.replaceAll(mark + mark, mark)
}

function malformed(what: string): GolemError {
  return new GolemError('REPLY_MALFORMED', `The answer can't be understood: ${what}.`)
}
