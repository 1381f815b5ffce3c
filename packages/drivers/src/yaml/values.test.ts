import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, isFault, type Value } from '@golem/core'
import {
  formatNumber,
  fromWire,
  fromWireNumber,
  parseNumber,
  toWire,
  toWireNumber,
  type ValueForm,
} from './values.ts'

const refused =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof GolemError && error.code === code

for (const [text, number] of [
  ['24', 24],
  ['+24', 24],
  [' 1.5E-3 ', 0.0015],
  ['.5', 0.5],
  ['-3.', -3],
  ['0x0224', 0x224],
  ['#H1F', 31],
  ['9.91E37', NaN],
  ['+9.910000E+37', NaN],
  ['9.9E37', Infinity],
  ['-9.9E+37', -Infinity],
  ['9.90000E+37', Infinity],
  ['NAN', NaN],
  ['-INF', -Infinity],
  ['', undefined],
  ['1,2', undefined],
  ['5 V', undefined],
  ['1e', undefined],
  ['0x', undefined],
] as const) {
  test(`"${text}" is read as ${number}`, () => assert.equal(parseNumber(text), number))
}

for (const [value, format, text] of [
  [1.5, undefined, '1.5'],
  [1e-7, 'plain', '1E-7'],
  [5, 'fixed 3', '5.000'],
  [-0.0001, 'fixed 3', '0.000'],
  [1234.5, 'exponent 2', '1.23E+3'],
  [2.6, 'integer', '3'],
  [548, 'hex', '0x224'],
] as const) {
  test(`${value} as ${format} is sent as ${text}`, () => assert.equal(formatNumber(value, format), text))
}

const number: ValueForm = { type: 'number' }
const mode: ValueForm = { type: 'choice', map: { sine: ['SIN', 'SINUSOID'], square: 'SQU', none: 0 } }
for (const [what, form, wire, value] of [
  ['scaling leaves no dust', { ...number, scale: 0.1 }, '215', 21.5],
  ['an offset is added after scaling', { ...number, scale: 2, offset: -1 }, '4', 7],
  ['a boolean as 1', { type: 'boolean' }, '1', true],
  ['a boolean as off', { type: 'boolean' }, 'OFF', false],
  ['a boolean with words', { type: 'boolean', map: { on: ['ON', 'YES'], off: 'OFF' } }, 'yes', true],
  ['a bit', { type: 'boolean', bit: 4 }, '0x0014', true],
  ['a bit that is off', { type: 'boolean', bit: 5 }, '0x0014', false],
  ['the highest bit', { type: 'boolean', bit: 31 }, '4294967295', true],
  [
    'some bits',
    { type: 'choice', bits: [2, 2], map: { independent: 1, parallel: 2 } },
    '0x0224',
    'independent',
  ],
  ['a choice by its second word, in quotes', mode, '"SINusoid"', 'sine'],
  ['a choice by a number', mode, '+0', 'none'],
  ['a choice by its own name', { type: 'choice', choices: ['CH1', 'CH2'] }, 'ch2', 'CH2'],
  ['a text in quotes', { type: 'text' }, '"say ""hi"""', 'say "hi"'],
  ['a list', { type: 'array' }, '+1.0,2E0, 3', [1, 2, 3]],
  ['an empty list', { type: 'array' }, '', []],
  ['an integer', { type: 'integer' }, '4.0', 4],
] as [string, ValueForm, string, Value][]) {
  test(`${what} is read`, () => assert.deepEqual(fromWire(form, wire), value))
}

for (const [what, form, wire, why] of [
  ['not-a-number of SCPI', number, '9.91E37', /no value/],
  ['an overload of SCPI', number, '9.9E37', /an overload/],
  ['a negative overload', number, '-9.9E37', /negative overload/],
  ['what the model calls a fault', { ...number, faults: { '-255': 'No sensor.' } }, '-255.0', /No sensor/],
  ['a word that the model calls a fault', { ...number, faults: { '---': 'No sensor.' } }, '---', /No sensor/],
  ['a list with an overload in it', { type: 'array' }, '1,9.9E37', /1 of 2 numbers/],
] as [string, ValueForm, string, RegExp][]) {
  test(`${what} is a fault, not a value`, () => {
    const read = fromWire(form, wire)
    assert.ok(isFault(read))
    assert.match(read.fault, why)
  })
}

for (const [form, wire] of [
  [number, 'OK'],
  [number, ''],
  [{ type: 'integer' }, '4.5'],
  [{ type: 'boolean' }, '2'],
  [{ type: 'boolean' }, 'maybe'],
  [mode, 'TRI'],
  [{ type: 'choice', choices: ['a'] }, 'constructor'],
  [{ type: 'array' }, '1,,2'],
] as [ValueForm, string][]) {
  test(`${form.type}: "${wire}" is REPLY_MALFORMED`, () =>
    assert.throws(() => fromWire(form, wire), refused('REPLY_MALFORMED')))
}

for (const [form, value, wire] of [
  [{ type: 'boolean' }, true, '1'],
  [{ type: 'boolean', map: { on: ['ON', 1], off: 'OFF' } }, true, 'ON'],
  [mode, 'sine', 'SIN'],
  [mode, 'none', '0'],
  [{ type: 'choice', choices: ['CH1'] }, 'CH1', 'CH1'],
  [{ type: 'text', quote: 'double' }, 'say "hi"; now', '"say ""hi""; now"'],
  [{ type: 'text', quote: 'single' }, "it's", "'it''s'"],
  [{ type: 'text' }, 'plain', 'plain'],
  [{ ...number, scale: 0.1 }, 21.5, '215'],
  [{ type: 'array', format: 'fixed 1' }, [1, 2.25], '1.0,2.3'],
] as [ValueForm, Value, string][]) {
  test(`${form.type} ${JSON.stringify(value)} is sent as ${wire}`, () =>
    assert.equal(toWire(form, value), wire))
}

test('a text that would be a command of its own is not sent', () => {
  for (const text of ['a\nOUTP ON', 'a\rOUTP ON', 'a;OUTP ON', 'µ€', '\u0018']) {
    assert.throws(() => toWire({ type: 'text' }, text), refused('OUT_OF_RANGE'), JSON.stringify(text))
  }
  assert.throws(() => toWire({ type: 'text', quote: 'double' }, 'a\nb'), refused('OUT_OF_RANGE'))
  assert.throws(() => toWire({ type: 'text', allowed: '[A-Z]+' }, 'ABC1'), refused('OUT_OF_RANGE'))
})

test('numeric transports: numbers become values and back', () => {
  assert.equal(fromWireNumber({ type: 'number', scale: 0.1 }, 215), 21.5)
  assert.equal(fromWireNumber({ type: 'boolean', bit: 3 }, 8), true)
  assert.equal(fromWireNumber(mode, 0), 'none')
  assert.equal(toWireNumber({ type: 'number', scale: 0.1 }, 21.5), 215)
  assert.equal(toWireNumber({ type: 'boolean' }, true), 1)
  assert.equal(toWireNumber({ type: 'choice', map: { auto: 0, manual: 3 } }, 'manual'), 3)
})
