import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime } from '@golem/core'
import { nextMark } from './marks.ts'

const MIN = 60_000
const after = (time: string, minutes: number, offsetMs = 0): string =>
  isoTime(nextMark(Date.parse(time), minutes * MIN, offsetMs))

test("clay_golem's worked examples: marks count from the top of the hour", () => {
  const cases: [string, number, string][] = [
    ['2026-03-01T10:00:00Z', 10, '2026-03-01T10:10:00.000Z'],
    ['2026-03-01T10:09:59Z', 10, '2026-03-01T10:10:00.000Z'],
    ['2026-03-01T10:55:00Z', 10, '2026-03-01T11:00:00.000Z'],
    ['2026-03-01T23:57:54Z', 15, '2026-03-02T00:00:00.000Z'],
    ['2026-03-01T10:50:00Z', 7, '2026-03-01T10:56:00.000Z'],
    ['2026-03-01T10:59:59Z', 7, '2026-03-01T11:03:00.000Z'],
    ['2026-03-01T10:05:00Z', 90, '2026-03-01T11:30:00.000Z'],
  ]
  for (const [time, minutes, next] of cases)
    assert.equal(after(time, minutes), next, `${time} every ${minutes}`)
})

test('an offset moves all marks; year ends, leap days and times before 1970 are nothing special', () => {
  assert.equal(after('2026-03-01T10:00:00Z', 10, 2 * MIN), '2026-03-01T10:02:00.000Z')
  assert.equal(after('2026-03-01T10:02:00Z', 10, 2 * MIN), '2026-03-01T10:12:00.000Z')
  assert.equal(after('2026-12-31T23:59:59.999Z', 10), '2027-01-01T00:00:00.000Z')
  assert.equal(after('2028-02-28T23:59:00Z', 60), '2028-02-29T00:00:00.000Z')
  assert.equal(after('1969-12-31T23:45:00Z', 30), '1970-01-01T00:00:00.000Z')
})
