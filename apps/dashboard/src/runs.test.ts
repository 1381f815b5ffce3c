import { RUN_REQUESTS, type RunRecord, type SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endedRuns, fractionAt, goingOn, msLeft, refusalIn, whyNotAsk } from './runs.ts'

const T0 = Date.parse('2026-03-01T10:00:00.000Z')
const iso = (ms: number): string => new Date(T0 + ms).toISOString()

function run(change: Partial<RunRecord> = {}, progress: Partial<RunRecord['progress']> = {}): RunRecord {
  return {
    id: 'a',
    recipe: 'r',
    label: 'R',
    by: 'anna',
    parameters: {},
    state: 'running',
    message: '',
    submittedAt: iso(0),
    progress: {
      stage: 's',
      stageNumber: 1,
      stages: 1,
      step: 1,
      steps: 2,
      doing: '',
      fraction: 0.25,
      endsAt: iso(90_000),
      ...progress,
    },
    seenAt: iso(30_000),
    interruptions: { count: 0, ms: 0 },
    rows: 0,
    scheduler: null,
    ...change,
  }
}

test('between two records the bar goes on from the time the run will end, and never past it', () => {
  const waits = run()
  assert.equal(fractionAt(waits, T0 + 30_000), 0.25)
  assert.equal(fractionAt(waits, T0 + 50_000), 0.5)
  assert.equal(fractionAt(waits, T0 + 500_000), 1)
  assert.equal(fractionAt(waits, T0), 0.25)
  assert.equal(msLeft(waits, T0 + 50_000), 40_000)
  assert.equal(msLeft(waits, T0 + 500_000), 0)
})

test('the bar stands while a run is held or has not begun, and where its end is not known', () => {
  assert.equal(fractionAt(run({ state: 'paused' }), T0 + 50_000), 0.25)
  assert.equal(fractionAt(run({ state: 'waiting' }, { fraction: 0 }), T0 + 50_000), 0)
  assert.equal(fractionAt(run({}, { endsAt: null }), T0 + 50_000), 0.25)
  assert.equal(fractionAt(run({}, { fraction: null }), T0 + 50_000), null)
})

test('what asks comes first, then the newest; of ended ones the last, each once and as it is known best', () => {
  const runs = [
    run({ id: 'old' }),
    run({ id: 'new', submittedAt: iso(5) }),
    run({ id: 'asks', state: 'asking' }),
    run({ id: 'over', state: 'ended', endedAt: iso(9) }),
  ]
  assert.deepEqual(
    goingOn(runs).map(({ id }) => id),
    ['asks', 'new', 'old'],
  )
  const listed = [run({ id: 'over' }), run({ id: 'before', state: 'ended', endedAt: iso(8) })]
  assert.deepEqual(
    endedRuns(runs, listed).map(({ id }) => id),
    ['over', 'before'],
  )
})

test('what can be asked depends on the state, and abort, ping and kill on none', () => {
  const can = (state: RunRecord['state']): string =>
    RUN_REQUESTS.filter((request) => whyNotAsk(run({ state }), request) === null).join(' ')
  assert.equal(can('waiting'), 'stop abort ping kill')
  assert.equal(can('running'), 'pause stop abort skip reset ping kill')
  assert.equal(can('paused'), 'resume stop abort reset ping kill')
  assert.equal(can('asking'), 'resume stop abort reset ping kill')
  assert.equal(can('stopping'), 'abort skip ping kill')
  assert.equal(can('ended'), '')
})

test('of a refusal only that of this run, and since it was asked, is told', () => {
  const event = (ms: number, message: string): SiteEvent => ({
    id: `${ms}`,
    at: iso(ms),
    kind: 'run',
    message,
  })
  const events = [
    event(1, 'run a: not done: old'),
    event(5, 'run b: not done: other'),
    event(6, 'run a: not done: new'),
  ]
  assert.equal(refusalIn(events, 'a', T0 + 2), 'new')
  assert.equal(refusalIn(events, 'a', T0 + 7), null)
})
