import type { AlarmRecord } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canAcknowledge, inOrder, isCalling } from './alarms.ts'

const SEEN = { by: 'ada', at: '2026-05-01T10:05:00.000Z', note: '' }

function alarm(id: string, more: Partial<AlarmRecord> = {}): AlarmRecord {
  return {
    id,
    severity: 'warning',
    condition: 'active',
    message: `${id} is high.`,
    since: '2026-05-01T10:00:00.000Z',
    acknowledged: null,
    count: 1,
    ...more,
  }
}

test('those that call come first, the worst at the top, then the newest', () => {
  const sorted = inOrder([
    alarm('old'),
    alarm('seen', { severity: 'critical', acknowledged: SEEN }),
    alarm('new', { since: '2026-05-01T11:00:00.000Z' }),
    alarm('quiet', { severity: 'critical', inhibited: 'A run goes on.' }),
    alarm('worst', { severity: 'critical' }),
  ])
  assert.deepEqual(
    sorted.map(({ id }) => id),
    ['worst', 'new', 'old', 'seen', 'quiet'],
  )
  assert.deepEqual(sorted.map(isCalling), [true, true, true, false, false])
})

test('what was acknowledged while it was active needs nobody; what is over and latched does', () => {
  assert.equal(canAcknowledge(alarm('a')), true)
  assert.equal(canAcknowledge(alarm('a', { acknowledged: SEEN })), false)
  assert.equal(canAcknowledge(alarm('a', { acknowledged: SEEN, condition: 'returned' })), true)
})
