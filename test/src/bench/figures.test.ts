import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asTable, inMs, perSecond, spreadOf, times } from './figures.ts'

test('of a hundred values half are below p50, and one is above p99', () => {
  const shuffled = Array.from({ length: 100 }, (_, n) => ((n * 37) % 100) + 1)
  assert.deepEqual(spreadOf(shuffled), { p50: 50, p99: 99, max: 100 })
})

test('one value is every quantile, the middle of three is the median', () => {
  assert.deepEqual(spreadOf([7]), { p50: 7, p99: 7, max: 7 })
  assert.equal(spreadOf([30, 1, 2]).p50, 2)
})

test('numbers are in order by value, not by their digits', () => {
  assert.deepEqual(spreadOf([9, 10, 100]), { p50: 10, p99: 100, max: 100 })
})

test('figures are printed with as many digits as they are worth', () => {
  assert.deepEqual([0.123, 9.99, 12.34, 123.4].map(inMs), ['0.12 ms', '9.99 ms', '12.3 ms', '123 ms'])
  assert.equal(perSecond(25_000, 2), '12,500/s')
  assert.equal(times(3, 2), '1.50x')
})

test('a table has a line for each figure, and columns as wide as their widest cell', () => {
  const lines = asTable([
    { what: 'one', value: '1 ms' },
    { what: 'another', value: '2 ms', aim: 'less' },
  ]).split('\n')
  assert.equal(lines.length, 4)
  assert.equal(new Set(lines.map((line) => line.length)).size, 1)
  assert.match(lines[3] ?? '', /^\| another \| 2 ms +\| +\| less \|$/)
})
