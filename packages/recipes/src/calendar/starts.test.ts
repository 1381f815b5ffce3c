import type { When } from '@golem/config'
import { isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextStart, startsBetween } from './starts.ts'
import { whenInWords } from './words.ts'

const MIN = 60_000
const HOUR = 60 * MIN
const every = (everyMs: number, offsetMs = 0): When => ({ kind: 'every', everyMs, offsetMs })
const at = (times: string | string[], rest: Partial<Extract<When, { kind: 'at' }>> = {}): When => ({
  kind: 'at',
  times: [times].flat().map((time) => `${time}:00`),
  zone: 'Europe/Berlin',
  days: [],
  ...rest,
})
const short = (ms: number): string => isoTime(ms).replace(':00.000Z', 'Z')
const next = (when: When, after: string): string | null => {
  const found = nextStart(when, Date.parse(after))
  return found === null ? null : short(found)
}
const between = (when: When, from: string, to: string): string[] =>
  startsBetween(when, Date.parse(from), Date.parse(to), 1000).map(short)

test("aligned intervals: clay_golem's worked examples", () => {
  const cases: [string, number, string][] = [
    ['2026-03-01T10:00:00Z', 10, '2026-03-01T10:10Z'],
    ['2026-03-01T10:09:59Z', 10, '2026-03-01T10:10Z'],
    ['2026-03-01T10:55:00Z', 10, '2026-03-01T11:00Z'],
    ['2026-03-01T23:57:54Z', 15, '2026-03-02T00:00Z'],
    ['2026-03-01T10:50:00Z', 7, '2026-03-01T10:56Z'],
    ['2026-03-01T10:59:59Z', 7, '2026-03-01T11:03Z'],
  ]
  for (const [time, minutes, wanted] of cases) assert.equal(next(every(minutes * MIN), time), wanted)
})

test('whole hours count from midnight UTC, whenever one asks', () => {
  assert.equal(next(every(6 * HOUR), '2026-03-01T11:05Z'), '2026-03-01T12:00Z')
  assert.equal(next(every(6 * HOUR), '2026-03-01T12:00Z'), '2026-03-01T18:00Z')
  assert.equal(next(every(24 * HOUR, 90_000), '2026-03-01T12:00Z'), '2026-03-02T00:01:30.000Z')
})

test('aligned intervals know nothing of summer time', () => {
  const starts = startsBetween(
    every(10 * MIN),
    Date.parse('2026-03-28T23:59Z'),
    Date.parse('2026-03-29T06:00Z'),
    1000,
  )
  assert.equal(starts.length, 37)
  assert.ok(starts.every((ms, n) => n === 0 || ms - (starts[n - 1] ?? 0) === 10 * MIN))
})

test('a time that does not exist is as much later as the clock is put forward; twice there, it starts once', () => {
  // Europe/Berlin: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00.
  assert.deepEqual(between(at('02:30'), '2026-03-27T12:00Z', '2026-03-30T12:00Z'), [
    '2026-03-28T01:30Z',
    '2026-03-29T01:30Z',
    '2026-03-30T00:30Z',
  ])
  assert.deepEqual(between(at('02:30'), '2026-10-23T12:00Z', '2026-10-26T12:00Z'), [
    '2026-10-24T00:30Z',
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ])
  assert.deepEqual(between(at(['02:30', '03:30']), '2026-03-29T00:00Z', '2026-03-29T12:00Z'), [
    '2026-03-29T01:30Z',
  ])
  assert.deepEqual(between(at(['02:30', '03:10']), '2026-03-29T00:00Z', '2026-03-29T12:00Z'), [
    '2026-03-29T01:10Z',
    '2026-03-29T01:30Z',
  ])
})

test('where clocks are put forward at midnight, the time still belongs to its day', () => {
  // America/Santiago: 2026-09-06 00:00 -> 01:00.
  const santiago = at('00:00', { zone: 'America/Santiago' })
  assert.deepEqual(between(santiago, '2026-09-05T12:00Z', '2026-09-07T12:00Z'), [
    '2026-09-06T04:00Z',
    '2026-09-07T03:00Z',
  ])
  const late = at('23:45', { zone: 'America/Scoresbysund' })
  const days = between(late, '2026-03-20T00:00Z', '2026-04-05T00:00Z')
  assert.equal(days.length, 16)
})

test('days of the week, dates, leap days', () => {
  const workdays = at('06:00', { days: [1, 2, 3, 4, 5].map((weekday) => ({ weekday })) })
  assert.equal(next(workdays, '2026-03-06T12:00Z'), '2026-03-09T05:00Z')
  assert.equal(next(at('06:00', { days: [{ month: 2, day: 29 }] }), '2026-03-01T00:00Z'), '2028-02-29T05:00Z')
  assert.equal(next(at('06:00', { days: [{ month: 2, day: 29 }] }), '2097-01-01T00:00Z'), '2104-02-29T05:00Z')
  assert.equal(next(at('06:00', { days: [{ day: 31 }] }), '2026-03-31T12:00Z'), '2026-05-31T04:00Z')
  const christmas = at('06:00', { days: [{ year: 2026, month: 12, day: 24 }] })
  assert.equal(next(christmas, '2026-01-01T00:00Z'), '2026-12-24T05:00Z')
  assert.equal(next(christmas, '2026-12-24T05:00Z'), null)
})

test('moments, in a zone or with an offset, and then none any more', () => {
  const once: When = {
    kind: 'once',
    moments: ['2026-12-24T06:00', '2026-12-24T06:00+09:00', '2026-12-24T07:00Z'],
    zone: 'Europe/Berlin',
  }
  assert.deepEqual(between(once, '2026-01-01T00:00Z', '2030-01-01T00:00Z'), [
    '2026-12-23T21:00Z',
    '2026-12-24T05:00Z',
    '2026-12-24T07:00Z',
  ])
})

test('every start of a zone lies after the one before, for two years', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
    const when = at(['00:00', '01:30', '02:30', '23:59'], { zone, days: [{ day: 1 }, { weekday: 7 }] })
    const starts = startsBetween(when, Date.parse('2026-01-01T00:00Z'), Date.parse('2028-01-01T00:00Z'), 5000)
    assert.ok(starts.length > 480)
    assert.ok(
      starts.every((ms, n) => n === 0 || ms > (starts[n - 1] ?? 0)),
      zone,
    )
  }
})

test('in words', () => {
  const words: [When, string][] = [
    [every(10 * MIN), 'every 10 min from the top of the hour'],
    [every(6 * HOUR, 2 * MIN), 'every 6 h from 2 min after midnight UTC'],
    [at('06:00'), 'daily at 06:00 (Europe/Berlin)'],
    [
      at(['06:00', '18:00'], { days: [{ weekday: 1 }, { weekday: 7 }] }),
      'Monday and Sunday at 06:00 and 18:00 (Europe/Berlin)',
    ],
    [
      at('06:00', { days: [1, 2, 3, 4, 5].map((weekday) => ({ weekday })) }),
      'Monday to Friday at 06:00 (Europe/Berlin)',
    ],
    [
      at('06:00', { days: [{ month: 2, day: 9 }, { day: 1 }] }),
      '02-09 of each year and day 1 of each month at 06:00 (Europe/Berlin)',
    ],
    [{ kind: 'once', moments: ['2026-12-24T06:00'], zone: 'UTC' }, 'once at 2026-12-24 06:00 (UTC)'],
    [{ kind: 'once', moments: ['2026-12-24T06:00Z'], zone: 'UTC' }, 'once at 2026-12-24 06:00Z'],
  ]
  for (const [when, wanted] of words) assert.equal(whenInWords(when), wanted)
})
