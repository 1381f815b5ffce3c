import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime, type Reading, type Snapshot } from '@golem/core'
import { DerivedSamples } from './samples.ts'

const START = Date.parse('2026-11-21T10:00:00.000Z')
const snapshot = (reading: Reading): Snapshot => ({
  id: 'gas',
  condition: 'ok',
  conditionSince: isoTime(START),
  message: 'It is computed.',
  owner: 'scheduler-1',
  seenAt: null,
  staleAfterMs: 5000,
  readings: { uptake: reading },
})
const good = (value: number, second: number): Reading => ({
  value,
  at: isoTime(START + second * 1000),
  quality: 'good',
})

test('each new derived reading goes to the archive once, and again until it is known to be there', () => {
  const samples = new DerivedSamples()
  samples.take(snapshot(good(12.6, 0)), START)
  samples.take(snapshot(good(12.6, 0)), START + 1000)
  const [first, ...others] = samples.waiting
  assert.deepEqual(first?.entry.readings, { uptake: [START, 12.6] })
  assert.deepEqual(others, [])
  const sent = samples.waiting
  samples.take(snapshot({ ...good(12.6, 0), quality: 'bad', error: 'co2.co2 is bad.' }), START + 2000)
  assert.equal(samples.waiting.length, 2)
  samples.written(sent)
  assert.deepEqual(
    samples.waiting.map(({ n, entry }) => [n, entry.readings]),
    [[2, { uptake: [START + 2000, null, 'bad', 'co2.co2 is bad.'] }]],
  )
})

test('while nothing can be written only the newest are kept', () => {
  const samples = new DerivedSamples()
  for (let n = 0; n < 1000; n++) samples.take(snapshot(good(n, n)), START)
  assert.equal(samples.waiting.length, 100)
  assert.equal(samples.waiting.at(-1)?.n, 1000)
})
