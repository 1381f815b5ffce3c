import type { AlarmRule, Value } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Watched, judge } from './judge.ts'

const common = { severity: 'warning', delayMs: 0, offDelayMs: 0, latch: false, inhibitDuring: [] } as const
const subject = { label: 'Lamp: temperature', unit: '°C' }
const read = (value: Value | null, more: Partial<Watched> = {}): Watched => ({
  value,
  ageMs: 100,
  good: true,
  ...more,
})

function so(
  rule: AlarmRule,
  value: Value | null,
  wasSo = false,
  reference: Watched | null = null,
): boolean | null {
  return judge(rule, subject, read(value), reference, wasSo).so
}

test('limits hold on one side, with hysteresis on the way back', () => {
  const high: AlarmRule = { ...common, kind: 'high', at: 60, hysteresis: 2 }
  assert.deepEqual(
    [60, 60.1, 59].map((value) => so(high, value)),
    [false, true, false],
  )
  assert.deepEqual(
    [60, 58.1, 58, 57].map((value) => so(high, value, true)),
    [true, true, false, false],
  )
  const low: AlarmRule = { ...common, kind: 'lowLow', at: 5, hysteresis: 1 }
  assert.deepEqual(
    [5, 4.9].map((value) => so(low, value)),
    [false, true],
  )
  assert.deepEqual(
    [5, 5.9, 6].map((value) => so(low, value, true)),
    [true, true, false],
  )
})

test('the sentence has value, unit and limit', () => {
  const rule: AlarmRule = { ...common, kind: 'highHigh', at: 60, hysteresis: 0 }
  assert.equal(
    judge(rule, subject, read(63.100000001), null, false).message,
    'Lamp: temperature is 63.1 °C, above 60 °C.',
  )
})

test('a value that is stale, bad, missing or no number says nothing', () => {
  const rule: AlarmRule = { ...common, kind: 'high', at: 60, hysteresis: 0 }
  assert.equal(judge(rule, subject, read(99, { good: false }), null, false).so, null)
  assert.equal(so(rule, null), null)
  assert.equal(so(rule, 'hot'), null)
  assert.equal(so(rule, Number.NaN), null)
})

test('a deviation from a number, and from another reading while that one is good', () => {
  const fixed: AlarmRule = { ...common, kind: 'deviation', from: 20, by: 3, hysteresis: 1 }
  assert.deepEqual(
    [23, 23.1, 16.9].map((value) => so(fixed, value)),
    [false, true, true],
  )
  assert.equal(so(fixed, 22.5, true), true)
  assert.equal(so(fixed, 22, true), false)
  const from = { instrument: 'oven', parameter: 'setpoint' }
  const other: AlarmRule = { ...common, kind: 'deviation', from, by: 3, hysteresis: 0 }
  assert.equal(so(other, 30, false, read(20)), true)
  assert.equal(so(other, 30, false, read(20, { good: false })), null)
  assert.equal(so(other, 30, false, null), null)
})

test('states: one of these, or none of these', () => {
  const fault: AlarmRule = { ...common, kind: 'state', equals: ['fault', 'open'] }
  assert.deepEqual(
    ['fault', 'open', 'ok'].map((value) => so(fault, value)),
    [true, true, false],
  )
  const notOn: AlarmRule = { ...common, kind: 'state', notEquals: [true] }
  assert.deepEqual([so(notOn, true), so(notOn, false)], [false, true])
})

test('stale: by age alone, and never read at all', () => {
  const rule: AlarmRule = { ...common, kind: 'stale', afterMs: 30_000 }
  const at = (ageMs: number, good: boolean): boolean | null =>
    judge(rule, subject, read(1, { ageMs, good }), null, false).so
  assert.deepEqual(
    [at(1_000, true), at(29_000, false), at(31_000, false), at(31_000, true)],
    [false, false, true, true],
  )
  const never = (ageMs: number): ReturnType<typeof judge> =>
    judge(rule, subject, read(null, { ageMs, good: false }), null, false)
  assert.equal(never(29_000).so, false)
  assert.deepEqual([never(31_000).so, never(31_000).message], [true, 'Lamp: temperature was never read.'])
  const told = judge(
    rule,
    subject,
    read(1, { ageMs: 300_000, good: false, error: 'Timed out.' }),
    null,
    false,
  )
  assert.equal(told.message, 'Lamp: temperature has not been read for 5 min (Timed out).')
})
