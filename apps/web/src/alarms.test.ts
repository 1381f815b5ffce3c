import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlarmRecord } from '@golem/core'
import { open } from './app-in-memory.ts'
import type { ProblemDocument } from './problem.ts'

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

test('alarms are listed, the worst and the newest first', async (t) => {
  const { app, client } = await open(t)
  for (const one of [
    alarm('a'),
    alarm('b', { since: '2026-05-01T11:00:00.000Z' }),
    alarm('c', { severity: 'critical' }),
  ]) {
    client.view.alarms.set(one.id, one)
  }
  const answer = (await app.inject('/api/alarms')).json<AlarmRecord[]>()
  assert.deepEqual(
    answer.map(({ id }) => id),
    ['c', 'b', 'a'],
  )
})

test('an acknowledgement is handed to the scheduler with name and note', async (t) => {
  const { app, client } = await open(t)
  client.view.alarms.set('lamp.level.high', alarm('lamp.level.high'))
  const acknowledge = (id: string, payload?: object) =>
    app.inject({ method: 'POST', url: `/api/alarms/${id}/acknowledge`, ...(payload ? { payload } : {}) })
  const answer = await acknowledge('lamp.level.high', { note: '  on my way ' })
  assert.equal(answer.statusCode, 202)
  assert.equal(answer.json<AlarmRecord>().id, 'lamp.level.high')
  assert.equal((await acknowledge('lamp.level.high')).statusCode, 202)
  assert.deepEqual(client.requests, [
    { type: 'acknowledge', alarm: 'lamp.level.high', by: 'local', note: 'on my way' },
    { type: 'acknowledge', alarm: 'lamp.level.high', by: 'local', note: '' },
  ])
  const missing = await acknowledge('lamp.level.low')
  assert.equal(missing.statusCode, 404)
  assert.match(missing.json<ProblemDocument>().detail, /no alarm "lamp.level.low"/)
  assert.equal((await acknowledge('lamp.level.high', { note: 5 })).statusCode, 422)
})

test('a test goes to a notifier that there is', async (t) => {
  const { app } = await open(t)
  const answer = await app.inject({ method: 'POST', url: '/api/notifiers/mail/test' })
  assert.equal(answer.statusCode, 404)
  assert.match(answer.json<ProblemDocument>().detail, /There are: none/)
  assert.deepEqual((await app.inject('/api/notifiers')).json(), [])
})
