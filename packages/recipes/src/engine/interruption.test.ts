import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, type Play } from './testing.ts'

/** The scheduler dies, and another takes over after the gap. */
function interrupt(run: Play, gapMs: number, notSent: readonly string[] = []): void {
  run.ms += gapMs
  run.tell({ type: 'interrupted', gapMs, notSent, cause: 'the scheduler was away' })
}

test('resume: the gap counts for what waits, and is recorded', () => {
  const run = play('- wait: 10 s\n- set: { a.x: 1 }\n- wait: 10 s').for(4000)
  interrupt(run, 20_000)
  assert.deepEqual(run.sent, ['24 a.x = 1'])
  assert.deepEqual(run.status.interruptions, { count: 1, ms: 20_000 })
  assert.deepEqual(run.events('interruption'), ['Interrupted for 20 s (the scheduler was away); it goes on.'])
  run.toEnd()
  assert.equal(run.ms, 34_000)
})

test('hold, ask and safe', () => {
  const held = play('- wait: 10 s', { rest: 'onRestart: hold' }).for(4000)
  interrupt(held, 3000)
  assert.deepEqual([held.status.state, held.status.isHeldByPolicy], ['paused', true])
  held.tell({ type: 'halt', reason: 'Emergency stop.' })
  interrupt(held, 0)
  assert.equal(held.status.isHeldByPolicy, true, 'whatever comes on top')
  held.ask('resume')
  assert.equal(held.status.isHeldByPolicy, false)
  held.ask('pause')
  assert.deepEqual([held.status.state, held.status.isHeldByPolicy], ['paused', false], 'a person knows of it')
  held.ask('resume')
  held.toEnd()
  assert.equal(held.ms, 10_000)

  const asks = play('- wait: 10 s\n  onRestart: ask').for(4000)
  interrupt(asks, 3000)
  assert.deepEqual([asks.status.state, asks.status.choices], ['asking', ['resume', 'stop', 'abort']])
  asks.ask('stop')
  asks.toEnd()
  assert.equal(asks.status.end, 'stopped')

  const safe = play('- set: { a.x: 1 }\n- wait: 10 s', { rest: 'onRestart: safe' }).for(4000)
  interrupt(safe, 3000)
  safe.toEnd()
  assert.equal(safe.status.end, 'aborted')
  assert.ok(safe.effects.some(({ type }) => type === 'safe'))
})

test('a step goes by its own policy, else by that of what it stands in, and of several the strictest holds', () => {
  const own = play(
    '- repeat: { times: 2, steps: [{ wait: 10 s, onRestart: resume }] }\n  onRestart: hold',
  ).for(1000)
  interrupt(own, 1000)
  assert.equal(own.status.state, 'running')
  const around = play('- repeat: { times: 2, steps: [wait: 10 s] }\n  onRestart: hold').for(1000)
  interrupt(around, 1000)
  assert.equal(around.status.state, 'paused')
  const both = play(
    '- parallel:\n    - steps: [{ wait: 10 s, onRestart: hold }]\n    - steps: [{ wait: 10 s, onRestart: ask }]',
  ).for(1000)
  interrupt(both, 1000)
  assert.equal(both.status.state, 'asking')
})

test('what was never handed over is made anew under another id; what may have been is looked up', () => {
  const run = play('- set: { a.x: 1 }\n- set: { a.y: 1 }', { outcome: () => undefined })
  const [id = ''] = run.status.pending
  interrupt(run, 5000, [id])
  assert.deepEqual(run.sent, ['0 a.x = 1', '5 a.x = 1'])
  const [second = ''] = run.status.pending
  assert.notEqual(second, id)
  interrupt(run, 5000)
  assert.equal(run.sent.length, 2)
  run.tell({ type: 'outcome', id: second, outcome: { outcome: 'done', effect: 'done' } })
  assert.deepEqual(run.sent, ['0 a.x = 1', '5 a.x = 1', '10 a.y = 1'])
})

test('nothing is made anew while it is held', () => {
  const run = play('- set: { a.x: 1 }', { rest: 'onRestart: hold', outcome: () => undefined })
  interrupt(run, 5000, [...run.status.pending])
  run.for(5000)
  assert.equal(run.sent.length, 1)
  run.ask('resume')
  assert.equal(run.sent.length, 2)
})

test('finally goes on after an interruption, whatever the recipe says for its steps', () => {
  const rest = 'onRestart: safe\nfinally: [{ wait: 10 s }, { set: { a.x: 0 } }]'
  const run = play('- wait: 1 h', { rest }).for(1000)
  run.ask('stop')
  run.for(1000)
  interrupt(run, 60_000)
  run.toEnd()
  assert.deepEqual([run.status.end, run.sent], ['stopped', ['62 a.x = 0']])
})

test('after an interruption an abort is made anew, and what was withdrawn last is withdrawn again', () => {
  const run = play('- set: { a.x: 1 }', { outcome: () => undefined })
  const [command = ''] = run.status.pending
  run.ask('abort')
  interrupt(run, 1000)
  run.toEnd()
  assert.deepEqual(
    run.effects.flatMap((effect) =>
      effect.type === 'cancel' ? [effect.command] : effect.type === 'safe' ? ['safe'] : [],
    ),
    [command, 'safe', command, 'safe'],
  )
  assert.equal(run.status.end, 'aborted')
})

test('a time limit that passed in the gap leaves time to look around', () => {
  const run = play('- until: { reading: a.t, above: 1, timeout: 1 min }', {
    readings: { 'a.t': (ms) => (ms > 100_000 ? 5 : 0) },
  }).for(30_000)
  interrupt(run, 300_000)
  assert.equal(run.status.state, 'running')
  run.toEnd()
  assert.equal(run.status.end, 'completed')
})

test('what had been so before the gap proves nothing after it, and a controller is not blind at once', () => {
  const proof = play('- until: { reading: a.t, above: 1, for: 10 s, timeout: none }', {
    readings: { 'a.t': 5 },
  }).for(8000)
  interrupt(proof, 60_000)
  proof.for(9000)
  assert.equal(proof.status.state, 'running')
  proof.toEnd()
  const control = play(
    '- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, forever: true }',
    { readings: { 'a.t': 5 } },
  ).for(8000)
  interrupt(control, 600_000)
  control.for(10_000)
  assert.deepEqual(control.sent, ['1 a.x = true'])
})

test('a mark that passed in a short gap still counts, in a long one the next is waited for', () => {
  const start = (): Play =>
    play('- wait: { aligned: 10 min }\n- set: { a.x: 1 }', { at: '2026-03-01T10:09:50Z' }).for(1000)
  const brief = start()
  interrupt(brief, 20_000)
  assert.deepEqual(brief.sent, ['21 a.x = 1'])
  const long = start()
  interrupt(long, 120_000)
  long.toEnd()
  assert.deepEqual(long.sent, ['610 a.x = 1'])
})
