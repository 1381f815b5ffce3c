import { EMPTY_QUEUE, type InstrumentState, type Quality, type Value } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History, HISTORY_MS } from './history.ts'

const START = Date.parse('2026-03-01T10:00:00.000Z')

function read(value: Value | null, atMs: number | null, quality: Quality = 'good'): InstrumentState {
  const at = atMs === null ? null : new Date(atMs).toISOString()
  return {
    condition: 'ok',
    conditionSince: '',
    message: '',
    owner: null,
    seenAt: null,
    readings: { x: { value, at, quality } },
    queue: EMPTY_QUEUE,
    reservation: null,
  }
}

test('a reading that was already noted is not noted again', () => {
  const history = new History()
  history.add('a', read(1, START), START)
  history.add('a', read(1, START), START + 1000)
  history.add('a', read(true, START + 2000), START + 2000)
  assert.deepEqual(history.of('a', 'x'), [
    { at: START, value: 1 },
    { at: START + 2000, value: 1 },
  ])
})

test('a value that is not good any more ends the line, once', () => {
  const history = new History()
  history.add('a', read(5, START), START)
  history.add('a', read(5, START, 'bad'), START + 1000)
  history.add('a', read(5, START, 'bad'), START + 2000)
  assert.deepEqual(history.of('a', 'x'), [
    { at: START, value: 5 },
    { at: START + 1000, value: null },
  ])
})

test('texts and parameters that were never read have no history', () => {
  const history = new History()
  history.add('a', read('auto', START), START)
  history.add('a', read(null, null, 'bad'), START)
  assert.deepEqual(history.of('a', 'x'), [])
})

test('what lies before the window goes, but for the point at its edge', () => {
  const history = new History()
  for (let at = 0; at <= 2 * HISTORY_MS; at += 10_000) history.add('a', read(at, START + at), START + at)
  const points = history.of('a', 'x')
  assert.equal(points[0]?.at, START + HISTORY_MS - 10_000)
  assert.equal(points.at(-1)?.at, START + 2 * HISTORY_MS)
})

test('sparklines show as long as the page has followed, a minute at least and five at most', () => {
  const history = new History()
  const shownAfter = (ms: number): number => START + ms - history.windowStart(START + ms)
  assert.equal(shownAfter(0), 60_000)
  history.add('a', read(1, START), START)
  assert.equal(shownAfter(10_000), 60_000)
  history.add('a', read(1, START + 90_000), START + 90_000)
  assert.equal(shownAfter(90_000), 90_000)
  assert.equal(shownAfter(3_600_000), HISTORY_MS)
})
