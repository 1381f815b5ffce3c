import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Play, play, programOf, refused, stage } from './testing.ts'

const FINALLY = { rest: 'finally: [set: { a.x: 0 }]' }

test('pause holds it where it is, time included; resume goes on', () => {
  const run = play('- wait: 10 s\n- set: { a.x: 1 }').for(4000)
  run.ask('pause')
  assert.deepEqual([run.status.state, run.status.message], ['paused', 'Paused by ann.'])
  assert.equal(run.last?.wakeInMs, null)
  run.for(3_600_000)
  assert.deepEqual(run.sent, [])
  run.ask('resume')
  run.toEnd()
  assert.deepEqual(run.sent, ['3610 a.x = 1'])
})

test('what comes in while it is paused is kept, and nothing is sent', () => {
  const run = play('- set: { a.x: 1 }\n- set: { a.x: 2 }', { latencyMs: 5000 })
  run.ask('pause')
  run.for(60_000)
  assert.deepEqual(run.sent, ['0 a.x = 1'])
  assert.deepEqual(run.status.pending, [])
  run.ask('resume')
  assert.deepEqual(run.sent, ['0 a.x = 1', '60 a.x = 2'])
})

test('after a pause a mark that is long past is left out', () => {
  const run = play('- wait: { aligned: 10 min }\n- set: { a.x: 1 }', { at: '2026-03-01T10:05:00Z' })
  run.ask('pause')
  run.for(8 * 60_000)
  run.ask('resume')
  run.toEnd()
  assert.deepEqual(run.sent, ['900 a.x = 1'])
})

test('a pause breaks the proof that something has been so for some time', () => {
  const run = play('- until: { reading: a.t, below: 10, for: 10 s, timeout: none }', {
    readings: { 'a.t': 5 },
  })
  run.for(9000)
  run.ask('pause')
  run.for(60_000)
  run.ask('resume')
  run.for(9000)
  assert.equal(run.status.state, 'running')
  run.for(3000)
  assert.equal(run.status.state, 'ended')
})

test('stop does what the recipe wants at the end; abort brings outputs to their safe state; kill leaves them', () => {
  const stopped = play('- wait: 1 h', FINALLY)
  stopped.ask('stop')
  assert.equal(stopped.status.state, 'stopping')
  stopped.toEnd()
  assert.deepEqual([stopped.status.end, stopped.sent], ['stopped', ['0 a.x = 0']])

  const aborted = play('- wait: 1 h', FINALLY)
  aborted.ask('abort')
  aborted.toEnd()
  assert.deepEqual([aborted.status.end, aborted.sent], ['aborted', []])
  assert.deepEqual(
    aborted.effects.filter(({ type }) => type === 'safe'),
    [{ type: 'safe', id: 'r-1-3', instruments: ['a'] }],
  )

  const killed = play('- wait: 1 h', FINALLY)
  killed.ask('kill')
  assert.deepEqual([killed.status.end, killed.sent], ['killed', []])
  assert.ok(!killed.effects.some(({ type }) => type === 'safe'))
})

test('an abort whose outputs do not answer says so', () => {
  const run = play('- set: { a.x: 1 }\n- wait: 1 h')
  run.ask('abort')
  run.tell({
    type: 'outcome',
    id: run.status.pending[0] ?? '',
    outcome: { outcome: 'unknown', effect: 'unknown', message: 'a: no answer' },
  })
  assert.equal(run.status.end, 'aborted')
  assert.match(run.status.message, /not certain that all outputs are safe: a: no answer/)
})

test('stop, abort, kill and reset withdraw a command that still waits', () => {
  for (const request of ['stop', 'abort', 'kill', 'reset'] as const) {
    const run = play('- set: { a.x: 1 }', { outcome: () => undefined })
    run.ask(request)
    assert.ok(
      run.effects.some((effect) => effect.type === 'cancel' && effect.command === 'r-1-2'),
      request,
    )
    // Its outcome may still come.
    run.tell({ type: 'outcome', id: 'r-1-2', outcome: refused('COMMAND_CANCELLED') })
    assert.notEqual(run.status.end, 'failed')
  }
})

test('skip ends the waiting of the step it is at', () => {
  const wait = play('- wait: 1 h\n- set: { a.x: 1 }').for(5000)
  wait.ask('skip')
  assert.deepEqual(wait.sent, ['5 a.x = 1'])
  const until = play('- until: { reading: a.t, above: 1, timeout: none }\n- set: { a.x: 1 }').for(5000)
  until.ask('skip')
  assert.deepEqual(until.sent, ['5 a.x = 1'])
  const ramp = play('- ramp: { parameter: a.x, from: 0, to: 100, over: 1 h, every: 1 min }').for(65_000)
  ramp.ask('skip')
  assert.equal(ramp.status.end, 'completed')
  assert.equal(ramp.outputs['a.x'], 1.66666666667)
  const round = play('- repeat: { times: 2, every: 1 h, steps: [set: { a.x: 1 }] }').for(5000)
  round.ask('skip')
  assert.deepEqual(round.sent, ['0 a.x = 1', '5 a.x = 1'])
  const rows = play('- measure: { readings: [a.t], samples: 1000 }', { readings: { 'a.t': 4 } }).for(5000)
  rows.ask('skip')
  assert.equal(rows.rows[0]?.samples, 5)
})

test('where several steps wait, a skip has to say which', () => {
  const run = play(
    '- parallel:\n    - steps: [{ wait: 1 h }, { set: { a.x: 1 } }]\n    - steps: [{ wait: 2 h }]',
  )
  run.ask('skip')
  assert.match(run.refusals()[0] ?? '', /Several steps wait \(0, 2\)/)
  const [first] = run.status.at
  assert.equal(first?.doing, 'wait 1 h')
  run.ask('skip', first?.step)
  assert.deepEqual(run.sent, ['0 a.x = 1'])
  assert.equal(run.status.state, 'running')
})

test('two who want to skip the same wait skip it once', () => {
  const run = play('- wait: 1 h\n- wait: 1 h\n- repeat: { times: 3, every: 1 h, steps: [{ note: round }] }')
  const seen = run.progress.step
  run.tell({ type: 'request', request: 'skip', by: 'ann', seen })
  run.tell({ type: 'request', request: 'skip', by: 'bob', seen })
  assert.deepEqual(run.events('go'), ['ann skipped wait.'])
  assert.match(run.refusals().join(), /has gone on since it was looked at/)
  run.ask('skip')
  const between = run.progress.step
  run.tell({ type: 'request', request: 'skip', by: 'ann', seen: between })
  run.tell({ type: 'request', request: 'skip', by: 'bob', seen: between })
  assert.equal(run.refusals().length, 2, 'rounds are told apart')
})

test('there is nothing to skip at a command', () => {
  const run = play('- set: { a.x: 1 }', { outcome: () => undefined })
  run.ask('skip')
  assert.match(run.refusals()[0] ?? '', /nothing to skip/)
})

test('reset goes back to the beginning, paused there', () => {
  const run = play('- set: { a.x: 1 }\n- wait: 1 min', FINALLY).for(5000)
  run.ask('reset')
  assert.equal(run.status.state, 'paused')
  assert.equal(run.progress.step, 0)
  run.for(5000)
  run.ask('resume')
  run.toEnd()
  assert.deepEqual(run.sent, ['0 a.x = 1', '10 a.x = 1', '70 a.x = 0'])
})

test('a reset forgets no finally of a recipe that was called', () => {
  const others = {
    pulse:
      'label: P\nstages: [{ name: on, steps: [{ set: { b.x: true } }, { wait: 1 h }] }]\nfinally: [set: { b.x: false }]',
  }
  const run = play('- wait: 1 s\n- call: { recipe: pulse }', { others }).for(5000)
  run.ask('reset')
  run.ask('stop')
  run.toEnd()
  assert.deepEqual(run.sent, ['1 b.x = true', '5 b.x = false'])
})

test('ping answers; what can not be done is refused with a sentence and changes nothing', () => {
  const run = play('- wait: 1 min', FINALLY)
  run.ask('ping')
  assert.equal(run.events('ping').length, 1)
  run.ask('resume')
  run.ask('pause')
  run.ask('pause')
  run.ask('skip')
  assert.deepEqual(run.refusals(), [
    'The run is not paused.',
    'The run is paused already.',
    'The run is paused: resume it first.',
  ])
  run.ask('stop')
  run.toEnd()
  run.ask('pause')
  assert.match(run.refusals()[3] ?? '', /has ended \(stopped\)/)
})

test('a run that has not begun can be stopped, and its finally is not owed', () => {
  const run = new Play(programOf(stage('- wait: 1 s', FINALLY.rest)))
  run.ask('pause')
  assert.equal(run.status.state, 'waiting')
  run.ask('stop')
  assert.deepEqual([run.status.end, run.sent], ['stopped', []])
})

test('an emergency stop pauses a run; a person resumes it, and what was refused is made anew', () => {
  let stopped = true
  const run = play('- set: { a.x: 1 }\n- set: { a.x: 2 }', {
    outcome: () => (stopped ? refused('STOPPED') : { outcome: 'done', effect: 'done' }),
  }).for(1000)
  assert.equal(run.status.state, 'paused')
  assert.match(run.status.message, /Release the stop, then resume/)
  run.for(3_600_000)
  run.ask('resume')
  run.for(1000)
  assert.equal(run.status.state, 'paused', 'the stop is still in force')
  stopped = false
  run.for(1000)
  run.ask('resume')
  run.toEnd()
  assert.equal(run.status.end, 'completed')
  assert.equal(run.sent.at(-1)?.split(' ').slice(1).join(' '), 'a.x = 2')
})

test('a branch whose command a stop has refused holds the others at once', () => {
  const run = play(
    '- parallel:\n    - steps: [{ set: { a.x: 1 } }]\n    - steps: [{ wait: 5 s }, { set: { b.x: 1 } }]\n  timeout: 5 s',
    { latencyMs: 5000, outcome: () => refused('STOPPED') },
  ).for(60_000)
  assert.equal(run.status.state, 'paused')
  assert.deepEqual(run.sent, ['0 a.x = 1'])
})

test('all that a stop has refused is made anew once, after the resume', () => {
  let stopped = true
  const run = play(
    '- parallel:\n    - steps: [{ set: { a.x: 1 } }]\n    - steps: [{ set: { b.x: 1 } }]\n    - steps: [{ ramp: { parameter: c.x, from: 1, to: 1, over: 0 s, every: 1 s } }]',
    { latencyMs: 1000, outcome: () => (stopped ? refused('STOPPED') : { outcome: 'done', effect: 'done' }) },
  ).for(5000)
  assert.equal(run.status.state, 'paused')
  stopped = false
  run.ask('resume')
  run.toEnd()
  assert.deepEqual(run.sent.slice(3), ['5 a.x = 1', '5 b.x = 1', '5 c.x = 1'])
  assert.equal(run.status.end, 'completed')
})

test('an emergency stop pauses runs that send nothing too, and one in finally', () => {
  const waits = play('- wait: 1 min')
  waits.tell({ type: 'halt', reason: 'ann stopped everything.' })
  assert.equal(waits.status.state, 'paused')
  waits.for(300_000)
  waits.ask('resume')
  waits.toEnd()
  assert.equal(waits.ms, 360_000)

  const last = play('- wait: 1 min', { rest: 'finally: [{ wait: 10 s }, { set: { a.x: 0 } }]' })
  last.ask('stop')
  last.tell({ type: 'halt', reason: 'ann stopped everything.' })
  assert.equal(last.status.state, 'paused')
  last.ask('resume')
  last.toEnd()
  assert.deepEqual([last.status.end, last.sent], ['stopped', ['10 a.x = 0']])
})

test('a command that the stop has interrupted is unknown: after the resume the run fails into its finally', () => {
  const run = play('- set: { a.x: 1 }', {
    ...FINALLY,
    outcome: (_command, number) => (number === 1 ? undefined : { outcome: 'done', effect: 'done' }),
  })
  run.tell({ type: 'halt', reason: 'stop.' })
  run.tell({
    type: 'outcome',
    id: 'r-1-2',
    outcome: { outcome: 'unknown', effect: 'unknown', code: 'INTERRUPTED' },
  })
  assert.equal(run.status.state, 'paused')
  run.ask('resume')
  run.toEnd()
  assert.equal(run.status.end, 'failed')
  assert.deepEqual(run.sent, ['0 a.x = 1', '0 a.x = 0'])
})

test('finally: every step is tried, whatever fails in it, and then the run has failed', () => {
  const run = play('- set: { a.x: 1 }', {
    rest: 'finally: [{ set: { a.y: 0 } }, { set: { b.y: 0 } }, { set: { c.y: 0 } }]',
    outcome: ({ instrument, target }) =>
      instrument === 'b' && 'parameter' in target
        ? refused('OUT_OF_RANGE')
        : { outcome: 'done', effect: 'done' },
  }).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = 1', '0 a.y = 0', '0 b.y = 0', '0 c.y = 0'])
  assert.equal(run.status.end, 'failed')
  assert.match(run.status.message, /b: y = 0 was refused/)
})

test('fail from outside leads into finally', () => {
  const run = play('- wait: 1 h', FINALLY)
  run.tell({ type: 'fail', reason: 'An admin has taken the reservation.' })
  run.toEnd()
  assert.deepEqual(
    [run.status.end, run.sent, run.status.message],
    ['failed', ['0 a.x = 0'], 'An admin has taken the reservation.'],
  )
})

test('parameters are checked and recorded, and what is under way goes by the new value', () => {
  const rest =
    'parameters: { pause: { type: duration, label: Pause, default: 10 s, min: 1 s, max: 1 h }, n: { type: integer, label: N, default: 3, max: 5 } }'
  const run = play('- wait: $pause\n- set: { a.x: $n }', { rest }).for(5000)
  run.tell({ type: 'parameters', values: { pause: '20 s', n: 4 }, by: 'ann' })
  assert.deepEqual(run.events('parameter'), [
    'ann changed pause from 10 s to 20 s.',
    'ann changed n from 3 to 4.',
  ])
  run.tell({ type: 'parameters', values: { n: 2, pause: 100 }, by: 'bob' })
  run.tell({ type: 'parameters', values: { m: 2 }, by: 'bob' })
  run.tell({ type: 'parameters', values: { n: 'x' }, by: 'bob' })
  assert.equal(run.refusals().length, 3)
  run.toEnd()
  assert.deepEqual(run.sent, ['20 a.x = 4'])
})

test('a run begins only with parameters that fit', () => {
  const program = programOf(
    stage('- wait: $t', 'parameters: { t: { type: duration, label: T, max: 1 min } }'),
  )
  const start = (parameters: Record<string, unknown>) => (): unknown => new Play(program, { parameters })
  assert.throws(start({}), /needs a value for "t" \(T\)/)
  assert.throws(start({ t: '2 min' }), /takes 0 s to 1 min/)
  assert.throws(start({ t: '1 s', u: 1 }), /no parameter "u"/)
  assert.throws(start({ t: 'soon' }), /takes a number in ms/)
  assert.doesNotThrow(start({ t: 1000 }))
})
