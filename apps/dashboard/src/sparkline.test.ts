import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extentOf, extentOfList, type Frame, listPath, sparklinePath } from './sparkline.ts'

const FRAME: Frame = {
  from: 0,
  to: 100,
  width: 100,
  height: 12,
  steps: false,
  leastSpan: 1,
  maxGapMs: 50,
}

test('a line joins points in time and value', () => {
  const points = [
    { at: 0, value: 0 },
    { at: 50, value: 10 },
    { at: 100, value: 5 },
  ]
  assert.equal(sparklinePath(points, FRAME), 'M0 11L50 1L100 6')
  assert.deepEqual(extentOf(points), { min: 0, max: 10 })
})

test('a line is broken where nothing was measured and where too much time passed', () => {
  const path = (at: number) =>
    sparklinePath(
      [
        { at: 0, value: 0 },
        { at: 10, value: 10 },
        { at: 20, value: null },
        { at: 30, value: 10 },
        { at, value: 10 },
      ],
      FRAME,
    )
  assert.equal(path(80), 'M0 11L10 1M30 1L80 1')
  assert.equal(path(81), 'M0 11L10 1M30 1M81 1')
})

test('a switch is drawn in steps on a fixed scale', () => {
  const points = [
    { at: 0, value: 0 },
    { at: 40, value: 1 },
  ]
  assert.equal(sparklinePath(points, { ...FRAME, steps: true }), 'M0 11H40V1')
})

test('noise below the least span stays nearly flat, in the middle', () => {
  const points = [
    { at: 0, value: 5 },
    { at: 50, value: 5.1 },
  ]
  assert.equal(sparklinePath(points, FRAME), 'M0 6.5L50 5.5')
})

test('one point is no line', () => {
  assert.equal(sparklinePath([{ at: 0, value: 5 }], FRAME), '')
  assert.equal(extentOf([{ at: 0, value: null }]), null)
  assert.equal(extentOfList([]), null)
})

test('a short list is drawn number by number, a long one keeps each spike', () => {
  assert.equal(listPath([0, 1, 0], 100, 12), 'M0 11L50 1L100 11')
  assert.equal(listPath([5], 100, 12), '')
  const long = Array.from({ length: 100_000 }, () => 0)
  long[54_321] = 10
  const path = listPath(long, 100, 12)
  assert.ok(path.length < 4_000)
  // As many as a call can't take as arguments.
  assert.deepEqual(extentOfList(Array.from({ length: 1_000_000 }, (_, n) => n - 5)), {
    min: -5,
    max: 999_994,
  })
  assert.match(path, /L54\.\d 1L/)
})
