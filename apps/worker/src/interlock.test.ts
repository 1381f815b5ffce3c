import type { InterlockRule, InterlockTrip, Reading, Value, WatchedReading } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Interlock, type Judged } from './interlock.ts'

const GRACE_MS = 10_000

const watched = (more: Partial<WatchedReading> = {}): WatchedReading =>
  ({
    instrument: 'gauge',
    parameter: 'pressure',
    is: 'above',
    limit: 5,
    hysteresis: 0,
    forMs: 0,
    maxAgeMs: 3_000,
    ...more,
  }) as WatchedReading

const rule = (more: Partial<InterlockRule> = {}, ...readings: WatchedReading[]): InterlockRule => ({
  name: 'pressure',
  watch: { all: false, readings: readings.length > 0 ? readings : [watched()] },
  refuse: [],
  trip: [{ instrument: 'oven', name: 'power', value: 0 }],
  allow: [],
  stale: 'trip',
  latch: true,
  ...more,
})

const oven: Judged = {
  id: 'oven',
  matches: (_name, wanted, other) => wanted === other,
  safe: (name) => (name === 'fan' ? false : undefined),
}

/** An interlock before a clock of the test's own. */
class Bench {
  now = 1_000_000
  trips = 0
  blind = false
  readonly interlock: Interlock

  constructor(given: InterlockRule) {
    this.interlock = new Interlock(given, this.now, GRACE_MS, 'at')
  }

  /** @param ageMs - of the value when it is heard of */
  hear(
    value: Value | null,
    { ageMs = 0, parameter = 'pressure', quality = 'good' as Reading['quality'] } = {},
  ): this {
    const reading: Reading = { value, at: '', quality, ...(quality === 'bad' ? { error: 'No sensor.' } : {}) }
    this.interlock.hear('gauge', parameter, reading, this.now - ageMs, this.now)
    return this.look()
  }

  pass(ms: number): this {
    this.now += ms
    return this.look()
  }

  look(): this {
    const trip = (message: string): InterlockTrip => {
      this.trips += 1
      return { id: `t${this.trips}`, at: '', message, worker: '' }
    }
    this.interlock.look(this.now, 'at', () => this.blind, trip)
    return this
  }

  get condition(): string {
    return this.interlock.condition
  }

  mayWrite(parameter: string, value: Value): boolean {
    return this.interlock.allows({ parameter, value }, oven)
  }

  mayDo(action: string, args: Record<string, Value> = {}): boolean {
    return this.interlock.allows({ action, arguments: args }, oven)
  }
}

test('it trips above its limit, holds its value, and stays so until a person resets it', () => {
  const bench = new Bench(rule()).hear(4)
  assert.equal(bench.condition, 'clear')
  assert.ok(bench.mayWrite('power', 50))
  bench.hear(6)
  assert.equal(bench.condition, 'holds')
  assert.deepEqual(bench.interlock.held('oven'), [['power', 0]])
  assert.ok(!bench.mayWrite('power', 50))
  assert.ok(bench.mayWrite('power', 0))
  assert.ok(bench.mayWrite('other', 1))
  bench.hear(4)
  assert.equal(bench.condition, 'latched')
  assert.ok(!bench.mayWrite('power', 50))
  bench.interlock.reset('at')
  bench.look()
  assert.equal(bench.condition, 'clear')
  assert.ok(bench.mayWrite('power', 50))
  assert.equal(bench.trips, 1)
})

test('reset while its cause is still there, it trips anew', () => {
  const bench = new Bench(rule()).hear(6)
  bench.interlock.reset('at')
  bench.look()
  assert.equal(bench.condition, 'holds')
  assert.equal(bench.trips, 2)
})

test('without latch it is over when its cause is, beyond the hysteresis, and switches nothing back on', () => {
  const bench = new Bench(rule({ latch: false }, watched({ is: 'above', limit: 5, hysteresis: 1 }))).hear(6)
  bench.hear(4.5)
  assert.equal(bench.condition, 'holds')
  bench.hear(4)
  assert.equal(bench.condition, 'clear')
  assert.deepEqual(bench.interlock.held('oven'), [])
  bench.hear(4.5)
  assert.equal(bench.condition, 'clear', 'on the way up the limit itself counts')
})

test('below, equals and notEquals; what can not be compared is not plausible', () => {
  const after = (more: Partial<WatchedReading>, value: Value): string =>
    new Bench(rule({}, watched(more))).hear(value).condition
  assert.equal(after({ is: 'below', limit: 5, hysteresis: 1 }, 4), 'holds')
  assert.equal(after({ is: 'below', limit: 5, hysteresis: 1 }, 5), 'clear')
  assert.equal(after({ is: 'equals', value: 'open' }, 'open'), 'holds')
  assert.equal(after({ is: 'equals', value: 'open' }, 'shut'), 'clear')
  assert.equal(after({ is: 'notEquals', value: true }, false), 'holds')
  assert.equal(after({ is: 'above', limit: 5, hysteresis: 0 }, 'OVERFLOW'), 'holds')
  assert.equal(after({ is: 'above', limit: 5, hysteresis: 0 }, NaN), 'holds')
})

test('a reading that is too old, by the age it had when it was heard of, trips', () => {
  const bench = new Bench(rule()).hear(1, { ageMs: 2_000 })
  assert.equal(bench.pass(1_000).condition, 'clear')
  assert.equal(bench.pass(1).condition, 'unknown')
  assert.equal(bench.trips, 1)
  assert.match(bench.interlock.message, /gauge\.pressure is not known: it was read 3\.0 s ago/)
  bench.hear(1)
  assert.equal(bench.condition, 'latched')
})

test('a reading that is stale by name only counts as long as it is young: a hand-over trips nothing', () => {
  const bench = new Bench(rule()).hear(1)
  bench.hear(1, { ageMs: 500, quality: 'stale' })
  assert.equal(bench.condition, 'clear')
})

test('a reading that the instrument itself calls bad trips, with what it says', () => {
  const bench = new Bench(rule()).hear(1).hear(1, { quality: 'bad' })
  assert.equal(bench.condition, 'unknown')
  assert.equal(bench.trips, 1)
  assert.match(bench.interlock.message, /not known: No sensor\./)
})

test('stale: refuse keeps writes from being sent and trips nothing; ignore does nothing', () => {
  const refusing = new Bench(rule({ stale: 'refuse' })).hear(1).pass(4_000)
  assert.equal(refusing.condition, 'unknown')
  assert.equal(refusing.trips, 0)
  assert.ok(!refusing.mayWrite('power', 50))
  const ignoring = new Bench(rule({ stale: 'ignore' })).pass(60_000)
  assert.equal(ignoring.condition, 'clear')
  assert.ok(ignoring.mayWrite('power', 50))
  assert.equal(ignoring.hear(6).condition, 'holds')
})

test('before it has heard of all it watches it refuses, and trips only after its time of grace', () => {
  const bench = new Bench(rule())
  assert.equal(bench.condition, 'waiting')
  assert.ok(!bench.mayWrite('power', 50))
  // What was written before this worker began is no sign of a fault now.
  bench.hear(1, { ageMs: 60_000 }).pass(GRACE_MS - 1)
  assert.equal(bench.condition, 'waiting')
  assert.equal(bench.pass(1).condition, 'unknown')
  assert.equal(bench.trips, 1)
})

test('`for`: a short excursion does nothing, and being unknown in between does not begin it anew', () => {
  const bench = new Bench(rule({}, watched({ forMs: 2_000 }))).hear(6).pass(1_999)
  assert.equal(bench.condition, 'clear')
  bench.hear(4).hear(6).pass(1_000)
  bench.hear(6, { quality: 'bad' }).pass(999)
  assert.equal(bench.condition, 'clear')
  assert.equal(bench.pass(1).condition, 'unknown')
  assert.equal(bench.trips, 1)
})

test('any: one is enough; all: each has to hold, and what is not known does not save it', () => {
  const second = watched({ parameter: 'flow', is: 'below', limit: 1, hysteresis: 0 })
  const both = [watched(), second]
  const any = new Bench(rule({ watch: { all: false, readings: both } }))
    .hear(1)
    .hear(9, { parameter: 'flow' })
  assert.equal(any.condition, 'clear')
  assert.equal(any.hear(6).condition, 'holds')
  const all = new Bench(rule({ watch: { all: true, readings: both } })).hear(6).hear(9, { parameter: 'flow' })
  assert.equal(all.condition, 'clear')
  assert.equal(all.hear(0, { parameter: 'flow' }).condition, 'holds')
  const doubtful = new Bench(rule({ watch: { all: true, readings: both } }))
    .hear(6)
    .hear(9, { parameter: 'flow' })
  doubtful.hear(9, { parameter: 'flow', quality: 'bad' })
  assert.equal(doubtful.condition, 'unknown')
  assert.equal(doubtful.trips, 1)
})

test('blind, it trips at once, whatever `for` says: later nothing could be sent any more', () => {
  const bench = new Bench(rule({}, watched({ forMs: 60_000 }))).hear(1)
  bench.blind = true
  assert.equal(bench.look().condition, 'unknown')
  assert.equal(bench.trips, 1)
})

test('refuse: safe values pass, others and actions do not; a value names itself only', () => {
  const refuse = [
    { instrument: 'oven', name: 'fan' },
    { instrument: 'oven', name: 'mode', value: 'fast' },
    { instrument: 'oven', name: 'burn' },
  ]
  const allow = [{ instrument: 'oven', name: 'blink' }]
  const bench = new Bench(rule({ trip: [], refuse, allow, latch: false, stale: 'refuse' })).hear(6)
  assert.ok(bench.mayWrite('fan', false))
  assert.ok(!bench.mayWrite('fan', true))
  assert.ok(bench.mayWrite('mode', 'slow'))
  assert.ok(!bench.mayWrite('mode', 'fast'))
  assert.ok(!bench.mayDo('burn'))
  assert.ok(!bench.mayDo('other'), 'nobody can tell what it does to the fan')
  assert.ok(bench.mayDo('blink', { times: 3 }))
  assert.ok(!bench.mayDo('blink', { fan: true }))
  assert.deepEqual(bench.interlock.view('oven').refused, ['fan', 'mode', 'burn'])
  bench.hear(1)
  assert.ok(bench.mayWrite('fan', true))
  assert.ok(bench.mayDo('burn'))
})
