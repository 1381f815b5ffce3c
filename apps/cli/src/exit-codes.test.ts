import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, ERRORS } from '@golem/core'
import { EXIT_CODES, exitCodesInWords, exitOf } from './exit-codes.ts'

test('each exit code has a number of its own and stands in the table that help shows', () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code)
  assert.deepEqual(codes, [0, 1, 2, 3, 4])
  for (const { code, meaning } of Object.values(EXIT_CODES)) {
    assert.match(exitCodesInWords(), new RegExp(`^ {2}${code} {2}${meaning.slice(0, 20)}`, 'm'))
  }
})

test('"nothing was done" is said only of errors that have done nothing', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    if (exitOf(code) === 'refused') assert.equal(ERRORS[code].effect, 'none', code)
  }
})

test('an error whose effect is not known never looks like a plain failure, a bug of golem excepted', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    if (ERRORS[code].effect === 'unknown' && code !== 'INTERNAL') assert.equal(exitOf(code), 'unknown', code)
  }
})
