import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftOf, setPoints, valuesOf } from './sweep.ts'

test('a sweep has both ends, upwards and downwards', () => {
  assert.deepEqual(valuesOf({ from: 0, to: 100, step: 20 }), [0, 20, 40, 60, 80, 100])
  assert.deepEqual(valuesOf({ from: 0, to: 1, step: 0.3 }), [0, 0.3, 0.6, 0.9, 1])
  assert.deepEqual(valuesOf({ from: 10, to: 0, step: 5 }), [10, 5, 0])
  assert.deepEqual(valuesOf({ from: 5, to: 5, step: 1 }), [5])
})

test('what is no sweep has no points', () => {
  for (const range of [
    { from: 0, to: 100, step: 0 },
    { from: 0, to: 100, step: -1 },
    { from: NaN, to: 100, step: 1 },
    { from: 0, to: 1e9, step: 1 },
  ]) {
    assert.deepEqual(valuesOf(range), [])
  }
})

test('two inputs are combined, and what was measured before a break is left out', () => {
  const points = setPoints([
    { from: 0, to: 100, step: 50 },
    { from: 0, to: 100, step: 100 },
  ])
  assert.equal(points.length, 6)
  const measured = [{ inputs: [0, 100], value: 5 }]
  assert.deepEqual(leftOf(points, measured)[1], [50, 0])
})
