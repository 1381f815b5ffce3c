import type { Path } from '@golem/config'
import {
  defaultMatches,
  type Fault,
  GolemError,
  isFault,
  type ModbusIo,
  type Value,
  valueInWords,
} from '@golem/core'
import type { Report } from './model-file.ts'
import { isBits, KEYS, type Place, readAddress } from './modbus-places.ts'
import { readOne } from './modbus-reads.ts'
import type { RawModbusParameter, RawModbusWrite } from './modbus-schema.ts'
import { rounding, toBit, toWords } from './modbus-values.ts'
import { ms } from './question.ts'
import { toWireNumber, type ValueForm } from './values.ts'

export type Matches = (wanted: Value, got: Value) => boolean
export type Write = (io: ModbusIo, value: Value) => Promise<void>

/** How a parameter is written. */
export interface Writing {
  write: Write
  matches: Matches
}

/** Compiles a parameter's `write`. @param place - where it is read, or would be */
export function readWriting(
  name: string,
  parameter: RawModbusParameter,
  place: Place,
  report: Report,
): Writing | undefined {
  const path: Path = ['parameters', name]
  if (parameter.write === undefined || parameter.write === false) {
    for (const key of ['readBack', 'safe', 'tolerance'] as const) {
      if (parameter[key] === undefined) continue
      report(
        [...path, key],
        `${name} can only be read: it can't have "${key}". Remove it, or add "write".`,
        'key',
      )
    }
    return undefined
  }
  const readable = parameter.read !== false
  const raw = parameter.write === true ? {} : parameter.write
  const at = parameter.write === true ? path : [...path, 'write']
  const target = targetOf(raw, place, at, report)
  const deliver = readDelivery(parameter, target, raw.function, at, report)
  const elsewhere = target.table !== place.table || target.address !== place.address
  const readBack = parameter.readBack ?? (readable && !elsewhere)
  if (readBack !== false && !readable)
    report([...path, 'readBack'], `${name} is not read: it can't be read back.`, 'key')
  const settleMs = ms(raw.settle)
  const afterMs = typeof readBack === 'object' ? ms(readBack.after) : undefined
  const matches = matcherOf(parameter, place)
  return {
    matches,
    write: async (io, value) => {
      await deliver(io, value)
      if (settleMs !== undefined) await io.sleep(settleMs)
      if (readBack === false) return
      if (afterMs !== undefined) await io.sleep(afterMs)
      compare(name, value, await readOne(io, parameter, place), matches)
    },
  }
}

function targetOf(raw: RawModbusWrite, place: Place, path: Path, report: Report): Place {
  const elsewhere = KEYS.some((key) => raw[key] !== undefined)
  const target = elsewhere ? readAddress(raw, path, report) : place
  const whole = { ...place, ...target }
  if (isBits(whole) !== isBits(place)) {
    report(path, `A ${place.table} can't be written as a ${whole.table}.`)
  }
  return whole
}

/** What writes a value to a place. What is wrong is reported. */
export function readDelivery(
  form: ValueForm,
  place: Place,
  code: RawModbusWrite['function'],
  path: Path,
  report: Report,
): Write {
  const { table, address, size, layout } = place
  if (table === 'discrete' || table === 'input') {
    report(path, `Nothing can be written to ${table === 'input' ? 'an input register' : 'a discrete input'}.`)
  }
  const fitting = isBits(place) ? [5, 15] : size === 1 ? [6, 16] : [16]
  if (code !== undefined && !fitting.includes(code)) {
    report([...path, 'function'], `It is written by function ${fitting.join(' or ')}, not by ${code}.`)
  }
  if (isBits(place)) {
    return async (io, value) => {
      const bit = toBit(form, value)
      await (code === 15 ? io.writeCoils(address, [bit]) : io.writeCoil(address, bit))
    }
  }
  const send = async (io: ModbusIo, words: readonly number[]): Promise<void> => {
    const [first = 0] = words
    await (size > 1 || code === 16 ? io.writeRegisters(address, words) : io.writeRegister(address, first))
  }
  const part = form.bit === undefined ? form.bits : ([form.bit, 1] as const)
  if (part === undefined) return async (io, value) => send(io, toWords(form, layout, value))
  // The other bits stay as they are.
  const [low = 0, count = 1] = part
  const whole: ValueForm = { type: 'integer' }
  return async (io, value) => {
    const added = Math.round(toWireNumber(form, value))
    if (!(added >= 0 && added < 2 ** count)) {
      throw new GolemError('OUT_OF_RANGE', `${valueInWords(value)} does not fit into ${count} bits.`, {
        field: '/value',
      })
    }
    const now = numberOf(await readOne(io, whole, place))
    const others = now - (Math.floor(now / 2 ** low) % 2 ** count) * 2 ** low
    await send(io, toWords(whole, layout, others + added * 2 ** low))
  }
}

function numberOf(value: Value | Fault): number {
  if (typeof value === 'number') return value
  throw new GolemError('REPLY_MALFORMED', 'The other bits of the register could not be read.')
}

/** @throws READBACK_MISMATCH */
function compare(name: string, wanted: Value, got: Value | Fault, matches: Matches): void {
  if (!isFault(got) && matches(wanted, got)) return
  throw new GolemError(
    'READBACK_MISMATCH',
    `${name} was set to ${valueInWords(wanted)}, but reads back: ${isFault(got) ? got.fault : valueInWords(got)}.`,
  )
}

/** Numbers agree within the tolerance of the model, or within what is lost in the register. */
function matcherOf(parameter: RawModbusParameter, { layout }: Place): Matches {
  return (wanted, got) => {
    if (typeof wanted === 'number' && typeof got === 'number') {
      const allowed = parameter.tolerance ?? rounding(layout, parameter, wanted)
      if (Math.abs(wanted - got) <= allowed + 1e-12) return true
    }
    return defaultMatches(wanted, got, parameter.step)
  }
}
