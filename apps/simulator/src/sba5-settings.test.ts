import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FACTORY_SETTINGS, Sba5CommandReader, settingChange } from './sba5-settings.ts'

test('single characters act at once, string commands at CR, in whatever pieces they come', () => {
  const reader = new Sba5CommandReader()
  assert.deepEqual(reader.push('M'), ['M'])
  assert.deepEqual(reader.push('\r\n!@Z\r\n'), ['!', '@', 'Z'])
  assert.deepEqual(reader.push('F2'), [])
  assert.deepEqual(reader.push('52'), [])
  assert.deepEqual(reader.push('\r\nM'), ['F252', 'M'])
  assert.deepEqual(reader.push('S,11,1\rEM\r'), ['S,11,1', 'EM'])
})

test('what never ends does not fill the memory', () => {
  const reader = new Sba5CommandReader()
  const commands = reader.push('F'.repeat(1000))
  assert.equal(commands.length, 15)
  assert.ok(commands.every((command) => settingChange(command, FACTORY_SETTINGS) === undefined))
})

const GOOD: [text: string, change: object][] = [
  ['F252', { mask: 252 }],
  ['C0', { decimals: 0 }],
  ['P0', { pump: false }],
  ['K1', { source: true }],
  ['D0', { zeroAtPowerUp: false }],
  ['W1', { portsSwapped: true }],
  ['J1', { spareInput: true }],
  ['A-5', { zeroMinutes: -5 }],
  ['EL', { zeroLength: 'L' }],
  ['B0', { average: 0 }],
  ['L400', { lowAlarm: 400 }],
  ['U1.0025', { scale: 1.0025 }],
  ['T60', { thermostat: 60 }],
  ['S,11,0.1', { intervalSeconds: 0.1 }],
  ['S,9,50', { pumpPower: 50 }],
  ['S,16,0', {}],
  ['S,11,1,043C', { intervalSeconds: 1 }],
  ['O0,5000', { outputs: { O: '0,5000' } }],
]
for (const [text, change] of GOOD) {
  test(`${text} is taken`, () => assert.deepEqual(settingChange(text, FACTORY_SETTINGS), change))
}

const REFUSED = ['F256', 'F', 'F1.5', 'C3', 'P2', 'EX', 'A10001', 'U0', 'U11', 'T26', 'S,11,0', 'S,16,1']
for (const text of [...REFUSED, 'S,99,1', 'S', 'Q1', 'Fabc', 'O5', 'constructor']) {
  test(`${text} is not taken`, () => assert.equal(settingChange(text, FACTORY_SETTINGS), undefined))
}
