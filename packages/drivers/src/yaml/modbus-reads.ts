import { fault, type Fault, GolemError, type ModbusIo, type Readings, type Value } from '@golem/core'
import { isBits, type Place } from './modbus-places.ts'
import type { Table } from './modbus-schema.ts'
import { fromBit, fromWords } from './modbus-values.ts'
import type { ValueForm } from './values.ts'

/** A parameter that is read. */
export interface Reader {
  name: string
  form: ValueForm
  place: Place
}

/** What one request reads. */
interface Block {
  table: Table
  address: number
  size: number
  readers: Reader[]
}

export interface ReadRules {
  /** Registers or bits nobody asked for that a read may run over. */
  maxGap: number
  /** The most registers of one read. */
  maxRead: number
  holes: readonly { table: Table; address: number; size: number }[]
}

/** The most bits of one read. */
const MAX_BITS = 2000

/** Reads a place. */
export function readPlaceFrom(
  io: ModbusIo,
  { table, address, size }: Omit<Block, 'readers'>,
): Promise<number[]> {
  switch (table) {
    case 'coil':
      return io.readCoils(address, size).then(asNumbers)
    case 'discrete':
      return io.readDiscreteInputs(address, size).then(asNumbers)
    case 'input':
      return io.readInputRegisters(address, size)
    case 'holding':
      return io.readHoldingRegisters(address, size)
  }
}

/** Reads one value. @throws what the io throws */
export async function readOne(io: ModbusIo, form: ValueForm, place: Place): Promise<Value | Fault> {
  return valueOf(form, place, await readPlaceFrom(io, place))
}

/**
 * Reads parameters in as few requests as the rules allow. A request that the unit refuses makes its parameter bad, not
 * the others; one for several parameters is taken apart then, now and from then on.
 *
 * @param apart - names of parameters that are read alone; grows
 */
export async function readAll(
  io: ModbusIo,
  readers: readonly Reader[],
  rules: ReadRules,
  apart: Set<string>,
): Promise<Readings> {
  const found: Record<string, Value | Fault> = {}
  const waiting = blocksOf(readers, rules, apart)
  for (let block = waiting.shift(); block; block = waiting.shift()) {
    const { address, readers: concerned } = block
    try {
      const words = await readPlaceFrom(io, block)
      for (const { name, form, place } of concerned) {
        const from = place.address - address
        found[name] = valueOf(form, place, words.slice(from, from + place.size))
      }
    } catch (error) {
      if (!(error instanceof GolemError) || error.code !== 'INSTRUMENT_REFUSED') throw error
      const [first, ...others] = concerned
      if (first && others.length === 0) found[first.name] = fault(error.message)
      else {
        for (const { name } of concerned) apart.add(name)
        waiting.unshift(...blocksOf(concerned, rules, apart))
      }
    }
  }
  return found
}

/** The requests for these parameters. */
export function blocksOf(
  readers: readonly Reader[],
  { maxGap, maxRead, holes }: ReadRules,
  apart: ReadonlySet<string> = new Set(),
): Block[] {
  const sorted = readers.toSorted(
    (a, b) => a.place.table.localeCompare(b.place.table) || a.place.address - b.place.address,
  )
  const blocks: Block[] = []
  for (const reader of sorted) {
    const { place } = reader
    const last = blocks.at(-1)
    const end = last ? last.address + last.size : 0
    const size = last ? Math.max(end, place.address + place.size) - last.address : 0
    const joins =
      last?.table === place.table &&
      place.address <= end + maxGap &&
      size <= (isBits(place) ? MAX_BITS : maxRead) &&
      !apart.has(reader.name) &&
      !last.readers.some(({ name }) => apart.has(name)) &&
      !holes.some(
        (hole) =>
          hole.table === place.table &&
          hole.address < last.address + size &&
          hole.address + hole.size > last.address,
      )
    if (joins) {
      last.size = size
      last.readers.push(reader)
    } else {
      blocks.push({ table: place.table, address: place.address, size: place.size, readers: [reader] })
    }
  }
  return blocks
}

function valueOf(form: ValueForm, place: Place, words: readonly number[]): Value | Fault {
  return isBits(place) ? fromBit(form, words[0] === 1) : fromWords(form, place.layout, words)
}

function asNumbers(bits: readonly boolean[]): number[] {
  return bits.map(Number)
}
