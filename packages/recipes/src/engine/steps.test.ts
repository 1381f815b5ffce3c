import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, refused, UNKNOWN } from './testing.ts'

const ends = (run: ReturnType<typeof play>): unknown[] => [run.status.state, run.status.end]

test('set writes in the order of the file, each after the one before was done', () => {
  const run = play('- set: { a.x: 1, b.y: true }\n- set: { a.x: 2 }', { latencyMs: 100 }).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = 1', '0.1 b.y = true', '0.2 a.x = 2'])
  assert.deepEqual(ends(run), ['ended', 'completed'])
})

test('do runs an action with its arguments', () => {
  const run = play('- do: { action: pump.dose, arguments: { volume: 5 } }').toEnd()
  assert.deepEqual(run.sent, ['0 pump.dose(volume: 5)'])
})

test('a command that failed, was refused or is unknown fails the run, and is never sent again', () => {
  for (const outcome of [
    UNKNOWN,
    refused('OUT_OF_RANGE'),
    { outcome: 'failed', effect: 'none', code: 'INSTRUMENT_REFUSED', message: 'no.' } as const,
  ]) {
    const run = play('- set: { a.x: 1 }\n- set: { a.x: 2 }', {
      rest: 'finally:\n  - set: { a.x: 0 }',
      outcome: (_command, number) => (number === 1 ? outcome : { outcome: 'done', effect: 'done' }),
    }).toEnd()
    assert.deepEqual(run.sent, ['0 a.x = 1', '0 a.x = 0'], outcome.outcome)
    assert.equal(run.status.end, 'failed')
    assert.match(run.status.message, /a: x = 1/)
  }
})

test('an instrument that is away is waited for: what was refused unsent is made anew, for as long as patience lasts', () => {
  const back = play('- set: { a.x: 1 }', {
    outcome: (_command, number) =>
      number < 4
        ? refused(number === 2 ? 'WORKER_LOST' : 'WORKER_AWAY')
        : { outcome: 'done', effect: 'done' },
  }).toEnd()
  assert.deepEqual(back.sent, ['0 a.x = 1', '2 a.x = 1', '4 a.x = 1', '6 a.x = 1'])
  assert.equal(back.status.end, 'completed')

  const gone = play('- set: { a.x: 1 }\n  patience: 5 s', { outcome: () => refused('LINK_DOWN') }).toEnd()
  assert.deepEqual(gone.sent, ['0 a.x = 1', '2 a.x = 1', '4 a.x = 1', '6 a.x = 1'])
  assert.equal(gone.status.end, 'failed')
})

test('a rule of the site is waited for too, at the end of a run for longer: an output may have to stay on for a while', () => {
  const until = (ms: number) => {
    const run = play('- set: { a.x: true }', {
      rest: 'finally: [set: { a.x: false }]',
      outcome: ({ target }) =>
        'value' in target && target.value === false && run.ms < ms
          ? refused('OUTPUT_RULE')
          : { outcome: 'done', effect: 'done' },
    })
    return run.toEnd()
  }
  assert.deepEqual([until(300_000).status.end, until(300_000).outputs], ['completed', { 'a.x': false }])
  assert.equal(until(3_600_000).status.end, 'failed')
  const set = play('- set: { a.x: true }', { outcome: () => refused('INTERLOCKED') }).toEnd()
  assert.deepEqual([set.status.end, set.ms], ['failed', 60_000])
})

test('onFailure: continue goes on with the next step, and says so', () => {
  const run = play('- set: { a.x: 1 }\n  onFailure: continue\n- set: { a.y: 2 }', {
    outcome: ({ target }) =>
      'parameter' in target && target.parameter === 'x' ? UNKNOWN : { outcome: 'done', effect: 'done' },
  }).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = 1', '0 a.y = 2'])
  assert.equal(run.status.end, 'completed')
  assert.match(run.events('failure').join(), /goes on, as the recipe says/)
})

test('a timeout fails a step; a command that still waits is wanted no more', () => {
  const run = play('- set: { a.x: 1 }\n  timeout: 5 s', { outcome: () => undefined }).for(6000)
  assert.deepEqual(ends(run), ['ended', 'failed'])
  assert.ok(run.effects.some((effect) => effect.type === 'cancel' && effect.command === 'r-1-2'))
})

test('wait lasts as long as it says, by the time of the run and not by the clock', () => {
  const run = play('- wait: 10 s\n- set: { a.x: 1 }').for(4000)
  run.setClock(-3_600_000)
  run.for(4000)
  run.setClock(7_200_000)
  run.toEnd()
  assert.deepEqual(run.sent, ['10 a.x = 1'])
})

test('an aligned wait goes to the next mark of the clock', () => {
  const waited = (time: string, every: string, offset = '0 s'): number => {
    const run = play(`- wait: { aligned: ${every}, offset: ${offset} }`, { at: `2026-03-01T${time}Z` })
    while (run.status.state === 'running') run.for(run.last?.wakeInMs ?? 0)
    return run.ms / 1000
  }
  assert.equal(waited('10:00:00', '10 min'), 600)
  assert.equal(waited('10:09:59', '10 min'), 1)
  assert.equal(waited('10:00:00', '10 min', '2 min'), 120)
})

test('an aligned wait is not thrown off by a clock that is set', () => {
  const back = play('- wait: { aligned: 10 min }\n- set: { a.x: 1 }', { at: '2026-03-01T10:08:00Z' })
  back.setClock(-3_600_000)
  back.for(121_000)
  assert.deepEqual(back.sent, ['120 a.x = 1'])
  const forward = play('- wait: { aligned: 10 min }\n- set: { a.x: 1 }', { at: '2026-03-01T10:01:00Z' })
  forward.setClock(3_600_000)
  forward.for(1_000_000)
  assert.equal(forward.sent.length, 1)
})

test('until goes on when new good readings say so', () => {
  const run = play('- until: { reading: a.t, below: 10, timeout: none }', {
    readings: { 'a.t': (ms) => 20 - ms / 1000 },
  }).toEnd()
  assert.equal(run.ms <= 60_000, true)
  assert.equal(run.events('end')[0], 'completed: All its steps were done.')
})

test('a reading from before the step, a stale one and a bad one satisfy nothing', () => {
  const steps = '- until: { reading: a.t, below: 10, timeout: 20 s }'
  const stale = play(steps, { readings: { 'a.t': 5 }, pollMs: 1_000_000 }).toEnd()
  assert.equal(stale.status.end, 'failed')
  const bad = play(steps, { readings: { 'a.t': () => null } }).toEnd()
  assert.equal(bad.status.end, 'failed')
  assert.match(bad.status.message, /not over within 20 s/)
  const good = play(steps, { readings: { 'a.t': 5 } }).toEnd()
  assert.equal(good.status.end, 'completed')
  const old = play(steps, { readings: { 'a.t': 5 } })
  old.silent = true
  old.for(30_000)
  assert.equal(old.status.end, 'failed')
})

test('a reading older than it promises satisfies nothing, although nobody has called it stale', () => {
  const run = play('- until: { reading: a.t, below: 10, timeout: 1 min }')
  run.ms = 30_000
  run.readings['a.t'] = { value: 5, at: '2026-03-01T10:00:10.000Z', quality: 'good', staleAfterMs: 3000 }
  run.tell({ type: 'tick' })
  assert.equal(run.status.state, 'running')
  run.readings['a.t'] = { value: 5, at: '2026-03-01T10:00:29.000Z', quality: 'good', staleAfterMs: 3000 }
  run.tell({ type: 'tick' })
  assert.equal(run.status.end, 'completed')
})

test('for: it has to have been so all the time, as new readings show', () => {
  const steady = play('- until: { reading: a.t, below: 10, for: 5 s, timeout: none }\n- set: { a.x: 1 }', {
    readings: { 'a.t': (ms) => (ms < 3000 ? 20 : 5) },
  }).toEnd()
  assert.deepEqual(steady.sent, ['8 a.x = 1'])
  const flaps = play('- until: { reading: a.t, below: 10, for: 5 s, timeout: 1 min }', {
    readings: { 'a.t': (ms) => (ms % 4000 === 0 ? 20 : 5) },
  }).toEnd()
  assert.equal(flaps.status.end, 'failed')
  const drops = play('- until: { reading: a.t, below: 10, for: 5 s, timeout: 1 min }', {
    readings: { 'a.t': (ms) => (ms % 4000 === 0 ? null : 5) },
  }).toEnd()
  assert.equal(drops.status.end, 'failed')
})

test('for is not satisfied by one reading that lasts, nor by a clock that is set', () => {
  const run = play('- until: { reading: a.t, below: 10, for: 10 s, timeout: none }', {
    readings: { 'a.t': 5 },
    pollMs: 30_000,
  })
  run.for(59_000)
  assert.equal(run.status.state, 'running')
  run.setClock(3_600_000)
  run.for(500)
  assert.equal(run.status.state, 'running')
  run.for(31_000)
  assert.equal(run.status.state, 'ended')
})

test('all and any, and every way to compare', () => {
  const holds = (condition: string): boolean => {
    const run = play(`- until: { ${condition}, timeout: 5 s }`, {
      readings: { 'a.n': 5, 'a.b': true, 'a.c': 'fast', 'a.bad': () => null },
    }).for(10_000)
    return run.status.end === 'completed'
  }
  assert.ok(holds('reading: a.n, above: 4'))
  assert.ok(!holds('reading: a.n, above: 5'))
  assert.ok(holds('reading: a.n, above: 4, below: 6'))
  assert.ok(!holds('reading: a.n, above: 3, below: 5'))
  assert.ok(holds('reading: a.n, between: [5, 6]'))
  assert.ok(!holds('reading: a.n, between: [6, 7]'))
  assert.ok(holds('reading: a.b, equals: true'))
  assert.ok(holds('reading: a.c, notEquals: slow'))
  assert.ok(!holds('reading: a.c, equals: slow'))
  assert.ok(holds('all: [{ reading: a.n, above: 4 }, { reading: a.b, equals: true }]'))
  assert.ok(!holds('all: [{ reading: a.n, above: 4 }, { reading: a.bad, above: -1 }]'))
  assert.ok(holds('any: [{ reading: a.n, above: 4 }, { reading: a.bad, above: -1 }]'))
  assert.ok(!holds('any: [{ reading: a.n, above: 5 }, { reading: a.bad, above: -1 }]'))
  assert.ok(
    holds(
      'all: [{ any: [{ reading: a.n, below: 1 }, { reading: a.c, equals: fast }] }, { reading: a.n, above: 0 }]',
    ),
  )
})

test('onTimeout: continue goes on', () => {
  const run = play(
    '- until: { reading: a.t, below: 10, timeout: 5 s, onTimeout: continue }\n- set: { a.x: 1 }',
    {
      readings: { 'a.t': 20 },
    },
  ).toEnd()
  assert.deepEqual(run.sent, ['5 a.x = 1'])
  assert.equal(run.status.end, 'completed')
})

test('repeat: times, for, until and every', () => {
  const sent = (repeat: string, readings = {}): string[] =>
    play(`- repeat: { ${repeat} }`, { readings })
      .toEnd()
      .sent.map((line) => line.replace(' a.x = 1', ''))
  assert.deepEqual(sent('times: 3, every: 10 s, steps: [set: { a.x: 1 }]'), ['0', '10', '20'])
  assert.deepEqual(sent('times: 2, steps: [{ set: { a.x: 1 } }, { wait: 7 s }]'), ['0', '7'])
  assert.deepEqual(sent('times: 0, steps: [set: { a.x: 1 }]'), [])
  // A round that takes longer than its period leaves marks out.
  assert.deepEqual(sent('times: 3, every: 5 s, steps: [{ set: { a.x: 1 } }, { wait: 7 s }]'), [
    '0',
    '10',
    '20',
  ])
  assert.deepEqual(sent('for: 25 s, every: 10 s, steps: [set: { a.x: 1 }]'), ['0', '10', '20'])
  assert.deepEqual(
    sent('until: { reading: a.t, above: 12 }, every: 5 s, steps: [set: { a.x: 1 }]', {
      'a.t': (ms: number) => ms / 1000,
    }),
    ['0', '5', '10'],
  )
})

test('repeat forever goes on until it is stopped, and a loop without waiting does not hang', () => {
  const run = play('- repeat: { forever: true, every: 100 ms, steps: [note: again] }').for(60_000)
  assert.equal(run.status.state, 'running')
  assert.equal(run.events('note').length, 601)
  const fast = play('- repeat: { times: 1000, steps: [note: again] }').for(1000)
  assert.ok(fast.events('note').length <= 11)
})

test('forEach: values and ranges, and what is read in it knows the value', () => {
  const list = play('- forEach: { name: v, in: [1, 5, 2], steps: [set: { a.x: $v }] }').toEnd()
  assert.deepEqual(list.sent, ['0 a.x = 1', '0 a.x = 5', '0 a.x = 2'])
  const range = play(
    '- forEach: { name: v, in: { from: 0, to: 0.3, step: 0.1 }, steps: [set: { a.x: $v }] }',
  ).toEnd()
  assert.deepEqual(range.sent, ['0 a.x = 0', '0 a.x = 0.1', '0 a.x = 0.2', '0 a.x = 0.3'])
  const down = play(
    '- forEach: { name: v, in: { from: 2, to: 0, step: -1 }, steps: [set: { a.x: $v }] }',
  ).toEnd()
  assert.equal(down.sent.length, 3)
})

test('ramp: from where it is, in points on time, exactly to the end', () => {
  const run = play('- ramp: { parameter: a.x, to: 100, over: 10 s, every: 2 s }', {
    readings: { 'a.x': (_ms, { outputs }) => outputs['a.x'] ?? 50 },
  }).toEnd()
  assert.deepEqual(run.sent, ['3 a.x = 60', '5 a.x = 70', '7 a.x = 80', '9 a.x = 90', '11 a.x = 100'])
  const given = play('- ramp: { parameter: a.x, from: 10, to: 0, over: 5 s, every: 2 s }').toEnd()
  assert.deepEqual(given.sent, ['0 a.x = 10', '2 a.x = 6', '4 a.x = 2', '5 a.x = 0'])
})

test('a ramp whose instrument is slow leaves points out, and never queues them', () => {
  const run = play('- ramp: { parameter: a.x, from: 0, to: 10, over: 10 s, every: 1 s }', {
    latencyMs: 3500,
  }).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = 0', '3.5 a.x = 3.5', '7 a.x = 7', '10.5 a.x = 10'])
})

test('measure: the mean of new readings, with the variables of the loops around it', () => {
  const run = play(
    '- forEach: { name: v, in: [1, 2], steps: [{ name: scan, measure: { readings: [a.t, a.s], samples: 4 } }] }',
    { readings: { 'a.t': (ms) => ms / 1000, 'a.s': 'ok' } },
  ).toEnd()
  assert.deepEqual(run.rows, [
    {
      table: 'scan',
      at: '2026-03-01T10:00:04.000Z',
      values: { 'a.t': 2.5, 'a.s': 'ok' },
      samples: 4,
      variables: { v: 1 },
    },
    {
      table: 'scan',
      at: '2026-03-01T10:00:08.000Z',
      values: { 'a.t': 6.5, 'a.s': 'ok' },
      samples: 4,
      variables: { v: 2 },
    },
  ])
  const spaced = play('- measure: { readings: [a.t], samples: 3, every: 5 s }', {
    readings: { 'a.t': (ms) => ms / 1000 },
  }).toEnd()
  assert.equal(spaced.rows[0]?.table, 'all')
  assert.deepEqual(spaced.rows[0]?.values, { 'a.t': 5.33333333333 })
})

test('measure and if give up when there is no good reading', () => {
  for (const steps of [
    '- measure: { readings: [a.t] }',
    '- if: { condition: { reading: a.t, above: 1 }, then: [note: yes] }',
    '- ramp: { parameter: a.t, to: 5, over: 10 s, every: 1 s }',
  ]) {
    const run = play(steps, { readings: { 'a.t': () => null } }).toEnd(5 * 60_000)
    assert.equal(run.status.end, 'failed', steps)
    assert.match(run.status.message, /No new good reading of a\.t \(bad/)
  }
})

test('parallel: branches side by side; one that fails takes the others with it', () => {
  const run = play(
    '- parallel:\n    - steps: [{ wait: 5 s }, { set: { a.x: 1 } }]\n    - steps: [{ set: { b.x: 1 } }, { wait: 8 s }]\n- set: { c.x: 1 }',
  ).toEnd()
  assert.deepEqual(run.sent, ['0 b.x = 1', '5 a.x = 1', '8 c.x = 1'])
  const fails = play(
    '- parallel:\n    - steps: [{ wait: 5 s }, { set: { a.x: 1 } }]\n    - steps: [{ until: { reading: b.t, above: 1, timeout: 3 s } }]',
    { readings: { 'b.t': 0 } },
  ).toEnd()
  assert.deepEqual(fails.sent, [])
  assert.equal(fails.status.end, 'failed')
})

test('if decides once, on a new good reading', () => {
  const sent = (value: number): string[] =>
    play(
      '- if: { condition: { reading: a.t, above: 3 }, then: [set: { a.x: 1 }], else: [set: { a.x: 2 }] }',
      {
        readings: { 'a.t': value },
      },
    ).toEnd().sent
  assert.deepEqual(sent(5), ['1 a.x = 1'])
  assert.deepEqual(sent(2), ['1 a.x = 2'])
})

test('call: another recipe, with its parameters and its finally', () => {
  const others = {
    pulse:
      'label: Pulse\nparameters: { length: { type: duration, label: Length, default: 5 s } }\ninstruments: { out: { default: a } }\nstages: [{ name: on, steps: [{ set: { out.x: true } }, { wait: $length }] }]\nfinally: [set: { out.x: false }]',
  }
  const run = play(
    '- call: { recipe: pulse }\n- call: { recipe: pulse, with: { length: 2 s }, instruments: { out: b } }',
    {
      others,
    },
  ).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = true', '5 a.x = false', '5 b.x = true', '7 b.x = false'])
  const stopped = play('- call: { recipe: pulse }', { others, rest: 'finally: [set: { c.x: 0 }]' }).for(2000)
  stopped.ask('stop')
  stopped.toEnd()
  assert.deepEqual(stopped.sent, ['0 a.x = true', '2 a.x = false', '2 c.x = 0'])
  assert.equal(stopped.status.end, 'stopped')
})

test('a call that is left by a timeout around it does its finally before the run goes on', () => {
  const others = {
    pulse:
      'label: Pulse\nstages: [{ name: on, steps: [{ set: { a.x: true } }, { wait: 1 h }] }]\nfinally: [{ set: { a.x: false } }, { wait: 3 s }]',
  }
  const run = play(
    '- repeat: { times: 1, steps: [call: { recipe: pulse }] }\n  timeout: 10 s\n  onFailure: continue\n- set: { b.x: 1 }',
    { others },
  ).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = true', '10 a.x = false', '13 b.x = 1'])
})

test('a call whose finally fails has failed, and all of that finally was tried', () => {
  const others = {
    pulse:
      'label: Pulse\nstages: [{ name: on, steps: [{ set: { a.x: true } }] }]\nfinally: [{ set: { a.x: false } }, { set: { a.y: false } }]',
  }
  const run = play('- call: { recipe: pulse }\n- set: { b.x: 1 }', {
    others,
    outcome: (_command, number) => (number === 2 ? UNKNOWN : { outcome: 'done', effect: 'done' }),
  }).toEnd()
  assert.deepEqual(run.sent, ['0 a.x = true', '0 a.x = false', '0 a.y = false'])
  assert.equal(run.status.end, 'failed')
})

test('a reading is one sample, however often the run is stepped', () => {
  const run = play('- measure: { readings: [a.t], samples: 3 }', { readings: { 'a.t': (ms) => ms } }).for(
    1000,
  )
  for (let n = 0; n < 10; n++) run.tell({ type: 'tick' })
  assert.equal(run.status.state, 'running')
  run.toEnd()
  assert.deepEqual(run.rows[0]?.values, { 'a.t': 2000 })
})

test('a recipe that never waits does not hold up the scheduler', () => {
  const run = play('- forEach: { name: v, in: { from: 1, to: 5000, step: 1 }, steps: [note: $v] }')
  assert.ok(run.effects.length < 1000)
  assert.equal(run.last?.wakeInMs, 1)
  run.toEnd()
  assert.equal(run.events('note').length, 5000)
})

test('run time never runs backwards', () => {
  const run = play('- wait: 10 s').for(5000)
  run.ms = 1000
  run.tell({ type: 'tick' })
  assert.equal(run.state.runMs, 5000)
  assert.equal(run.last?.wakeInMs, 5000)
})
