import assert from 'node:assert/strict'
import { test } from 'node:test'
import { play, type Play, refused, UNKNOWN } from './testing.ts'

/** A chamber that leaks to 20 and is heated by `oven.power` percent, at most 0.5 a second; read once a second. */
function chamber(): (ms: number, run: Play) => number {
  let temperature = 20
  return (_ms, { outputs }) => {
    const power = Number(outputs['oven.power'] ?? 0)
    temperature += power * 0.005 - (temperature - 20) * 0.005
    return Math.round(temperature * 1000) / 1000
  }
}

const PID =
  'kind: pid, reading: oven.t, output: oven.power, setpoint: $aim, kp: 8, ki: 0.05, min: 0, max: 100, every: 1 s'
const AIM = 'parameters: { aim: { type: number, label: Aim, default: 60 } }'

test('pid holds the setpoint, within its output limits, and follows a parameter that is changed', () => {
  const run = play(`- control: { ${PID}, forever: true }`, { rest: AIM, readings: { 'oven.t': chamber() } })
  run.for(2_400_000)
  const at = (): number => Number(run.readings['oven.t']?.value)
  assert.ok(Math.abs(at() - 60) < 0.2, `it is at ${at()}`)
  for (const line of run.sent) {
    const value = Number(line.split(' = ')[1])
    assert.ok(value >= 0 && value <= 100, line)
  }
  run.tell({ type: 'parameters', values: { aim: 40 }, by: 'ann' })
  run.for(2_400_000)
  assert.ok(Math.abs(at() - 40) < 0.2, `it is at ${at()}`)
  assert.deepEqual(run.events('parameter'), ['ann changed aim from 60 to 40.'])
})

test('anti-windup: a setpoint out of reach for long does not delay what comes after', () => {
  const run = play(
    '- control: { kind: pid, reading: a.t, output: a.x, setpoint: $aim, kp: 1, ki: 0.05, min: 0, max: 100, every: 1 s, forever: true }',
    { rest: AIM, parameters: { aim: 500 }, readings: { 'a.t': 100 } },
  )
  run.for(3_600_000)
  assert.equal(run.outputs['a.x'], 100)
  run.tell({ type: 'parameters', values: { aim: 90 }, by: 'ann' })
  run.for(3_000)
  assert.equal(run.outputs['a.x'], 0)
})

test('pid that cools: more output lowers the reading', () => {
  const run = play(
    '- control: { kind: pid, reading: a.t, output: a.fan, setpoint: 20, kp: 10, min: 0, max: 100, reverse: true, every: 1 s, forever: true }',
    { readings: { 'a.t': 25 } },
  ).for(5000)
  assert.equal(run.outputs['a.fan'], 50)
})

test('a controller acts on each new good reading once, and on nothing else', () => {
  const run = play(
    '- control: { kind: pid, reading: a.t, output: a.x, setpoint: 20, kp: 1, ki: 1, min: 0, max: 100, every: 1 s, forever: true, plausible: [0, 50], blind: { after: 1 h, value: 0 } }',
    {
      readings: {
        'a.t': (ms) => (ms < 5000 ? 10 : ms < 10_000 ? 85 : ms < 20_000 ? -5 : ms < 40_000 ? null : 10),
      },
    },
  )
  run.for(4999)
  const before = run.sent.length
  assert.ok(before >= 3)
  run.for(34_000)
  run.silent = true
  run.for(3000)
  run.tell({ type: 'tick' })
  assert.equal(run.sent.length, before, 'it has acted on readings that are implausible, bad or old')
})

test('without good readings the output goes where the recipe wants it, and says so once', () => {
  const steps =
    '- control: { kind: hysteresis, reading: a.t, output: a.heat, low: 20, high: 22, blind: { after: 30 s, value: false }, forever: true }'
  const run = play(steps, { readings: { 'a.t': (ms) => (ms > 60_000 && ms < 200_000 ? null : 10) } })
  run.for(300_000)
  assert.deepEqual(run.sent, ['1 a.heat = true', '90 a.heat = false', '200 a.heat = true'])
  assert.equal(run.events('failure').length, 1)
  assert.equal(run.events('go').length, 1)
})

test('hysteresis switches at its limits, warms or cools, and writes only changes', () => {
  const sent = (more: string): string[] =>
    play(`- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, for: 61 s${more} }`, {
      readings: { 'a.t': (ms) => Math.abs(30 - ms / 1000) },
    }).toEnd().sent
  assert.deepEqual(sent(''), ['1 a.x = false', '21 a.x = true', '51 a.x = false'])
  assert.deepEqual(sent(', cooling: true, on: 100, off: 0'), ['1 a.x = 100', '21 a.x = 0', '51 a.x = 100'])
})

test('a controller ends by time, by a condition or by a skip, and leaves its output', () => {
  const control = 'kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20'
  const until = play(`- control: { ${control}, until: { reading: a.b, equals: true } }`, {
    readings: { 'a.t': 5, 'a.b': (ms) => ms > 10_000 },
  }).toEnd()
  assert.equal(until.status.end, 'completed')
  assert.deepEqual(until.sent, ['1 a.x = true'])
  const skipped = play(`- control: { ${control}, forever: true }`, { readings: { 'a.t': 5 } }).for(10_000)
  skipped.ask('skip')
  assert.equal(skipped.status.end, 'completed')
})

test('a write that was not done is no reason to give up; three in a row are, and one that is away too long', () => {
  const control =
    '- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, forever: true }'
  const readings = { 'a.t': (ms: number) => ((ms / 10_000) % 2 < 1 ? 5 : 25) }
  const flaky = play(control, {
    readings,
    outcome: (_command, number) => (number % 3 === 0 ? UNKNOWN : { outcome: 'done', effect: 'done' }),
  }).for(100_000)
  assert.equal(flaky.status.state, 'running')
  const dead = play(control, { readings, outcome: () => UNKNOWN }).for(100_000)
  assert.equal(dead.status.end, 'failed')
  assert.equal(dead.sent.length, 3)
  const away = play(control, { readings, outcome: () => refused('LINK_DOWN') }).for(100_000)
  assert.equal(away.status.end, 'failed')
  assert.ok(away.sent.length > 20)
})

test('a deadband keeps small changes back', () => {
  const sent = (deadband: number): number =>
    play(
      `- control: { kind: pid, reading: a.t, output: a.x, setpoint: 20, kp: 1, min: 0, max: 100, every: 1 s, deadband: ${deadband}, for: 1 min }`,
      { readings: { 'a.t': (ms) => 10 + Math.sin(ms / 3000) } },
    ).toEnd().sent.length
  assert.ok(sent(0) > 50)
  assert.equal(sent(3), 1)
})

test('a controller whose write a stop has refused pauses the run, and writes again after the resume', () => {
  let stopped = true
  const run = play(
    '- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, forever: true }',
    {
      readings: { 'a.t': 5 },
      outcome: () => (stopped ? refused('STOPPED') : { outcome: 'done', effect: 'done' }),
    },
  ).for(100_000)
  assert.equal(run.status.state, 'paused')
  stopped = false
  run.ask('resume')
  run.for(10_000)
  assert.deepEqual(run.sent, ['1 a.x = true', '100 a.x = true'])
})

test('what a rule of the site refuses for a while (an interlock, a least time off) is no end of a controller', () => {
  const run = play(
    '- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, forever: true }',
    {
      readings: { 'a.t': 5 },
      outcome: (_command, number) =>
        number < 40 ? refused('INTERLOCKED') : { outcome: 'done', effect: 'done' },
    },
  ).for(600_000)
  assert.equal(run.status.state, 'running')
  assert.deepEqual([run.sent[1], run.sent.length], ['11 a.x = true', 40])
  assert.equal(run.events('failure').length, 1)
})

test('after a write of unknown outcome nothing is written before the next good reading', () => {
  const run = play(
    '- control: { kind: hysteresis, reading: a.t, output: a.x, low: 10, high: 20, forever: true }',
    {
      readings: { 'a.t': (ms) => (ms > 1000 && ms < 30_000 ? null : 5) },
      outcome: (_command, number) => (number === 1 ? UNKNOWN : { outcome: 'done', effect: 'done' }),
    },
  ).for(40_000)
  assert.deepEqual(run.sent, ['1 a.x = true', '30 a.x = true'])
})
