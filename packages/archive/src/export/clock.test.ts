import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoClock } from './clock.ts'

test('times are written as the standard library writes them, in whatever order they come', () => {
  const iso = isoClock()
  const times = [
    0,
    7,
    59_999,
    60_000,
    61_099,
    1_777_622_400_010,
    -1,
    -60_001,
    253_402_300_799_999,
    5,
    1e12 + 1,
  ]
  for (const t of times) assert.equal(iso(t), new Date(t).toISOString())
  assert.throws(() => iso(Number.NaN), RangeError)
})
