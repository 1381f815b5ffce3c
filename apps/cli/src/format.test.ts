import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CliError } from './exit-codes.ts'
import { ageInWords, parseValue, printable, readingInWords, spanInWords, table } from './format.ts'

test('spans are short and in units people think in', () => {
  const cases: [number, string][] = [
    [-5, '0 s'],
    [400, '0.4 s'],
    [9_949, '9.9 s'],
    [12_300, '12 s'],
    [119_000, '119 s'],
    [180_000, '3 min'],
    [7_500_000, '2 h 5 min'],
    [7_200_000, '2 h'],
    [180_000_000, '2 d 2 h'],
  ]
  for (const [ms, words] of cases) assert.equal(spanInWords(ms), words)
})

test('what was never read has no age', () => {
  assert.equal(ageInWords(null, 0), 'never')
})

test('a reading that is not good says so louder than its value', () => {
  const now = Date.parse('2026-01-01T00:00:10.000Z')
  const at = '2026-01-01T00:00:00.000Z'
  const parameter = { unit: '°C', decimals: 1 }
  assert.equal(readingInWords({ value: 21.04, at, quality: 'good' }, parameter, now), '21.0 °C  (10 s ago)')
  assert.equal(
    readingInWords({ value: 21.04, at, quality: 'bad', error: 'sensor missing' }, parameter, now),
    '21.0 °C  (BAD, 10 s ago: sensor missing)',
  )
})

test('words of the command line become values of the right type', () => {
  assert.equal(parseValue('r', { type: 'boolean' }, 'ON'), true)
  assert.equal(parseValue('r', { type: 'boolean' }, '0'), false)
  assert.equal(parseValue('r', { type: 'number' }, '-2.5'), -2.5)
  assert.equal(parseValue('r', { type: 'choice', choices: ['a'] }, 'a'), 'a')
  assert.equal(parseValue('r', { type: 'text' }, '12'), '12')
})

test('a word that cannot be such a value is refused with what is taken', () => {
  const is = (words: RegExp) => (error: CliError) => error.exit === 'usage' && words.test(error.message)
  assert.throws(
    () => parseValue('lamp.red', { type: 'number', unit: '%' }, 'full'),
    is(/lamp.red takes a number in %, not "full"/),
  )
  assert.throws(() => parseValue('lamp.red', { type: 'number' }, ''), is(/takes a number/))
  assert.throws(() => parseValue('r', { type: 'boolean' }, 'maybe'), is(/takes on or off/))
})

test('a label from the network cannot steer the terminal', async () => {
  assert.equal(printable('a\u001b[2Jb\u0007'), 'a\uFFFD[2Jb\uFFFD')
  const drawn = await table([['label'], ['\u001b]0;pwned\u0007']])
  assert.ok(!drawn.includes('\u001b') && !drawn.includes('\u0007'))
})

test('a table is columns with spaces between, as awk likes them', async () => {
  const drawn = await table([
    ['id', 'value'],
    ['lamp', '12 %'],
  ])
  assert.equal(drawn, 'id    value\nlamp  12 %')
})
