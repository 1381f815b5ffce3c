import { EMPTY_QUEUE, type InstrumentState, NO_STOP, type StateDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageMs, mergeState, needsDescriptions, readingOf, sharedErrors, SiteClock } from './model.ts'

const T0 = '2026-03-01T10:00:00.000Z'

function state(change: Partial<InstrumentState> = {}): InstrumentState {
  return {
    condition: 'ok',
    conditionSince: T0,
    message: '',
    owner: 'w1',
    seenAt: T0,
    readings: { relay0: { value: false, at: T0, quality: 'good' } },
    queue: EMPTY_QUEUE,
    reservation: null,
    ...change,
  }
}

function answer(change: Partial<StateDocument> = {}): StateDocument {
  return {
    cursor: 'c1',
    at: T0,
    full: true,
    instruments: { a: state(), b: state() },
    runs: [],
    alarms: [],
    interlocks: [],
    stop: NO_STOP,
    bus: { ok: true, since: T0, message: '' },
    ...change,
  }
}

test('a delta replaces the instruments it names and leaves the others', () => {
  const before = mergeState(null, answer())
  const after = mergeState(
    before,
    answer({ cursor: 'c2', full: false, instruments: { b: state({ condition: 'lost' }) } }),
  )
  assert.equal(after.cursor, 'c2')
  assert.equal(after.instruments.get('a'), before.instruments.get('a'))
  assert.equal(after.instruments.get('b')?.condition, 'lost')
})

test('a full answer removes the instruments it does not name', () => {
  const after = mergeState(mergeState(null, answer()), answer({ instruments: { b: state() } }))
  assert.deepEqual([...after.instruments.keys()], ['b'])
})

test('the stop comes with every answer, also with a delta', () => {
  const stop = { site: { since: T0, by: 'anna', reason: '' }, instruments: {} }
  const after = mergeState(mergeState(null, answer()), answer({ full: false, instruments: {}, stop }))
  assert.deepEqual(after.stop, stop)
})

test('a reading named like a member of every object is not found by accident', () => {
  assert.equal(readingOf(state(), 'constructor'), undefined)
  assert.equal(readingOf(state(), 'relay0')?.value, false)
})

test('descriptions are wanted for an unknown instrument and after a change of owner', () => {
  const described = [{ id: 'a' }, { id: 'b' }] as unknown as Parameters<typeof needsDescriptions>[0]
  const before = mergeState(null, answer())
  const owned = (owner: string | null) =>
    mergeState(before, answer({ full: false, instruments: { a: state({ owner }) } }))
  assert.equal(needsDescriptions(described, null, before), false)
  assert.equal(needsDescriptions(described.slice(1), null, before), true)
  assert.equal(needsDescriptions(described, before, owned('w2')), true)
  assert.equal(needsDescriptions(described, before, owned(null)), false)
})

test('the site clock runs on while no answer comes, whatever the wall clock of the browser says', () => {
  let monotonic = 1000
  const clock = new SiteClock(() => monotonic)
  assert.equal(clock.now(), null)
  clock.hear(T0)
  monotonic += 7000
  assert.equal(ageMs(T0, clock.now()), 7000)
})

test('an answer that was long on its way does not make values younger', () => {
  let monotonic = 0
  const clock = new SiteClock(() => monotonic)
  clock.hear(T0)
  monotonic = 2000
  clock.hear('2026-03-01T10:00:01.000Z')
  assert.equal(ageMs(T0, clock.now()), 2000)
})

test('a server clock that was set back is followed', () => {
  const clock = new SiteClock(() => 0)
  clock.hear(T0)
  clock.hear('2026-03-01T09:00:00.000Z')
  assert.equal(clock.now(), Date.parse('2026-03-01T09:00:00.000Z'))
})

test('an age is never negative, and unknown when the time is', () => {
  assert.equal(ageMs(T0, Date.parse(T0) - 50), 0)
  assert.equal(ageMs(null, 0), null)
  assert.equal(ageMs('yesterday', 0), null)
  assert.equal(ageMs(T0, null), null)
})

test('an error that several readings have is said once, one of its own stays where it is', () => {
  const bad = (error: string) => ({ value: null, at: null, quality: 'bad', error }) as const
  const stage = state({
    readings: {
      x: bad('lost'),
      y: bad('lost'),
      z: bad('jammed'),
      speed: { value: 1, at: T0, quality: 'good' },
    },
  })
  assert.deepEqual(sharedErrors(stage, ['x', 'y', 'z', 'speed', 'gone']), ['lost'])
  assert.deepEqual(sharedErrors(stage, ['x', 'z']), [])
  assert.deepEqual(sharedErrors(undefined, ['x']), [])
})
