import {
  EMPTY_QUEUE,
  type Holder,
  type InstrumentState,
  NO_RESERVATION,
  NO_STOP,
  type ReservationRecord,
  type ReservationState,
} from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SiteModel } from './model.ts'
import { formatMinute, namesIn, reservationNews, reservedByOthers } from './reservation.ts'

const AT = '2026-05-01T08:30:15.000Z'
const person = (name: string): Holder => ({ kind: 'person', name })

function held(by: Holder, fence = 1, sharedWith: string[] = []): ReservationRecord {
  return { instrument: 'a', holder: by, fence, since: AT, until: AT, sharedWith, onExpiry: 'hold' }
}

function site(reservation: ReservationState | null): SiteModel {
  const state: InstrumentState = {
    condition: 'ok',
    conditionSince: AT,
    message: '',
    owner: 'w',
    seenAt: AT,
    readings: {},
    queue: EMPTY_QUEUE,
    reservation,
  }
  const bus = { ok: true, since: AT, message: '' }
  return {
    cursor: '',
    instruments: new Map([['a', state]]),
    runs: [],
    alarms: [],
    interlocks: [],
    stop: NO_STOP,
    bus,
  }
}

test('an instrument is taken for those who neither hold it nor share it', () => {
  const taken = site({ ...NO_RESERVATION, current: held(person('Ann'), 1, ['Bob']) })
  assert.equal(reservedByOthers(taken, 'a', 'Ann'), null)
  assert.equal(reservedByOthers(taken, 'a', 'Bob'), null)
  assert.equal(reservedByOthers(taken, 'a', 'Eve')?.holder.name, 'Ann')
  assert.equal(reservedByOthers(taken, 'a', null)?.holder.name, 'Ann')
  assert.equal(reservedByOthers(taken, 'b', 'Eve'), null)
  assert.equal(reservedByOthers(site(NO_RESERVATION), 'a', 'Eve'), null)
  // A run is no person, whatever its id is.
  const byRun = site({ ...NO_RESERVATION, current: held({ kind: 'run', name: 'Ann' }) })
  assert.equal(reservedByOthers(byRun, 'a', 'Ann')?.holder.kind, 'run')
})

test('people are told what happened to their reservations, and not what they did themselves', () => {
  const waiting = { holder: person('Bob'), since: AT, forMs: 1 }
  const anns = { ...NO_RESERVATION, current: held(person('Ann')), waiting: [waiting] }
  const expired = { holder: person('Ann'), fence: 1, at: AT, how: 'expired' } as const
  const bobs = { ...NO_RESERVATION, current: held(person('Bob'), 2), ended: expired }
  assert.deepEqual(reservationNews(site(anns), site(bobs), 'Bob'), [
    { instrument: 'a', kind: 'yours', until: AT },
  ])
  assert.deepEqual(reservationNews(site(anns), site(bobs), 'Ann'), [{ instrument: 'a', kind: 'over' }])
  assert.deepEqual(reservationNews(site(anns), site(bobs), 'Eve'), [])
  assert.deepEqual(reservationNews(null, site(bobs), 'Bob'), [])
  const forced = { ...expired, how: 'forced', by: 'Root', reason: 'smoke' } as const
  assert.deepEqual(reservationNews(site(anns), site({ ...NO_RESERVATION, ended: forced }), 'Ann'), [
    { instrument: 'a', kind: 'ended', by: 'Root', reason: 'smoke' },
  ])
  const released = { ...expired, how: 'released' } as const
  assert.deepEqual(reservationNews(site(anns), site({ ...NO_RESERVATION, ended: released }), 'Ann'), [])
  assert.deepEqual(
    reservationNews(site(NO_RESERVATION), site({ ...NO_RESERVATION, current: held(person('Ann')) }), 'Ann'),
    [],
  )
})

test('ends are shown to the minute, with the date when it is another day', () => {
  assert.match(formatMinute(AT, Date.parse(AT), 'en'), /^\d\d:\d\d$/)
  assert.match(formatMinute(AT, Date.parse(AT) + 3 * 86_400_000, 'ru'), /мая \d\d:\d\d$/)
  assert.equal(formatMinute('never', null, 'en'), 'never')
})

test('names are read with commas or semicolons between', () => {
  assert.deepEqual(namesIn(' Ann, Боб Б.;,Eve '), ['Ann', 'Боб Б.', 'Eve'])
  assert.deepEqual(namesIn(''), [])
})
