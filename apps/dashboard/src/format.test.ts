import type { InstrumentDescription, ValueDescription } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatBare,
  formatDuration,
  formatNumber,
  formatPeriod,
  formatRange,
  formatTarget,
  formatTime,
  formatValue,
  parseInput,
} from './format.ts'

test('a value is shown with its decimals and unit, in the language of the reader', () => {
  const shown = { type: 'number', unit: '°C', decimals: 2 } as const
  assert.equal(formatValue(21.4, shown, 'en'), '21.40 °C')
  assert.equal(formatValue(21.4, shown, 'ru'), '21,40 °C')
  assert.equal(formatValue(null, shown, 'en'), '—')
  assert.equal(formatValue(true, { type: 'boolean' }, 'ru'), 'вкл')
  assert.equal(formatBare('auto', { type: 'choice' }, 'en'), 'auto')
  assert.equal(formatValue(1234567, { type: 'integer' }, 'en'), '1234567')
  // Numbers in words have a unit too, texts have none.
  assert.equal(formatValue('10', { type: 'choice', unit: 'PLC' }, 'en'), '10 PLC')
  assert.equal(formatValue('10', { type: 'text', unit: 'PLC' }, 'en'), '10')
  assert.equal(formatValue([1, 2], { type: 'array', unit: 'V' }, 'en'), '1; 2 V')
})

test('very small and very large numbers keep their digits', () => {
  assert.equal(formatNumber(1.234e-9, undefined, 'en'), '1.234e-9')
  assert.equal(formatNumber(2e12, undefined, 'en'), '2.000e+12')
  assert.equal(formatNumber(0, undefined, 'en'), '0')
  assert.equal(formatNumber(0.1 + 0.2, undefined, 'en'), '0.3')
})

test('a length of time is rounded up, so that no value is older than it says', () => {
  assert.equal(formatDuration(0, 'en'), '0 s')
  assert.equal(formatDuration(1, 'en'), '1 s')
  assert.equal(formatDuration(1001, 'en'), '2 s')
  assert.equal(formatDuration(59_001, 'en'), '1 min')
  assert.equal(formatDuration(185_000, 'en'), '3 min 5 s')
  assert.equal(formatDuration(3_600_000, 'en'), '1 h')
  assert.equal(formatDuration(7_800_001, 'en'), '2 h 11 min')
  assert.equal(formatDuration(86_399_500, 'en'), '1 d')
  assert.equal(formatDuration(93_600_000, 'ru'), '1 д 2 ч')
  assert.equal(formatDuration(-5, 'en'), '0 s')
})

test('a poll period below a second is given in ms', () => {
  assert.equal(formatPeriod(250, 'en'), '250 ms')
  assert.equal(formatPeriod(2000, 'en'), '2 s')
})

test('a time of another day comes with its date', () => {
  const at = '2026-03-01T10:20:30.000Z'
  const today = formatTime(at, Date.parse(at) + 1000, 'en')
  assert.match(today, /^\d\d:\d\d:30$/)
  assert.match(formatTime(at, Date.parse(at) + 5 * 86_400_000, 'en'), /^Mar \d \d\d:\d\d:30$/)
  assert.equal(formatTime('whenever', 0, 'en'), 'whenever')
})

test('limits are said in words', () => {
  assert.equal(formatRange({ type: 'number', min: 0, max: 100, unit: '%' }, 'en'), '0 to 100 %')
  assert.equal(formatRange({ type: 'number', min: 1 }, 'ru'), 'не меньше 1')
  assert.equal(formatRange({ type: 'number', max: 0.5, unit: 'V' }, 'en'), 'at most 0.5 V')
  assert.equal(formatRange({ type: 'number' }, 'en'), '')
})

test('a command is told with the labels of the site, and by its names where there are none', () => {
  const instrument = {
    parameters: { red: { label: 'Red light', type: 'integer', unit: '%', readable: true, writable: true } },
    actions: { flash: { label: 'Flash', arguments: { time: { label: 'Time', type: 'number', unit: 's' } } } },
  } as unknown as InstrumentDescription
  assert.equal(formatTarget({ parameter: 'red', value: 40 }, instrument, 'en'), 'Red light = 40 %')
  assert.equal(formatTarget({ parameter: 'constructor', value: true }, instrument, 'en'), 'constructor = on')
  assert.equal(
    formatTarget({ action: 'flash', arguments: { time: 2 } }, instrument, 'en'),
    'Flash (Time: 2 s)',
  )
  assert.equal(formatTarget({ action: 'reset' }, undefined, 'en'), 'reset')
})

test('what is typed becomes a value of the right type, or a sentence', () => {
  const percent: ValueDescription = { type: 'integer', min: 0, max: 100, unit: '%' }
  assert.deepEqual(parseInput(' 40 ', percent, 'en'), { value: 40 })
  assert.deepEqual(parseInput('', percent, 'en'), { wrong: 'Write a number.' })
  assert.deepEqual(parseInput('4 0', percent, 'en'), { wrong: 'Write a number.' })
  assert.deepEqual(parseInput('4.5', percent, 'en'), { wrong: 'Write a whole number.' })
  assert.deepEqual(parseInput('101', percent, 'en'), { wrong: 'Allowed: 0 to 100 %.' })
  assert.deepEqual(parseInput('Infinity', { type: 'number' }, 'en'), { wrong: 'Write a number.' })
  assert.deepEqual(parseInput('−1,5', { type: 'number' }, 'ru'), { value: -1.5 })
  assert.deepEqual(parseInput('b', { type: 'choice', choices: ['a'] }, 'en'), { wrong: 'Choose one.' })
  assert.deepEqual(parseInput('abc', { type: 'text', maxLength: 2 }, 'en'), {
    wrong: 'At most 2 characters.',
  })
  assert.deepEqual(parseInput('false', { type: 'boolean' }, 'en'), { value: false })
})
