import type { RecipeParameterDescription } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatGiven, givenRange, givenToText, parseAll, parseGiven } from './recipe-values.ts'

const PAUSE: RecipeParameterDescription = { type: 'duration', label: 'Pause', min: 1000, max: 3_600_000 }
const RED: RecipeParameterDescription = { type: 'integer', label: 'Red', unit: '%', min: 0, max: 100 }

test('a duration has its limits in words and is refused beyond them', () => {
  assert.equal(givenRange(PAUSE, 'en'), '1 s to 1 h')
  assert.deepEqual(parseGiven('61 min', PAUSE, 'en'), { wrong: 'Allowed: 1 s to 1 h.' })
  assert.deepEqual(parseGiven('60 min', PAUSE, 'en'), { value: 3_600_000 })
  assert.deepEqual(parseGiven('-1 s', { type: 'duration', label: 'x' }, 'en'), {
    wrong: 'Allowed: at least 0 s.',
  })
})

test('a value of a run is shown as it was set, also one that the recipe does not know any more', () => {
  assert.equal(formatGiven(90_000, PAUSE, 'en'), '1 min 30 s')
  assert.equal(formatGiven(30, RED, 'en'), '30 %')
  assert.equal(formatGiven(30, undefined, 'en'), '30')
})

test('what a field begins with can be read; without a default it is empty and has to be written', () => {
  assert.deepEqual(parseGiven(givenToText(90_000, PAUSE), PAUSE, 'en'), { value: 90_000 })
  assert.equal(givenToText(undefined, RED), '')
  assert.ok('wrong' in parseGiven(givenToText(undefined, PAUSE), PAUSE, 'en'))
})

test('each field that can not be read has its own sentence', () => {
  const { values, wrongs } = parseAll({ pause: '5 s', red: '101' }, { pause: PAUSE, red: RED }, 'en')
  assert.deepEqual([values, wrongs], [{ pause: 5000 }, { red: 'Allowed: 0 to 100 %.' }])
})
