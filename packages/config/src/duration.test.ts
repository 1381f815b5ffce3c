import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from './duration.ts'

test('a duration is a number and its unit', () => {
  for (const [text, ms] of [
    ['500 ms', 500],
    ['1 s', 1000],
    ['1s', 1000],
    ['0.5 s', 500],
    ['2 min', 120_000],
    ['1 h', 3_600_000],
  ] as const) {
    assert.equal(parseDuration(text), ms, text)
  }
})

test('anything else is no duration', () => {
  for (const text of [
    '',
    '5',
    's',
    '-1 s',
    '1  s',
    '1 s ',
    '1,5 s',
    '1e3 s',
    '1 S',
    '1 day',
    '.5 s',
    '1 s\n',
  ]) {
    assert.equal(parseDuration(text), null, JSON.stringify(text))
  }
})

test('a duration is shown in its largest whole unit', () => {
  assert.equal(formatDuration(100), '100 ms')
  assert.equal(formatDuration(1500), '1500 ms')
  assert.equal(formatDuration(600_000), '10 min')
  assert.equal(formatDuration(3_600_000), '1 h')
})
