import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stand } from './stand.ts'
import { manualClock } from './testing.ts'

test('what is switched shows in the chamber concerned and not in the other', () => {
  const clock = manualClock()
  const stand = new Stand(clock, 1, 1, { noise: false })
  stand.light('experiment', [100, 100, 100, 100])
  clock.pass(60)
  assert.ok(stand.measure('experiment.co2') < 410)
  assert.ok(stand.measure('control.co2') > 430)
})

test('the time before a switch counts as it was switched then', () => {
  const clock = manualClock()
  const stand = new Stand(clock, 1, 1, { noise: false, start: { experiment: { co2: 1500 } } })
  clock.pass(60)
  for (const part of ['ventLeft', 'ventRight', 'valveLeft', 'valveRight'] as const) {
    stand.switch(`experiment.${part}`, true)
  }
  assert.ok(stand.measure('experiment.co2') > 1450)
  clock.pass(60)
  assert.ok(stand.measure('experiment.co2') < 600)
})

test('the time scale makes the chambers faster', () => {
  const clock = manualClock()
  const [slow, fast] = [1, 60].map((scale) => new Stand(clock, scale, 1, { noise: false }))
  slow?.light('experiment', [100, 100, 100, 100])
  fast?.light('experiment', [100, 100, 100, 100])
  clock.pass(1)
  assert.ok((slow?.measure('experiment.co2') ?? 0) > 429)
  assert.ok((fast?.measure('experiment.co2') ?? 999) < 410)
})

test('noise is there, small, and the same for the same seed', () => {
  const series = (seed: number): number[] => {
    const stand = new Stand(manualClock(), 1, seed)
    return Array.from({ length: 50 }, () => stand.measure('room.temperature'))
  }
  assert.deepEqual(series(7), series(7))
  assert.notDeepEqual(series(7), series(8))
  assert.ok(new Set(series(7)).size > 40)
  assert.ok(series(7).every((value) => Math.abs(value - 22.5) < 0.3))
})

test('a month in which nobody looked is caught up with at once', () => {
  const clock = manualClock()
  const stand = new Stand(clock, 1, 1, { noise: false })
  stand.light('control', [50, 50, 50, 50])
  clock.pass(30 * 86_400)
  const begun = performance.now()
  assert.ok(Number.isFinite(stand.measure('control.temperature')))
  assert.ok(performance.now() - begun < 1000)
})

test('a time scale of 0 is refused', () => {
  assert.throws(() => new Stand(manualClock(), 0, 1), /timeScale has to be above 0/)
})
