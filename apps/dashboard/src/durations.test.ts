import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationToText, exactDuration, parseDurationText, splitDuration } from './durations.ts'

test('a length of time is said to the millisecond, in the words of the language', () => {
  assert.equal(exactDuration(240_000, 'en'), '4 min')
  assert.equal(exactDuration(5_400_000, 'en'), '1 h 30 min')
  assert.equal(exactDuration(90_061_001, 'en'), '1 d 1 h 1 min 1 s 1 ms')
  assert.equal(exactDuration(0, 'en'), '0 s')
  assert.equal(exactDuration(250, 'ru'), '250 мс')
})

test('what a field begins with is read back as the same time', () => {
  for (const ms of [0, 1, 250, 1000, 90_000, 5_400_000, 86_400_000, 1_000 * 3_600_000]) {
    assert.equal(parseDurationText(durationToText(ms)), ms)
  }
  assert.deepEqual(splitDuration(durationToText(5_400_000)), { amount: '90', unit: 'min' })
})

test('a decimal comma is a point; what is no number is none, and 0 is one', () => {
  assert.equal(parseDurationText('1,5 h'), 5_400_000)
  assert.equal(parseDurationText('0 s'), 0)
  for (const text of ['', ' s', 'x min', '1.2.3 s', 'Infinity s']) assert.equal(parseDurationText(text), null)
})
