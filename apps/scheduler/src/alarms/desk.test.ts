import { type Calling, type Notification, type Now } from '@golem/alarms'
import type { NotifierConfig } from '@golem/config'
import type { AlarmRecord } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Desk } from './desk.ts'

const NOW: Now = { ms: 1_000_000, utc: 1_000_000 }

function notifier(name: string, more: Partial<NotifierConfig> = {}): NotifierConfig {
  return {
    name,
    target: { kind: 'webhook', url: 'http://192.0.2.1', secret: null },
    severities: ['warning', 'critical'],
    repeatMs: null,
    escalateAfterMs: 0,
    followUps: true,
    rate: { messages: 100, perMs: 1_000 },
    quiet: null,
    ...more,
  }
}

function alarm(id: string, more: Partial<AlarmRecord> = {}): Calling {
  const record: AlarmRecord = {
    id,
    severity: 'warning',
    condition: 'active',
    message: `${id} is high.`,
    since: '2026-05-01T10:00:00.000Z',
    acknowledged: null,
    count: 1,
    ...more,
  }
  return { record, raisedAt: NOW.ms }
}

interface Sent {
  to: string
  notification: Notification
}

/** A desk whose messages end up in a list, and are refused while `trouble` says so. */
function rig(notifiers: readonly NotifierConfig[]) {
  const sent: Sent[] = []
  const state = { trouble: '', attempts: 0 }
  const desk = new Desk({
    title: 'Lab',
    notifiers,
    log: pino({ level: 'silent' }),
    onDirty: () => undefined,
    deliver: async ({ name }, notification) => {
      await Promise.resolve()
      state.attempts += 1
      if (state.trouble !== '') throw new Error(state.trouble)
      sent.push({ to: name, notification })
      return ''
    },
  })
  return { desk, sent, state }
}

/** What the next leader finds. */
function remembered(writes: readonly SchedulerWrite[]): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const write of writes) {
    if (write.op === 'remember') found.set(write.name, JSON.parse(JSON.stringify(write.value)))
  }
  return found
}

async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!so()) {
    assert.ok(performance.now() < end, 'it did not happen')
    await sleep(10)
  }
}

test('nothing is sent before it stands in Redis', async () => {
  const { desk, sent } = rig([notifier('a'), notifier('b', { severities: ['critical'] })])
  desk.plan([alarm('x')], NOW)
  desk.confirmed()
  await sleep(30)
  assert.equal(sent.length, 0)
  const writes = desk.drain()
  assert.equal(writes.length, 1, 'b hears of nothing')
  desk.confirmed()
  await until(() => sent.length === 1)
  assert.equal(sent[0]?.to, 'a')
  const after = remembered(desk.drain()).get('notifier:a') as { outgoing: unknown }
  assert.equal(after.outgoing, null)
  desk.end()
})

test('a message that was not taken is sent again under its id, by the next leader too; then nothing more', async () => {
  const first = rig([notifier('a')])
  first.state.trouble = 'no answer'
  first.desk.plan([alarm('x')], NOW)
  const stored = remembered(first.desk.drain())
  first.desk.confirmed()
  await until(() => first.state.attempts === 1)
  first.desk.end()
  const id = (stored.get('notifier:a') as { outgoing: Notification }).outgoing.id

  const second = rig([notifier('a')])
  second.desk.restore(stored, NOW)
  await until(() => second.sent.length === 1)
  assert.equal(second.sent[0]?.notification.id, id)
  second.desk.plan([alarm('x')], { ms: NOW.ms + 60_000, utc: NOW.utc + 60_000 })
  second.desk.drain()
  second.desk.confirmed()
  await sleep(30)
  assert.equal(second.sent.length, 1, 'it has been told already')
  second.desk.end()
})

test('while one hangs the others are told; it counts as failing after two attempts, and works again after one', async () => {
  const { desk, sent, state } = rig([notifier('a')])
  state.trouble = 'no answer'
  desk.plan([alarm('x')], NOW)
  desk.drain()
  desk.confirmed()
  await until(() => state.attempts === 1)
  assert.equal(desk.errors.get('a'), null)
  await until(() => state.attempts === 2)
  assert.equal(desk.errors.get('a'), 'no answer')
  // That it fails is nothing to tell it.
  desk.plan([alarm('x'), alarm('notifier.a', { severity: 'critical' })], NOW)
  assert.equal(state.attempts, 2)
  state.trouble = ''
  // Something critical that is not in the message on its way ends the pause.
  desk.plan([alarm('x'), alarm('y', { severity: 'critical' })], NOW)
  await until(() => sent.length === 1)
  assert.equal(desk.errors.get('a'), null)
  desk.plan([alarm('x'), alarm('y', { severity: 'critical' })], NOW)
  desk.drain()
  desk.confirmed()
  await until(() => sent.length === 2)
  assert.deepEqual(
    sent[1]?.notification.items.map((item) => item.alarm.id),
    ['y'],
  )
  desk.end()
})

test('who was taken out of the site file is forgotten', () => {
  const { desk } = rig([])
  desk.restore(new Map([['notifier:gone', { memory: { told: {}, madeAt: [] }, outgoing: null }]]), NOW)
  assert.deepEqual(desk.drain(), [{ op: 'remember', name: 'notifier:gone', value: null }])
})
