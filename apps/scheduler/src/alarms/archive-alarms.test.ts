import { KEEP_ALL, type Site } from '@golem/config'
import { type ArchiverRecord, isoTime } from '@golem/core'
import type { SiteView } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { archiveAlarm, archiveAlarms } from './archive-alarms.ts'

const NOW = Date.parse('2026-05-01T10:00:00.000Z')
const SITE = { leaseMs: 10_000, archive: { place: '/a', stream: 1_000, keep: KEEP_ALL } } as unknown as Site

/** Alarms that are in force, with their sentences. */
function inForce(
  records: readonly (Partial<ArchiverRecord> & { ageMs: number })[],
  { site = SITE, waiting = 0, lookedForMs = 1e9 } = {},
): Record<string, string> {
  const archivers = new Map(
    records.map(({ ageMs, ...record }, n) => {
      const full = { writes: true, freeBytes: 1e12, sizeBytes: 1e6, daysLeft: null, ...record }
      return [`a-${n}`, { ...full, lastSeen: isoTime(NOW - ageMs) } as ArchiverRecord]
    }),
  )
  const view = { archivers, samplesWaiting: waiting, now: () => NOW } as unknown as SiteView
  const all = archiveAlarms(site, view, lookedForMs)
  assert.ok(all.every(([{ id }]) => archiveAlarm(id)))
  return Object.fromEntries(all.filter(([, { so }]) => so).map(([{ id }, { message }]) => [id, message]))
}

test('an archiver is missed after a minute; one that stands by will do', () => {
  assert.deepEqual(inForce([{ ageMs: 500 }]), {})
  assert.deepEqual(inForce([{ ageMs: 70_000 }, { ageMs: 500, writes: false }]), {})
  assert.match(inForce([{ ageMs: 70_000 }])['archiver'] ?? '', /No archiver .* for 70 s/)
  assert.deepEqual(inForce([], { lookedForMs: 30_000 }), {})
  assert.deepEqual(Object.keys(inForce([], { lookedForMs: 61_000 })), ['archiver'])
  assert.deepEqual(inForce([], { site: { ...SITE, archive: null } }), {})
})

test('more than half of what may wait calls somebody, also while no archiver is there', () => {
  assert.deepEqual(inForce([{ ageMs: 500 }], { waiting: 500 }), {})
  assert.deepEqual(Object.keys(inForce([{ ageMs: 500 }], { waiting: 501 })), ['archiver.backlog'])
  assert.deepEqual(Object.keys(inForce([{ ageMs: 1e6 }], { waiting: 501 })), ['archiver', 'archiver.backlog'])
})

test('a disk that is full, soon full, slow, and a database that is away', () => {
  const full = { kind: 'full' as const, message: 'The disk of the archive is full.' }
  assert.deepEqual(inForce([{ ageMs: 0, trouble: full }]), { 'archiver.disk': full.message })
  assert.match(inForce([{ ageMs: 0, freeBytes: 100e6 }])['archiver.disk'] ?? '', /has 100 MB left\.$/)
  assert.match(inForce([{ ageMs: 0, daysLeft: 3 }])['archiver.disk'] ?? '', /full in 3 days/)
  assert.deepEqual(inForce([{ ageMs: 0, freeBytes: null, daysLeft: null }]), {})
  const [slow, down] = [
    { kind: 'slow' as const, message: 'slow' },
    { kind: 'down' as const, message: 'down' },
  ]
  assert.deepEqual(inForce([{ ageMs: 0, trouble: slow }]), { 'archiver.slow': 'slow' })
  assert.deepEqual(inForce([{ ageMs: 0, trouble: down }]), { 'archiver.database': 'down' })
  // What one says that does not write any more is old.
  assert.deepEqual(inForce([{ ageMs: 20_000, trouble: down }]), {})
})
