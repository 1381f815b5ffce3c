import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime, type Reading } from '@golem/core'
import { Deriver } from './derive.ts'

const START = Date.parse('2026-11-21T10:00:00.000Z')
const good = (value: number, second = 0): Reading => ({
  value,
  at: isoTime(START + second * 1000),
  quality: 'good',
})
const inputs = (...readings: (Reading | undefined)[]) =>
  readings.map((reading, n) => ({ label: `input ${n + 1}`, reading }))

test('difference, ratio, sum and product; the time is that of the oldest', () => {
  const of = (kind: 'difference' | 'ratio' | 'sum' | 'product'): Reading =>
    new Deriver({ kind }).read(inputs(good(6, 5), good(3, 2)))
  assert.deepEqual(of('difference'), { value: 3, at: isoTime(START + 2000), quality: 'good' })
  assert.equal(of('ratio').value, 2)
  assert.equal(of('sum').value, 9)
  assert.equal(of('product').value, 18)
  assert.equal(new Deriver({ kind: 'difference' }, -10).read(inputs(good(6), good(3))).value, -30)
})

test('any bad makes it bad, any stale makes it stale, and it says which', () => {
  const deriver = new Deriver({ kind: 'difference' })
  assert.equal(deriver.read(inputs(good(6), undefined)).error, 'input 2 has not been read yet.')
  deriver.read(inputs(good(6), good(3)))
  const bad: Reading = { value: 3, at: isoTime(START), quality: 'bad', error: 'No sensor.' }
  const stale: Reading = { value: 3, at: isoTime(START), quality: 'stale' }
  assert.deepEqual(deriver.read(inputs(good(7), stale)), {
    value: 4,
    at: isoTime(START),
    quality: 'stale',
    error: 'input 2 is stale.',
  })
  // Bad wins over stale; the last value stays.
  assert.deepEqual(deriver.read(inputs(stale, bad)), {
    value: 4,
    at: isoTime(START),
    quality: 'bad',
    error: 'input 2 is bad: No sensor.',
  })
  assert.equal(deriver.read(inputs(good(7), good(3))).quality, 'good')
})

test('no number comes out as bad, with a sentence', () => {
  assert.match(new Deriver({ kind: 'ratio' }).read(inputs(good(1), good(0))).error ?? '', /divided by zero/)
  const text: Reading = { value: 'warm', at: isoTime(START), quality: 'good' }
  assert.equal(new Deriver({ kind: 'sum' }).read(inputs(good(1), text)).error, 'input 2 is no number.')
  const huge = new Deriver({ kind: 'product' }).read(inputs(good(1e300), good(1e300)))
  assert.deepEqual([huge.quality, huge.error], ['bad', 'It comes to no number.'])
})

test('CO2 uptake: what CO2 falls by in a minute, from the line over the window, with its R²', () => {
  const window = { windowMs: 60_000, minPoints: 5 }
  const uptake = new Deriver({ kind: 'rate', ...window, perMs: 60_000 }, -1)
  const linearity = new Deriver({ kind: 'rSquared', ...window })
  let last: Reading[] = []
  for (let second = 0; second <= 120; second++) {
    // For a minute it rises by ventilation, then plants take up 12.6 ppm a minute, with some noise of the analyser.
    const co2 = second <= 60 ? 380 + second : 440 - (12.6 / 60) * (second - 60) + (second % 2 ? 0.2 : -0.2)
    last = [uptake, linearity].map((one) => one.read(inputs(good(co2, second))))
  }
  assert.ok(Math.abs(Number(last[0]?.value) - 12.6) < 0.05, String(last[0]?.value))
  assert.ok(Number(last[1]?.value) > 0.99 && Number(last[1]?.value) < 1)
  assert.deepEqual(
    last.map(({ quality, at }) => [quality, at]),
    [
      ['good', isoTime(START + 120_000)],
      ['good', isoTime(START + 120_000)],
    ],
  )
})

test('too few points are said to be too few, also those of one moment and of the beginning of a window', () => {
  const mean = new Deriver({ kind: 'mean', windowMs: 10_000, minPoints: 3 })
  for (let n = 0; n < 10; n++) {
    const reading = mean.read(inputs(good(5, 0)))
    assert.deepEqual([reading.quality, reading.error], ['bad', 'Too few points: 1 of at least 3.'])
  }
  mean.read(inputs(good(6, 1)))
  assert.match(mean.read(inputs(good(7, 2))).error ?? '', /they span 2 s of a window of 10 s/)
  assert.equal(mean.isFilling, true)
  mean.read(inputs({ ...good(7, 2), quality: 'bad' }))
  assert.equal(mean.isFilling, false)
  const { value, quality } = mean.read(inputs(good(8, 6)))
  assert.deepEqual([value, quality], [6.5, 'good'])
  // A long silence empties the window.
  assert.equal(mean.read(inputs(good(8, 60))).quality, 'bad')
})

test('stale readings are no points, and a clock that is set back begins anew', () => {
  const mean = new Deriver({ kind: 'mean', windowMs: 4_000, minPoints: 2 })
  mean.read(inputs(good(10, 0)))
  mean.read(inputs({ ...good(1000, 1), quality: 'stale' }))
  assert.equal(mean.read(inputs(good(20, 3))).value, 15)
  assert.equal(mean.read(inputs(good(30, -3600))).error, 'Too few points: 1 of at least 2.')
  assert.equal(mean.read(inputs(good(40, -3597))).value, 35)
})

test('R² of what does not change is no number', () => {
  const linearity = new Deriver({ kind: 'rSquared', windowMs: 4_000, minPoints: 2 })
  for (const second of [0, 1, 2]) linearity.read(inputs(good(5, second)))
  assert.match(linearity.read(inputs(good(5, 3))).error ?? '', /nothing to fit/)
})

test('six hours of readings each second: the window stays small, and what alternates is averaged', () => {
  const window = { windowMs: 3_600_000 * 6, minPoints: 2 }
  const mean = new Deriver({ kind: 'mean', ...window })
  const rate = new Deriver({ kind: 'rate', ...window, perMs: 3_600_000 })
  for (let n = 0; n < 21_600; n++) {
    mean.read(inputs(good(n % 2, n)))
    if (n % 60 < 2) rate.read(inputs(good((n % 2) + n / 3600, n)))
  }
  assert.ok(Math.abs(Number(mean.read(inputs(good(1, 21_601))).value) - 0.5) < 0.01)
  assert.ok(Math.abs(Number(rate.read(inputs(good(6, 21_601))).value) - 1) < 0.01)
})
