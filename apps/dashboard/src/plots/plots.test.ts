import type { RunRecord, SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zoomed } from './gestures.ts'
import { bandsOf, marksAt, marksOf, rowsFor } from './marks.ts'
import { spanFor, viewOf } from './model.ts'
import { elapsedLabel } from './ticks.ts'

const at = (ms: number): string => new Date(ms).toISOString()
const event = (ms: number, more: Partial<SiteEvent>): SiteEvent => ({
  id: `${ms}-0`,
  at: at(ms),
  kind: 'condition',
  message: 'm',
  ...more,
})
const run = (id: string, from: number, to?: number): RunRecord =>
  ({ id, label: id, startedAt: at(from), ...(to === undefined ? {} : { endedAt: at(to) }) }) as RunRecord

test('marks are what concerns the shown instruments, or all', () => {
  const events = [
    event(1, { instrument: 'oven', message: 'lost', level: 'warning' }),
    event(2, { instrument: 'pump' }),
    event(3, { kind: 'stop', message: 'stopped' }),
    event(4, { kind: 'note', message: 'fed' }),
    event(5, { kind: 'run', message: 'run r1: Stage 1 of 2: heat.' }),
  ]
  assert.deepEqual(
    marksOf(events, new Set(['oven'])).map(({ look, text }) => `${look} ${text}`),
    ['warning lost', 'warning stopped', 'note fed'],
  )
})

test('runs are bands with their stages, in rows that do not overlap', () => {
  const events = [
    event(150, { kind: 'run', message: 'run r1: Stage 1 of 2: heat.' }),
    event(150, { kind: 'run', message: 'run r2: Stage 1 of 1: cool.' }),
  ]
  const bands = bandsOf(
    [run('r1', 100, 200), run('r2', 150), run('old', 1, 2)],
    events,
    { from: 50, to: 400 },
    300,
  )
  assert.deepEqual(
    bands.map(({ id, from, to, stages }) => [id, from, to, stages.map(({ text }) => text)]),
    [
      ['r1', 100, 200, ['Stage 1 of 2: heat']],
      ['r2', 150, 300, ['Stage 1 of 1: cool']],
    ],
  )
  assert.deepEqual(rowsFor([...bands, { id: 'r3', label: '', from: 200, to: 250, stages: [] }]), [0, 1, 0])
  const marks = [1, 5, 9].map((ms) => ({ at: ms, look: 'plain' as const, text: String(ms) }))
  assert.deepEqual(
    marksAt(marks, 6, 3).map(({ text }) => text),
    ['5', '9'],
  )
})

test('a zoom keeps the time under the pointer in its place', () => {
  assert.deepEqual(zoomed({ from: 0, to: 100 }, 25, 2), { from: -25, to: 175 })
  assert.deepEqual(zoomed({ from: 0, to: 100 }, 100, 0.5), { from: 50, to: 100 })
  const finest = zoomed({ from: 0, to: 20 }, 10, 1e-9)
  assert.deepEqual(finest, { from: 5, to: 15 })
})

test('a view that reaches up to now follows on; of runs it is the longer one', () => {
  assert.deepEqual(spanFor({ from: 10, to: 20 }, 20), { kind: 'live', ms: 10 })
  assert.deepEqual(spanFor({ from: 10.4, to: 19.6 }, 30), { kind: 'fixed', from: 10, to: 20 })
  assert.deepEqual(spanFor({ from: 10, to: 20 }, null), { kind: 'fixed', from: 10, to: 20 })
  const runs = [
    { start: 5, length: 100 },
    { start: 900, length: 50 },
  ]
  assert.deepEqual(viewOf({ kind: 'live', ms: 7 }, runs, 1_000), { from: 0, to: 102 })
  assert.deepEqual(viewOf({ kind: 'live', ms: 7 }, [], 1_000), { from: 993, to: 1_000 })
})

test('times since a start are told as precisely as the axis is fine', () => {
  assert.equal(elapsedLabel(90_000, 1_000), '0:01:30')
  assert.equal(elapsedLabel(1_500, 100), '0:00:01.500')
  assert.equal(elapsedLabel(2 * 86_400_000 + 6 * 3_600_000, 3_600_000), '2 d 06:00:00')
  assert.equal(elapsedLabel(-60_000, 1_000), '−0:01:00')
})
