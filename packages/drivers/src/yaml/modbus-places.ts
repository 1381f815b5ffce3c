import type { Path } from '@golem/config'
import type { Report } from './model-file.ts'
import type { ByteOrder, RawLayout, RawPlace, Table } from './modbus-schema.ts'
import { TABLES } from './modbus-schema.ts'
import { type Layout, wordsOf } from './modbus-values.ts'
import type { ValueForm } from './values.ts'

/** Where a value is, and how it stands there. */
export interface Place {
  table: Table
  address: number
  /** How many registers or bits. */
  size: number
  layout: Layout
}

export function isBits({ table }: Pick<Place, 'table'>): boolean {
  return table === 'coil' || table === 'discrete'
}

/** The ways to say where something is. */
export const KEYS = [...TABLES, 'modicon'] as const
const BIT_LAYOUT: Layout = { as: 'uint16', order: 'ABCD', each: 1, items: 1 }

/** Table and address. @returns undefined when that was reported */
export function readAddress(
  raw: RawPlace,
  path: Path,
  report: Report,
): { table: Table; address: number } | undefined {
  const given = KEYS.filter((key) => raw[key] !== undefined)
  const [key] = given
  if (key === undefined || given.length > 1) {
    report(
      path,
      `It needs one of ${KEYS.join(', ')}${given.length > 1 ? `, not ${given.join(' and ')}` : ''}.`,
    )
    return undefined
  }
  const number = raw[key] ?? 0
  if (key !== 'modicon') return { table: key, address: number }
  const found = fromModicon(number)
  if (!found) {
    report(
      [...path, key],
      `${number} is no such number: 1 to 9999 are coils, 10001 to 19999 discrete inputs, 30001 input registers, 40001 holding registers; or with six digits, 400001. Or write the address from 0 as ${TABLES.join(', ')}.`,
    )
  }
  return found
}

function fromModicon(number: number): { table: Table; address: number } | undefined {
  const tables: Readonly<Record<number, Table>> = { 1: 'discrete', 3: 'input', 4: 'holding' }
  if (number >= 1 && number <= 9999) return { table: 'coil', address: number - 1 }
  const unit = number >= 100_000 ? 100_000 : 10_000
  const table = tables[Math.floor(number / unit)]
  const place = number % unit
  if (table === undefined || place < 1 || place > 65_536) return undefined
  return { table, address: place - 1 }
}

/** The whole place of a value. @returns undefined when something was reported */
export function readPlace(
  raw: RawPlace & RawLayout,
  form: ValueForm,
  order: ByteOrder,
  path: Path,
  report: Report,
): Place | undefined {
  const at = readAddress(raw, path, report)
  if (!at) return undefined
  if (isBits(at)) {
    for (const key of ['as', 'order', 'length', 'count'] as const) {
      if (raw[key] !== undefined)
        report([...path, key], `A ${at.table} is one bit: it has no "${key}".`, 'key')
    }
    if (form.type !== 'boolean' && form.type !== 'choice') {
      report([...path, at.table], `A ${at.table} is a boolean or a choice, not of type ${form.type}.`, 'key')
    }
    return { ...at, size: 1, layout: BIT_LAYOUT }
  }
  const layout = readLayout(raw, form, order, path, report)
  const size = layout.each * layout.items
  if (at.address + size > 65_536) report(path, `It ends behind the last register (65535).`)
  if (size > 123) report(path, `It has ${size} registers, more than the 123 of one request.`)
  return { ...at, size, layout }
}

function readLayout(raw: RawLayout, form: ValueForm, order: ByteOrder, path: Path, report: Report): Layout {
  const as = raw.as ?? (form.type === 'text' ? 'text' : 'uint16')
  if ((as === 'text') !== (form.type === 'text')) {
    report([...path, 'as'], `A value of type ${form.type} can't stand there as ${as}.`)
  }
  if (as === 'text' && raw.length === undefined)
    report(path, 'A text needs "length": how many registers it has.')
  if (as !== 'text' && raw.length !== undefined)
    report([...path, 'length'], `Only a text has "length"; ${as} has one of its own.`, 'key')
  if ((form.type === 'array') !== (raw.count !== undefined)) {
    report(path, form.type === 'array' ? 'An array needs "count".' : 'Only an array has "count".')
  }
  const each = wordsOf(as, raw.length ?? 1)
  if (each === 1 && as !== 'text' && raw.order !== undefined) {
    report([...path, 'order'], `${as} is one register: it has no order.`, 'key')
  }
  if ((form.bit !== undefined || form.bits !== undefined) && as !== 'uint16' && as !== 'uint32') {
    report([...path, 'as'], `Bits are taken from uint16 or uint32, not from ${as}.`)
  }
  if ((form.bit ?? 0) >= 16 * each) report([...path, 'bit'], `${as} has no bit ${form.bit ?? 0}.`)
  // One register, and a text, are in the usual order unless they say otherwise themselves.
  const used = raw.order ?? (each === 1 || as === 'text' ? 'ABCD' : order)
  return { as, order: used, each, items: raw.count ?? 1 }
}
