import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPattern } from './patterns.ts'

const faultsOf = (source: string): string[] => {
  const faults: string[] = []
  readPattern(source, [], (_path, message) => faults.push(message))
  return faults
}

for (const source of [
  '^(?<a>[^,]+),(?<b>[^,]*)$',
  '(ab|cd)?e',
  '^(?:x{2,5}){3}$',
  '[(+]+\\(+',
  '^.*=(.*)$',
  'a{2,}',
]) {
  test(`${source} is taken`, () => assert.deepEqual(faultsOf(source), []))
}

for (const source of [
  '(x+)+',
  '(x*)*y',
  '((a+)b?)*',
  '(?:[a-z]+)*$',
  '(a|aa)+$',
  '(x+){2,}',
  '^.*.*.*',
  '.*a.*b',
  '(.)\\1',
  '(?<a>x)\\k<a>',
  '(unclosed',
  'x'.repeat(501),
  '(?<_odd>x)',
]) {
  test(`${source.slice(0, 20)} is not taken`, () => assert.equal(faultsOf(source).length, 1))
}

test('what is taken is quick on an unlucky line of the greatest length', () => {
  const faults: string[] = []
  const pattern = readPattern('^.*a.*b$', [], (_path, message) => faults.push(message))
  const started = performance.now()
  assert.equal(pattern?.regex.test('a'.repeat(4096)), false)
  assert.ok(performance.now() - started < 5_000)
})
