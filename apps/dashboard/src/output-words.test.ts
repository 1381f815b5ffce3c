import type { OutputState, ParameterDescription } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outputNow, rulesInWords } from './output-words.ts'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString()
const state = (more: Partial<OutputState>): OutputState => ({
  on: true,
  since: at(-10),
  countedFrom: at(-10),
  seenAt: at(0),
  ...more,
})
const pump: ParameterDescription = {
  label: 'Pump',
  type: 'number',
  unit: '%',
  readable: true,
  writable: true,
  rules: {
    maxOnMs: 1_800_000,
    minOffMs: 60_000,
    slew: { perSecond: 2, step: 10 },
    count: { onTime: { limitMs: 3_600_000 }, cycles: {}, atLimit: 'refuse' },
  },
}
const texts = (more: Partial<OutputState>): string[] =>
  outputNow(pump, state(more), NOW, 'en').map(({ text }) => text)

test('says when maxOn switches it off, and that it is overdue', () => {
  assert.deepEqual(texts({ offBy: at(754) }), ['off in 12 min 34 s at the latest'])
  assert.match(texts({ offBy: at(-1) })[0] ?? '', /longer than it may/)
  assert.deepEqual(texts({ on: false }), [])
})

test('says how long it is kept as it is', () => {
  assert.deepEqual(texts({ heldUntil: at(40) }), ['stays on for another 40 s'])
  assert.deepEqual(texts({ on: false, heldUntil: at(40) }), ['stays off for another 40 s'])
  assert.deepEqual(texts({ on: false, heldUntil: at(0) }), [])
})

test('says what is counted, of what has a limit, and what happens there', () => {
  const count = { onTimeS: 3600, cycles: 7, since: at(-60), level: 'limit' } as const
  const [counted = '', limit] = texts({ count })
  assert.match(counted, /^since .*: on for 1.00 h of 1.00 h, cycles: 7$/)
  assert.match(limit ?? '', /not switched on until an admin/)
})

test('the rules in sentences, in both languages', () => {
  const [maxOn, minOff, slew, death] = rulesInWords(pump, 'en')
  assert.match(maxOn ?? '', /On for 30 min at most/)
  assert.match(minOff ?? '', /off for 1 min at least/)
  assert.match(slew ?? '', /by 10 % at once and 2 % a second/)
  assert.match(death ?? '', /while its worker is dead/)
  assert.equal(rulesInWords(pump, 'ru').length, 4)
})
