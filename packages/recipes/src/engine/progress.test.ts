import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunProgress } from '@golem/core'
import { Play, play, programOf } from './testing.ts'

const TWO = `label: Two stages
parameters: { pause: { type: duration, label: Pause, default: 30 s } }
stages:
  - name: first
    steps:
      - set: { a.x: 1 }
      - wait: $pause
      - repeat: { times: 3, every: 20 s, steps: [{ set: { a.x: 2 } }, { wait: 5 s }] }
  - name: second
    steps:
      - forEach: { name: v, in: [10, 20], steps: [{ ramp: { parameter: a.x, from: 0, to: $v, over: 1 min, every: 5 s } }] }
      - parallel: [{ steps: [{ wait: 10 s }] }, { steps: [{ wait: 40 s }] }]
finally:
  - wait: 5 s
`
/** 30 + (20 + 20 + 5) + (60 + 60) + 40 + 5 */
const WHOLE = 240_000

test('stage, step n of m, share and end are known as long as all durations are', () => {
  const run = new Play(programOf(TWO))
  const progress = (): RunProgress => run.progress
  assert.deepEqual(progress(), {
    stage: null,
    stageNumber: 0,
    stages: 2,
    step: 0,
    steps: 13,
    doing: 'It has not begun.',
    fraction: 0,
    endsAt: '2026-03-01T10:04:00.000Z',
  })
  run.start().for(10_000)
  assert.deepEqual(progress(), {
    stage: 'first',
    stageNumber: 1,
    stages: 2,
    step: 2,
    steps: 13,
    doing: 'wait 30 s',
    fraction: 10_000 / WHOLE,
    endsAt: '2026-03-01T10:04:00.000Z',
  })
  // Whatever it is at, the end does not move.
  for (let seconds = 20; seconds < WHOLE / 1000; seconds += 10) {
    run.for(10_000)
    assert.equal(progress().endsAt, '2026-03-01T10:04:00.000Z', `at ${seconds} s: ${progress().doing}`)
  }
  run.toEnd()
  assert.equal(run.ms, WHOLE)
  assert.equal(progress().step, 13)
  assert.equal(progress().fraction, 1)
})

test('what goes on for longer than any calendar has no end that is known', () => {
  const run = new Play(
    programOf('label: x\nstages: [{ name: a, steps: [repeat: { times: 1e300, steps: [wait: 80000 h] }] }]'),
  ).start()
  run.for(10_000)
  assert.equal(run.progress.endsAt, null)
  assert.equal(run.progress.doing, 'wait 80000 h')
})

test('a parameter that is changed moves the end; while it is paused there is none', () => {
  const run = new Play(programOf(TWO)).start()
  run.tell({ type: 'parameters', values: { pause: '60 s' }, by: 'ann' })
  assert.equal(run.progress.endsAt, '2026-03-01T10:04:30.000Z')
  run.ask('pause')
  assert.equal(run.progress.endsAt, null)
})

test('what can not be known is not made up', () => {
  const run = play('- until: { reading: a.t, above: 1, timeout: none }\n- wait: 5 s', {
    readings: { 'a.t': 0 },
  })
  const { endsAt, fraction, steps, doing } = run.progress
  assert.deepEqual([endsAt, fraction, steps, doing], [null, 0, 2, 'wait until a.t above 1'])
  const forever = play('- repeat: { forever: true, every: 1 min, steps: [wait: 1 s] }').for(10_000)
  assert.deepEqual([forever.progress.endsAt, forever.progress.steps], [null, null])
  assert.equal(forever.progress.doing, 'between round 1 and 2')
})

test('a finally that is under way has an end too', () => {
  const run = new Play(programOf(TWO)).start()
  run.ask('stop')
  assert.equal(run.progress.endsAt, '2026-03-01T10:00:05.000Z')
  assert.equal(run.progress.stage, null)
})

test('what it does is said with the values it has', () => {
  const at = (steps: string): string =>
    play(steps, {
      outcome: () => undefined,
      rest: 'parameters: { p: { type: number, label: P, default: 7 } }',
    }).progress.doing
  assert.equal(at('- set: { a.x: $p, b.y: true }\n  name: warm up'), 'warm up: set a.x = 7, b.y = true')
  assert.equal(at('- do: { action: a.dose, arguments: { volume: $p } }'), 'do a.dose(volume: 7)')
  assert.equal(
    at(
      '- until: { all: [{ reading: a.t, between: [1, $p], for: 5 s }, { reading: a.m, equals: on }], timeout: none }',
    ),
    'wait until a.t between 1 and 7 for 5 s and a.m equal to on',
  )
  assert.equal(at('- forEach: { name: v, in: [3], steps: [set: { a.x: $v }] }'), 'set a.x = 3')
  assert.equal(
    at('- parallel: [{ steps: [wait: 1 s] }, { steps: [measure: { readings: [a.t] }] }]'),
    'wait 1 s; measure a.t',
  )
  assert.match(at('- wait: { aligned: 10 min }'), /next mark of every 10 min/)
})
