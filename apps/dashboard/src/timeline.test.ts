import type { PlannedStart } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf, marksOf, mergeStarts, spanAround, thinned, ticksOf } from './timeline.ts'

const NOW = Date.parse('2026-03-01T12:00:00.000Z')
const at = (hours: number): string => new Date(NOW + hours * 3_600_000).toISOString()
const start = (hours: number, change: Partial<PlannedStart> = {}): PlannedStart => ({
  schedule: 's',
  plannedAt: at(hours),
  ...change,
})
const began = (hours: number, change: Partial<PlannedStart> = {}): PlannedStart =>
  start(hours, { run: 'r', startedAt: at(hours), lateMs: 0, ...change })

test('each start stands at its time, as long as its run took, as what became of it', () => {
  const starts = [
    began(-24, { finishedAt: at(-12), end: 'completed' }),
    began(-6, { finishedAt: at(-5), end: 'failed' }),
    began(-4, { finishedAt: at(-3), end: 'aborted', lateMs: 60_000 }),
    start(-2, { skipped: 'busy', count: 4, until: at(-1) }),
    began(-0.5),
  ]
  const coming = [
    { schedule: 's', plannedAt: at(-0.1) },
    { schedule: 's', plannedAt: at(12) },
  ]
  const marks = marksOf(starts, coming, spanAround(NOW, 24), NOW)
  assert.deepEqual(
    marks.map(({ kind, from, to, isLate }) => [kind, from, to, isLate]),
    [
      ['done', 0, 0.25, false],
      ['failed', 0.375, 19 / 48, false],
      ['early', 20 / 48, 21 / 48, true],
      ['skipped', 22 / 48, 23 / 48, false],
      ['runs', 23.5 / 48, 0.5, false],
      ['planned', 0.75, 0.75, false],
    ],
  )
  assert.deepEqual(countsOf(starts, marks), { started: 4, late: 1, skipped: 4, planned: 1 })
})

test('a run that began before the span is shown from its edge on; what ended before is not', () => {
  const starts = [began(-30, { finishedAt: at(-23), end: 'completed' }), began(-30, { finishedAt: at(-25) })]
  const marks = marksOf(starts, [], spanAround(NOW, 24), NOW)
  assert.deepEqual(
    marks.map(({ from, to }) => [from, to]),
    [[0, 1 / 48]],
  )
})

test('what can not be told apart is drawn once; long runs and other kinds all are', () => {
  const starts = Array.from({ length: 500 }, (_, n) =>
    began(-1 - n / 100_000, { finishedAt: at(-1), end: n % 2 ? 'failed' : 'completed' }),
  )
  const long = [began(-20, { finishedAt: at(-10) }), began(-20.001, { finishedAt: at(-10) })]
  const marks = marksOf([...starts, ...long], [], spanAround(NOW, 24), NOW)
  assert.equal(marks.length, 502)
  assert.ok(thinned(marks).length <= 6, `${thinned(marks).length}`)
  assert.equal(thinned(marks).filter(({ to, from }) => to - from > 0.1).length, 2)
})

test('newer records replace those of the same start and keep the others', () => {
  const known = [began(-1), began(-2, { finishedAt: at(-1) })]
  const merged = mergeStarts(known, [began(0), began(-1, { finishedAt: at(0), end: 'completed' })])
  assert.deepEqual(
    merged.map(({ plannedAt, end }) => [plannedAt, end]),
    [
      [at(0), undefined],
      [at(-1), 'completed'],
      [at(-2), undefined],
    ],
  )
  assert.equal(mergeStarts(known, [began(-1)]), known)
})

test('ticks lie within the span, in order, and stand at whole hours', () => {
  for (const hours of [6, 24, 72, 168]) {
    const span = spanAround(NOW, hours)
    const ticks = ticksOf(span, 'en')
    assert.ok(ticks.length >= 3 && ticks.length <= 9, `${ticks.length} ticks in ${hours} h`)
    assert.ok(ticks.every(({ ms, share }) => ms >= span.from && ms <= span.to && share >= 0 && share <= 1))
    assert.ok(ticks.every(({ ms }) => new Date(ms).getMinutes() === 0))
    assert.deepEqual(
      ticks,
      ticks.toSorted((a, b) => a.ms - b.ms),
    )
  }
})
