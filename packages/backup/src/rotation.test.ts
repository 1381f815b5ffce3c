import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backupName } from './manifest.ts'
import { isDue, timeOfName, toRemove } from './rotation.ts'

const DAY_MS = 86_400_000
const KEEP = { last: 3, daily: 7, weekly: 4, monthly: 6 }
const name = (at: number, site = 'stand'): string => backupName(site, new Date(at), false)

test('a year of daily backups leaves the newest, a week, a month of weeks, half a year of months', () => {
  const end = Date.parse('2026-12-31T03:00:00Z')
  let kept: string[] = []
  for (let at = Date.parse('2026-01-01T03:00:00Z'); at <= end; at += DAY_MS) {
    kept = [...kept, name(at)]
    const removed = new Set(toRemove(kept, 'stand', KEEP))
    kept = kept.filter((one) => !removed.has(one))
  }
  assert.deepEqual(
    kept.map((one) => one.slice(6, 16)),
    [
      '2026-07-31',
      '2026-08-31',
      '2026-09-30',
      '2026-10-31',
      '2026-11-30',
      '2026-12-13',
      '2026-12-20',
      '2026-12-25',
      '2026-12-26',
      '2026-12-27',
      '2026-12-28',
      '2026-12-29',
      '2026-12-30',
      '2026-12-31',
    ],
  )
})

test('what is no backup of this site is never removed; names say the time, encrypted or not', () => {
  const old = Date.parse('2020-01-01T00:00:00Z')
  const others = [
    name(old, 'other-stand'),
    'notes.txt',
    '.backup-x',
    `${name(old)}.part`,
    name(old, 'stand-2'),
  ]
  assert.deepEqual(toRemove(others, 'stand', { last: 0, daily: 0, weekly: 0, monthly: 0 }), [])
  assert.equal(timeOfName(backupName('stand', new Date(old), true), 'stand'), old)
})

test('one is due once a day, what was missed once, and a clock that was set back does not stop them', () => {
  const at = (text: string): number => new Date(text).getTime()
  const minutes = 3 * 60
  assert.equal(isDue(null, at('2026-05-01T12:00:00'), minutes), true)
  assert.equal(isDue(at('2026-05-01T03:00:05'), at('2026-05-02T02:59:59'), minutes), false)
  assert.equal(isDue(at('2026-05-01T03:00:05'), at('2026-05-02T03:00:00'), minutes), true)
  assert.equal(isDue(at('2026-05-01T03:00:05'), at('2026-05-09T12:00:00'), minutes), true)
  assert.equal(isDue(at('2026-05-09T12:00:05'), at('2026-05-09T12:00:10'), minutes), false)
  assert.equal(isDue(at('2027-01-01T00:00:00'), at('2026-05-09T12:00:10'), minutes), true)
})
