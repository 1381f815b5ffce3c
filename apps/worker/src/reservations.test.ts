import { NO_RESERVATION, isoTime } from '@golem/core'
import type { KnownReservations } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reservations } from './reservations.ts'

const NOW = 1_000_000

/** Reservation `fence` of Ann, as Redis knows it in this version. */
function held(
  version: number,
  fence: number,
  { until = NOW + 1_000, share = [] as string[] } = {},
): KnownReservations {
  const current = {
    instrument: 'a',
    holder: { kind: 'person', name: 'Ann' },
    fence,
    since: isoTime(NOW),
    until: isoTime(until),
    sharedWith: share,
    onExpiry: 'hold',
  } as const
  return { state: { ...NO_RESERVATION, current }, version, fence, unsafe: null }
}
const free = (version: number, fence: number): KnownReservations => ({
  state: NO_RESERVATION,
  version,
  fence,
  unsafe: null,
})

test('a reservation refuses others, and its own holder under another number', () => {
  const known = new Reservations(() => NOW)
  assert.equal(known.refusal('a', 'Bob'), null)
  known.hear('a', held(1, 7, { share: ['Eve', 'gateway 192.0.2.7'] }))
  assert.equal(known.refusal('a', 'Bob')?.code, 'INSTRUMENT_RESERVED')
  for (const by of ['Ann', 'Eve', 'gateway 192.0.2.7:5025']) assert.equal(known.refusal('a', by), null)
  assert.equal(known.refusal('a', 'gateway 192.0.2.77:5025')?.code, 'INSTRUMENT_RESERVED')
  assert.equal(known.refusal('a', 'Ann', '7'), null)
  assert.match(known.refusal('a', 'Ann', '6')?.message ?? '', /number 6\) has ended/)
  assert.equal(known.refusal('b', 'Bob'), null)
})

test('what is over by the clock is over before anybody has written it', () => {
  let now = NOW
  const known = new Reservations(() => now)
  known.hear('a', held(1, 7))
  assert.equal(known.refusal('a', 'Ann', '7'), null)
  now += 1_000
  assert.equal(known.refusal('a', 'Ann', '7')?.code, 'INSTRUMENT_RESERVED')
  assert.equal(known.refusal('a', 'Bob'), null)
})

test('news that come late do not undo newer ones, and a Redis that has lost something is believed', () => {
  const known = new Reservations(() => NOW)
  known.hear('a', held(5, 8))
  known.hear('a', free(4, 7))
  assert.equal(known.refusal('a', 'Bob')?.code, 'INSTRUMENT_RESERVED')
  // Asked before it was heard: the answer is the older one, but only of that instrument.
  const before = known.heard
  known.hear('a', held(6, 9))
  known.replace(
    new Map([
      ['a', free(4, 7)],
      ['b', held(1, 1)],
    ]),
    before,
  )
  assert.equal(known.refusal('a', 'Bob')?.code, 'INSTRUMENT_RESERVED')
  assert.equal(known.refusal('b', 'Bob')?.code, 'INSTRUMENT_RESERVED')
  known.replace(new Map([['a', free(2, 1)]]), known.heard)
  assert.equal(known.refusal('a', 'Bob'), null)
  assert.equal(known.refusal('b', 'Bob'), null)
})
