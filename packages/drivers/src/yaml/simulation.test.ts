import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answerer, createAnswerer } from './simulation.ts'
import { head, readText } from './testing.ts'

function answerer(simulation: string, link = ''): Answerer {
  const { raw, faults } = readText(
    `${head('line')}${link}parameters:\n  a: { label: A, type: number, read: 'A?' }\nsimulation:\n${simulation}`,
  )
  assert.deepEqual(faults, [])
  const made = raw && createAnswerer(raw)
  assert.ok(made)
  return made
}

const say = (instrument: Answerer, line: string): string | null =>
  instrument.answer(line)?.toString('latin1') ?? null

const SUPPLY = `  scpi: true
  identity: ACME,X1,5,1.0
  state:
    volts: { value: 0, min: 0, max: 30, format: fixed 3 }
    amps: { value: 1, min: 0, max: 3 }
    output: { value: 'OFF', words: { 'ON': [1], 'OFF': [0] } }
    name: none
  rules:
    - { scpi: '[:SOURce1]:VOLTage[:LEVel] {volts}' }
    - { scpi: '[:SOURce1]:VOLTage[:LEVel]?', reply: '{volts}' }
    - { scpi: '[:SOURce1]:CURRent {amps}' }
    - { scpi: '[:SOURce1]:CURRent?', reply: '{amps}' }
    - { scpi: 'APPLy CH1,{volts},{amps}' }
    - { scpi: 'OUTPut[:STATe] {output}' }
    - { scpi: 'OUTPut[:STATe]?', reply: '{output}' }
    - { scpi: 'MEASure:VOLTage?', when: { output: 'ON' }, reply: '{volts}' }
    - { scpi: 'MEASure:VOLTage?', reply: '0.000' }
    - { scpi: 'SYSTem:NAME {name}' }
    - { scpi: 'SYSTem:NAME?', reply: '"{name}"' }
    - { scpi: 'TRIGger', error: -211 }
    - { scpi: 'DATA?', wave: { points: 3, shape: flat, middle: 5, as: uint8, digits: 9 } }
`

test('short and long forms, in any case, with and without what is optional', () => {
  const instrument = answerer(SUPPLY)
  const forms = [
    'VOLT',
    'volt',
    'VOLTage',
    ':VOLTAGE',
    'SOUR:VOLT',
    ':SOURCE1:VOLT',
    'sour1:voltage:level',
    'VOLT:LEV',
  ]
  for (const [index, form] of forms.entries()) {
    assert.equal(say(instrument, `${form} ${index + 1}`), null)
    assert.equal(say(instrument, `${form}?`), `${index + 1}.000\n`, form)
  }
  assert.equal(say(instrument, 'VOLTA?'), null)
  assert.equal(say(instrument, 'SYST:ERR?'), '-113,"Undefined header"\n')
  assert.equal(say(instrument, 'system:error:next?'), '0,"No error"\n')
})

test('several commands in one line continue the path; their answers are joined', () => {
  const instrument = answerer(SUPPLY)
  assert.equal(say(instrument, ':SOUR:VOLT 5;CURR 2;:OUTP ON;*IDN?'), 'ACME,X1,5,1.0\n')
  assert.deepEqual(instrument.state, { volts: 5, amps: 2, output: 'ON', name: 'none' })
  assert.equal(say(instrument, 'VOLT?;CURR?;MEAS:VOLT?'), '5.000;2;5.000\n')
  assert.equal(say(instrument, 'SYST:NAME "a;b"'), null)
  assert.equal(say(instrument, 'SYST:NAME?'), '"a;b"\n')
})

test('what is out of range, no number, or no word, is an error and changes nothing', () => {
  const instrument = answerer(SUPPLY)
  for (const [command, error] of [
    ['VOLT 31', '-222,"Data out of range"'],
    ['VOLT abc', '-104,"Data type error"'],
    ['APPL CH1,5,9', '-222,"Data out of range"'],
    ['OUTP MAYBE', '-224,"Illegal parameter value"'],
    ['VOLT', '-109,"Missing parameter"'],
    ['NONSENSE', '-113,"Undefined header"'],
    ['TRIG', '-211,"Device-specific error"'],
  ] as const) {
    assert.equal(say(instrument, command), null)
    assert.equal(say(instrument, 'SYST:ERR?'), `${error}\n`, command)
  }
  assert.equal(instrument.state['volts'], 0)
  assert.equal(say(instrument, 'VOLT MAX;VOLT?'), '30.000\n')
})

test('the error queue overflows and is cleared; the event register tells power-up and errors', () => {
  const instrument = answerer(SUPPLY)
  assert.equal(say(instrument, '*ESR?'), '128\n')
  for (let count = 0; count < 25; count++) instrument.answer('X')
  assert.equal(say(instrument, '*ESR?'), '32\n')
  assert.equal(say(instrument, '*ESR?'), '0\n')
  const errors = Array.from({ length: 21 }, () => say(instrument, 'SYST:ERR?'))
  assert.equal(errors[19], '-350,"Queue overflow"\n')
  assert.equal(errors[20], '0,"No error"\n')
  instrument.answer('X')
  assert.equal(say(instrument, '*CLS;*OPC?'), '1\n')
  assert.equal(say(instrument, 'SYST:ERR?'), '0,"No error"\n')
})

test('a power cycle loses what was set', () => {
  const instrument = answerer(SUPPLY)
  instrument.answer('VOLT 5;:OUTP ON;NONSENSE')
  instrument.receive(Buffer.from('half a li'))
  instrument.reset()
  assert.deepEqual(instrument.state, { volts: 0, amps: 1, output: 'OFF', name: 'none' })
  assert.equal(say(instrument, 'SYST:ERR?'), '0,"No error"\n')
  assert.equal(instrument.receive(Buffer.from('*IDN?\n'))[0]?.toString(), 'ACME,X1,5,1.0\n')
})

test('bytes in any pieces become lines; blocks are answered as bytes', () => {
  const instrument = answerer(SUPPLY)
  assert.deepEqual(instrument.receive(Buffer.from('VO')), [])
  const answers = instrument.receive(Buffer.from('LT 3\nVOLT?\nDATA?\nVO'))
  assert.deepEqual(
    answers.map((answer) => answer.toString('latin1')),
    ['3.000\n', '#9000000003\u0005\u0005\u0005\n'],
  )
  assert.equal(instrument.receive(Buffer.from('LT?\n'))[0]?.toString(), '3.000\n')
})

test('a line without end is thrown away in the end', () => {
  const instrument = answerer(SUPPLY)
  for (let count = 0; count < 3; count++) instrument.receive(Buffer.alloc(600_000, 0x41))
  instrument.receive(Buffer.from('\n'))
  assert.equal(instrument.receive(Buffer.from('VOLT?\n'))[0]?.toString(), '0.000\n')
})

test('instruments without SCPI: patterns, characters that act at once, unknown lines', () => {
  const instrument = answerer(
    `  greeting: Hello
  unknown: 'error:20'
  state: { x: 0, held: 0 }
  rules:
    - { bytes: '?', reply: '<{x}>' }
    - { bytes: '!', set: { held: 1 } }
    - { pattern: '^G1 X(?<x>-?[0-9.]+)$', when: { held: 0 }, reply: ok }
    - { pattern: '^\\$I$', reply: '[VER:1.1]' }
`,
    'link: { send: "\\r", receive: "\\r\\n" }\n',
  )
  assert.equal(instrument.greeting?.toString(), 'Hello\r\n')
  const texts = (bytes: string): string[] => instrument.receive(Buffer.from(bytes)).map(String)
  assert.deepEqual(texts('G1 X?5\r'), ['<0>\r\n', 'ok\r\n'])
  assert.deepEqual(texts('?'), ['<5>\r\n'])
  assert.deepEqual(texts('!G1 X6\r'), ['error:20\r\n'])
  assert.deepEqual(texts('G9\r'), ['error:20\r\n'])
  instrument.set('x', 7)
  assert.deepEqual(texts('?'), ['<7>\r\n'])
})

test('an instrument that talks by itself says its lines in turn, with checksums', () => {
  const instrument = answerer(`  every: 1 s
  state: { wind: 214.8 }
  lines: ['$WIMWV,{wind},R,0.1,K,A*{checksum}', 'plain']
  frames: ['FF 86 00']
`)
  const { talks } = instrument
  assert.equal(talks?.everyMs, 1000)
  assert.equal(talks?.next().toString(), '$WIMWV,214.8,R,0.1,K,A*28\n')
  assert.equal(talks?.next().toString(), 'plain\n')
  assert.deepEqual(talks?.next(), Buffer.from('ff8600', 'hex'))
  assert.equal(talks?.next().toString(), '$WIMWV,214.8,R,0.1,K,A*28\n')
})

test('a model without simulation has none', () => {
  const { raw } = readText(`${head('line')}parameters:\n  a: { label: A, type: number, read: 'A?' }\n`)
  assert.equal(raw && createAnswerer(raw), null)
})
