import { type InterlockView, isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fault, open } from './app-in-memory.ts'
import { snapshotOf } from './in-memory-site.ts'

const standing = (condition: InterlockView['condition']): InterlockView => ({
  name: 'door',
  condition,
  since: isoTime(0),
  message: 'door.relay0 is true.',
  refused: [],
  held: { relay0: false },
})

const reset = { method: 'POST', url: '/api/interlocks/door/reset', payload: { note: 'hinge' } } as const

test('an interlock is reset once its cause is over, with who did it and why', async (t) => {
  const { app, client } = await open(t)
  const { view } = client
  assert.deepEqual(await fault(app, reset), [404, 'NOT_FOUND', undefined])
  const tripped = { id: 't1', at: isoTime(0), message: 'door.relay0 is true', worker: 'w' }
  view.interlocks.set('door', { name: 'door', tripped, reset: null })
  view.publish(snapshotOf('relay-1', view.timeMs, { interlocks: [standing('holds')] }))
  assert.deepEqual(await fault(app, reset), [409, 'INTERLOCKED', undefined])
  view.publish(snapshotOf('relay-1', view.timeMs, { interlocks: [standing('latched')] }))
  const answer = await app.inject(reset)
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(answer.json<{ reset: object }>().reset, {
    trip: 't1',
    at: isoTime(view.timeMs),
    by: 'local',
    note: 'hinge',
  })
  assert.deepEqual((await app.inject('/api/interlocks')).json(), [])
})

test('which values win after a power cut is said only where it is asked', async (t) => {
  const { app, client } = await open(t)
  const decide = (keep: string) =>
    ({ method: 'POST', url: '/api/instruments/relay-1/power-return', payload: { keep } }) as const
  assert.deepEqual(await fault(app, decide('device')), [404, 'NOT_FOUND', 'path.id'])
  const powerReturn = { since: isoTime(0), differences: [{ parameter: 'relay0', before: true, now: false }] }
  client.view.publish(snapshotOf('relay-1', client.view.timeMs, { powerReturn }))
  assert.equal((await app.inject(decide('golem'))).statusCode, 202)
  assert.deepEqual(client.settled, [{ instrument: 'relay-1', keep: 'golem', by: 'local' }])
  const { instruments } = (await app.inject('/api/state')).json<{ instruments: Record<string, object> }>()
  assert.deepEqual((instruments['relay-1'] as { powerReturn: object }).powerReturn, powerReturn)
})

test('worst cases are told for each output', async (t) => {
  const { app } = await open(t)
  const found = (await app.inject('/api/instruments/relay-1/worst-cases')).json<Record<string, string[]>>()
  assert.deepEqual(Object.keys(found), ['relay0', 'level'])
  assert.match(found['relay0']?.join() ?? '', /no safe value/)
})
