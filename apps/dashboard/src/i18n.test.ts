import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage, type MessageKey, translate } from './i18n.ts'

test('places in a sentence are filled as they are, also with signs of a pattern', () => {
  assert.equal(translate('en', 'stopReason', { reason: '$& {by} <b>' }), 'Reason: $& {by} <b>')
  assert.equal(translate('ru', 'stopReason' satisfies MessageKey), 'Причина: {reason}')
})

test('the language is the one chosen before, or the first the browser knows', () => {
  assert.equal(chooseLanguage('ru', ['en-GB']), 'ru')
  assert.equal(chooseLanguage(null, ['de-DE', 'ru-RU', 'en']), 'ru')
  assert.equal(chooseLanguage('xx', ['de-DE']), 'en')
})
