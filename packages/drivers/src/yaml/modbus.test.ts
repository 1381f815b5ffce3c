import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { GolemError, type ModbusDriver, type ModbusIo, type Value } from '@golem/core'
import { SHIPPED_MODELS } from '../load-models.ts'
import { readModelFile } from './index.ts'
import { blocksOf } from './modbus-reads.ts'
import type { WordType } from './modbus-schema.ts'
import { createModbusAnswerer, type ModbusAnswerer } from './modbus-simulation.ts'
import { fromWords, toWords } from './modbus-values.ts'
import { head, readText } from './testing.ts'

/** What a unit was asked, and what it is made to say. */
interface Unit {
  io: ModbusIo
  unit: ModbusAnswerer
  driver: ModbusDriver
  /** Requests as `code address count or value`. */
  asked: string[]
  slept: number[]
}

/** The unit that a model file plays, behind its own driver. */
function unitOf(body: string): Unit {
  const { model, raw, faults } = readText(head('modbus') + body)
  assert.deepEqual(
    faults.map(({ line, message }) => `${line}: ${message}`),
    [],
  )
  assert.ok(model && raw)
  return played(model.create({}) as ModbusDriver, createModbusAnswerer(raw))
}

function played(driver: ModbusDriver, unit: ModbusAnswerer | null): Unit {
  assert.ok(unit && driver.transport === 'modbus')
  const asked: string[] = []
  const slept: number[] = []
  const ask = (code: number, address: number, last: number, data: readonly number[] = []): Buffer => {
    asked.push(`${code} ${address} ${last}`)
    const request = Buffer.from([code, address >> 8, address & 255, last >> 8, last & 255, ...data])
    const answer = unit.answer(request)
    const exception = answer[0] === (code | 0x80) ? answer[1] : undefined
    if (exception === undefined) return answer
    throw new GolemError('INSTRUMENT_REFUSED', `exception ${exception}.`, { details: { exception } })
  }
  const bits = (code: number, address: number, count: number): boolean[] => {
    const answer = ask(code, address, count)
    return Array.from({ length: count }, (_, n) => (((answer[2 + (n >> 3)] ?? 0) >> (n & 7)) & 1) === 1)
  }
  const words = (code: number, address: number, count: number): number[] => {
    const answer = ask(code, address, count)
    return Array.from({ length: count }, (_, n) => answer.readUInt16BE(2 + 2 * n))
  }
  const io: ModbusIo = {
    readCoils: async (address, count) => bits(1, address, count),
    readDiscreteInputs: async (address, count) => bits(2, address, count),
    readHoldingRegisters: async (address, count) => words(3, address, count),
    readInputRegisters: async (address, count) => words(4, address, count),
    writeCoil: async (address, value) => void ask(5, address, value ? 0xff00 : 0),
    writeCoils: async (address, values) => void ask(15, address, values.length, [1, Number(values[0])]),
    writeRegister: async (address, value) => void ask(6, address, value),
    writeRegisters: async (address, values) => {
      const data = values.flatMap((word) => [word >> 8, word & 255])
      ask(16, address, values.length, [data.length, ...data])
    },
    sleep: async (ms) => void slept.push(ms),
  }
  return { io, unit, driver, asked, slept }
}

const all = ({ driver }: Unit): Set<string> => new Set(Object.keys(driver.parameters))
const write = async ({ driver, io }: Unit, name: string, value: Value): Promise<void> => {
  await driver.parameters[name]?.write?.(io, value)
}
const code = (expected: string) => (error: unknown) => error instanceof GolemError && error.code === expected

test('numbers stand in registers in all their forms and orders', () => {
  const layout = (as: WordType, order: 'ABCD' | 'CDAB' | 'BADC' | 'DCBA' = 'ABCD') => ({
    as,
    order,
    each: { float64: 4, uint16: 1, int16: 1, bcd16: 1 }[as as string] ?? 2,
    items: 1,
  })
  const number = { type: 'number' } as const
  const cases: [ReturnType<typeof layout>, number[], number][] = [
    [layout('float32', 'ABCD'), [0x41ac, 0x0000], 21.5],
    [layout('float32', 'CDAB'), [0x0000, 0x41ac], 21.5],
    [layout('float32', 'BADC'), [0xac41, 0x0000], 21.5],
    [layout('float32', 'DCBA'), [0x0000, 0xac41], 21.5],
    [layout('float32'), [0x47f1, 0x2065], 123456.79],
    [layout('float64'), [0x4035, 0x8000, 0, 0], 21.5],
    [layout('float64', 'DCBA'), [0, 0, 0x0080, 0x3540], 21.5],
    [layout('uint32', 'CDAB'), [0x0002, 0x0001], 65_538],
    [layout('int32'), [0xffff, 0xfffe], -2],
    [layout('int16'), [0xfffe], -2],
    [layout('uint16'), [0xfffe], 65_534],
    [layout('bcd16'), [0x1234], 1234],
    [layout('bcd32'), [0x1234, 0x5678], 12_345_678],
  ]
  for (const [how, words, value] of cases) {
    const name = `${how.as} ${how.order}`
    assert.equal(fromWords(number, how, words), value, name)
    assert.deepEqual(toWords(number, how, value), words, name)
  }
  for (const value of [0.1, 1_000_000.5, 16_777_217, -3.4e38, 1e-40]) {
    const words = toWords(number, layout('float32'), value)
    assert.deepEqual(
      toWords(number, layout('float32'), fromWords(number, layout('float32'), words) as number),
      words,
      String(value),
    )
  }
  for (const [as, value] of [
    ['uint16', 65_536],
    ['uint16', -1],
    ['int16', 32_768],
    ['bcd16', 10_000],
    ['int32', 2 ** 31],
    ['uint16', NaN],
  ] as const) {
    assert.throws(() => toWords(number, layout(as), value), code('OUT_OF_RANGE'))
  }
  assert.ok(typeof fromWords(number, layout('bcd16'), [0x12a4]) === 'object')
  assert.ok(typeof fromWords(number, layout('float32'), [0x7fc0, 0]) === 'object')
})

test('neighbours are read in one request, holes and other tables are not run over', async () => {
  const reader = (name: string, table: 'holding' | 'input' | 'coil', address: number, size = 1) => ({
    name,
    form: { type: 'number' as const },
    place: {
      table,
      address,
      size,
      layout: { as: 'uint16' as const, order: 'ABCD' as const, each: 1, items: 1 },
    },
  })
  const spans = (blocks: ReturnType<typeof blocksOf>) =>
    blocks.map(({ table, address, size }) => `${table} ${address}+${size}`)
  const readers = [
    reader('a', 'holding', 10, 2),
    reader('b', 'holding', 0),
    reader('c', 'holding', 1, 2),
    reader('d', 'input', 3),
    reader('e', 'holding', 5),
    reader('f', 'coil', 4),
  ]
  const rules = { maxGap: 0, maxRead: 125, holes: [] }
  assert.deepEqual(spans(blocksOf(readers, rules)), [
    'coil 4+1',
    'holding 0+3',
    'holding 5+1',
    'holding 10+2',
    'input 3+1',
  ])
  assert.deepEqual(spans(blocksOf(readers, { ...rules, maxGap: 4 })), [
    'coil 4+1',
    'holding 0+12',
    'input 3+1',
  ])
  assert.deepEqual(spans(blocksOf(readers, { ...rules, maxGap: 4, maxRead: 6 })), [
    'coil 4+1',
    'holding 0+6',
    'holding 10+2',
    'input 3+1',
  ])
  const holes = [{ table: 'holding' as const, address: 7, size: 2 }]
  assert.deepEqual(spans(blocksOf(readers, { ...rules, maxGap: 4, holes })), [
    'coil 4+1',
    'holding 0+6',
    'holding 10+2',
    'input 3+1',
  ])
  const many = Array.from({ length: 300 }, (_, n) => reader(`n${n}`, 'holding', n))
  assert.deepEqual(spans(blocksOf(many, rules)), ['holding 0+125', 'holding 125+125', 'holding 250+50'])
})

const BODY = `
order: CDAB
identify: { holding: 0, equals: [7, 8] }
parameters:
  a: { label: A, type: number, holding: 1, as: int16, scale: 0.1, write: true, faults: { 0x8000: no sensor } }
  b: { label: B, type: number, holding: 2, as: float32, write: true }
  old: { label: Old, type: integer, modicon: 40005, write: { modicon: 40006 } }
  flag: { label: Flag, type: boolean, holding: 6, bit: 3, write: true }
  part: { label: Part, type: choice, holding: 6, bits: [8, 2], map: { low: 1, high: 2 }, write: true }
  text: { label: Text, type: text, holding: 7, length: 2, write: true }
  list: { label: List, type: array, holding: 9, as: uint16, count: 2, write: true }
  coil: { label: Coil, type: boolean, coil: 5, write: { function: 15 }, safe: false }
  upside: { label: Upside, type: boolean, coil: 6, map: { on: 0, off: 1 }, write: true }
  gone: { label: Gone, type: integer, input: 0 }
  there: { label: There, type: integer, input: 1 }
actions:
  go:
    label: Go
    arguments: { speed: { label: Speed, type: number, scale: 0.5 } }
    steps:
      - { holding: 1, as: int16, value: '{speed}' }
      - { wait: 20 ms }
      - { coil: 5, value: 1 }
      - { set: text, value: go }
makeSafe:
  - { coil: 5, value: false }
start:
  - { holding: 5, value: 3 }
simulation:
  coil: { 5: true, 6: false }
  input: { 1: 9 }
  holding: { 0: [8, -15, 0, 0x41AC, 44, 0, 0x0105, 0x4142, 0x4300, 1, 2] }
`

test('a unit is identified, started, read in few requests, and what it refuses is bad alone', async () => {
  const unit = unitOf(BODY)
  const { driver, io, asked } = unit
  await driver.identify(io)
  await driver.initialise?.(io)
  assert.deepEqual(asked.splice(0), ['3 0 1', '6 5 3'])
  const { gone, ...found } = await driver.readAll(io, all(unit))
  assert.deepEqual(found, {
    a: -1.5,
    b: 21.5,
    old: 44,
    flag: false,
    part: 'low',
    text: 'ABC',
    list: [1, 2],
    coil: true,
    upside: true,
    there: 9,
  })
  assert.deepEqual(gone, { fault: 'exception 2.' })
  assert.deepEqual(asked.splice(0), ['1 5 2', '3 1 4', '3 6 5', '4 0 2', '4 0 1', '4 1 1'])
  await driver.readAll(io, all(unit))
  assert.deepEqual(asked.splice(0), ['1 5 2', '3 1 4', '3 6 5', '4 0 1', '4 1 1'])
  unit.unit.set('holding', 1, 0x8000)
  assert.deepEqual(await driver.readAll(io, new Set(['a'])), { a: { fault: 'no sensor' } })
  assert.deepEqual(asked.splice(0), ['3 1 1'])
  unit.unit.set('holding', 0, 9)
  await assert.rejects(driver.identify(io), code('WRONG_INSTRUMENT'))
})

test('writes go to their place by their function, other bits stay, and are read back', async () => {
  const unit = unitOf(BODY)
  const { asked, unit: registers } = unit
  await write(unit, 'a', 2.34)
  assert.equal(registers.get('holding', 1), 23)
  assert.deepEqual(asked.splice(0), ['6 1 23', '3 1 1'])
  await write(unit, 'b', 123456.789)
  assert.deepEqual([registers.get('holding', 2), registers.get('holding', 3)], [0x2065, 0x47f1])
  assert.deepEqual(asked.splice(0), ['16 2 2', '3 2 2'])
  await write(unit, 'old', 5)
  assert.deepEqual(asked.splice(0), ['6 5 5'])
  await write(unit, 'flag', true)
  assert.equal(registers.get('holding', 6), 0x010d)
  assert.deepEqual(asked.splice(0), ['3 6 1', '6 6 269', '3 6 1'])
  await write(unit, 'part', 'high')
  assert.equal(registers.get('holding', 6), 0x020d)
  asked.splice(0)
  await write(unit, 'text', 'xy')
  assert.deepEqual([registers.get('holding', 7), registers.get('holding', 8)], [0x7879, 0])
  await write(unit, 'list', [3, 4])
  assert.deepEqual([registers.get('holding', 9), registers.get('holding', 10)], [3, 4])
  asked.splice(0)
  await write(unit, 'coil', false)
  assert.deepEqual(asked.splice(0), ['15 5 1', '1 5 1'])
  await write(unit, 'upside', true)
  assert.equal(registers.get('coil', 6), 0)
  asked.splice(0)
  for (const [name, value] of [
    ['a', 4000],
    ['text', 'abcde'],
    ['text', 'ä€'],
    ['list', [1]],
  ] as const) {
    await assert.rejects(write(unit, name, value), code('OUT_OF_RANGE'))
  }
  assert.deepEqual(asked, [])
})

test('what reads back otherwise is a mismatch', async () => {
  const unit = unitOf(`
parameters:
  a: { label: A, type: integer, holding: 1, write: { settle: 30 ms }, readBack: { after: 40 ms } }
  b: { label: B, type: integer, holding: 1, write: true, readBack: false }
simulation:
  holding: { 0: 7, 1: 0 }
  follow: [{ holding: 1, to: 0 }]
`)
  await assert.rejects(write(unit, 'a', 3), code('READBACK_MISMATCH'))
  assert.deepEqual(unit.slept, [30, 40])
  await write(unit, 'b', 3)
})

test('actions write their arguments, the stop writes what makes it safe', async () => {
  const { driver, io, asked, slept, unit } = unitOf(BODY)
  await driver.actions['go']?.run(io, { speed: 10 })
  assert.deepEqual(asked.splice(0), ['6 1 20', '5 5 65280', '16 7 2', '3 7 2'])
  assert.deepEqual(slept, [20])
  await driver.makeSafe?.(io)
  assert.deepEqual([asked, unit.get('coil', 5)], [['5 5 0'], 0])
})

test('the shipped controller plays its own simulation', async () => {
  const { model, raw, faults } = readModelFile(join(SHIPPED_MODELS, 'modbus-temperature-controller.yaml'))
  assert.deepEqual(faults, [])
  assert.ok(model && raw)
  const unit = played(model.create({}) as ModbusDriver, createModbusAnswerer(raw))
  await unit.driver.identify(unit.io)
  const found = await unit.driver.readAll(unit.io, all(unit))
  assert.deepEqual([found['temperature'], found['mode'], found['name']], [25, 'stop', 'OVEN'])
  await unit.driver.actions['start']?.run(unit.io, { setpoint: 80.5, ramp: 2.5 })
  const after = await unit.driver.readAll(unit.io, all(unit))
  assert.deepEqual([after['temperature'], after['mode'], after['ramp']], [80.5, 'run', 2.5])
  assert.ok(unit.asked.filter((each) => /^[34] /.test(each)).length <= 8, unit.asked.join(', '))
})

/** What is written below the head, which has five lines, and in which line which fault is found. */
const one = (rest: string): string => `parameters:\n  a: { label: A, type: number, ${rest} }`
const FAULTS: readonly [body: string, line: number, message: RegExp][] = [
  [one('as: int16'), 7, /needs one of coil/],
  [one('holding: 1, input: 1'), 7, /not input and holding/],
  [one('modicon: 20001'), 7, /no such number/],
  [one('modicon: 40000'), 7, /no such number/],
  [one('holding: 70000'), 7, /65535/],
  [one('holding: 65535, as: float32'), 7, /behind the last/],
  [one('coil: 1'), 7, /boolean or a choice/],
  [one('coil: 1, as: int16'), 7, /one bit/],
  [one('holding: 1, order: CDAB'), 7, /no order/],
  [one('holding: 1, as: text'), 7, /can't stand there as text/],
  [one('holding: 1, count: 2'), 7, /Only an array/],
  [one('holding: 1, as: int16, length: 2'), 7, /Only a text/],
  [one('holding: 1, format: hex'), 7, /means nothing/],
  [one('input: 1, write: true'), 7, /Nothing can be written to an input register/],
  [one('holding: 1, as: float32, write: { function: 6 }'), 7, /by function 16, not by 6/],
  [one('holding: 1, safe: 3'), 7, /can only be read/],
  [one('holding: 1, read: false'), 7, /neither be read nor written/],
  [one('holding: 1, read: false, write: true, readBack: true'), 7, /can't be read back/],
  [`holes: [{ holding: 0, count: 4 }]\n${one('holding: 3')}`, 8, /never read/],
  [`maxRead: 1\n${one('holding: 3, as: float32')}`, 8, /more registers/],
  [`identify: { coil: 0, equals: 1 }\n${one('holding: 3')}`, 6, /single bit/],
  [`identify: { holding: 0 }\n${one('holding: 3')}`, 6, /equals/],
  [`makeSafe: [{ set: a, value: 1 }]\n${one('holding: 3')}`, 6, /can be written/],
  [`makeSafe: [{ holding: 1 }]\n${one('holding: 3')}`, 6, /does nothing/],
  [`makeSafe: [{ holding: 1, value: "{x}" }]\n${one('holding: 3')}`, 6, /no argument "x"/],
  [`makeSafe: [{ wait: 1 s, value: 1 }]\n${one('holding: 3')}`, 6, /two steps/],
  [`simulation: { holding: { 0: 70000 } }\n${one('holding: 3')}`, 6, /-32768 to 65535/],
  [`simulation: { coil: { 0: 2 } }\n${one('holding: 3')}`, 6, /true, false/],
  ['parameters:\n  a: { label: A, type: boolean, holding: 0, bit: 16 }', 7, /no bit 16/],
]

test('each fault of a file is found in its line', () => {
  for (const [body, line, message] of FAULTS) {
    const { faults } = readText(head('modbus') + body)
    const found = faults.some((each) => each.line === line && message.test(each.message))
    assert.ok(found, `${body}\n${faults.map((each) => `${each.line}: ${each.message}`).join('\n')}`)
  }
})
