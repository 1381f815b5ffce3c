import { EMPTY_QUEUE, type InstrumentState, NO_STOP } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Circumstances, whyAllBlocked, whyBlocked } from './availability.ts'

const ok: InstrumentState = {
  condition: 'ok',
  conditionSince: '',
  message: '',
  owner: 'w',
  seenAt: null,
  readings: {},
  queue: EMPTY_QUEUE,
  reservation: null,
}
const stopped = { since: '', by: 'anna', reason: '' }

function around(
  change: Partial<Circumstances> = {},
  state = ok,
  stop: typeof NO_STOP = NO_STOP,
  busOk = true,
): Circumstances {
  const bus = { ok: busOk, since: '', message: '' }
  const site = {
    cursor: '',
    instruments: new Map([['a', state]]),
    runs: [],
    alarms: [],
    interlocks: [],
    stop,
    bus,
  }
  return { role: 'operator', serverLost: false, site, ...change }
}

test('nothing stands against a command when all is well', () => {
  assert.equal(whyAllBlocked(around()), null)
  assert.equal(whyBlocked(around(), 'a'), null)
})

test('each reason against commands has its sentence', () => {
  assert.equal(whyAllBlocked(around({ serverLost: true })), 'blockedServerLost')
  assert.equal(whyAllBlocked(around({ role: 'viewer' })), 'blockedViewer')
  assert.equal(whyAllBlocked(around({ site: null })), 'blockedStarting')
  assert.equal(whyAllBlocked(around({}, ok, NO_STOP, false)), 'blockedBusLost')
  assert.equal(whyAllBlocked(around({}, ok, { site: stopped, instruments: {} })), 'blockedSiteStopped')
  const one = around({}, ok, { site: null, instruments: { a: stopped } })
  assert.equal(whyAllBlocked(one), null)
  assert.equal(whyBlocked(one, 'a'), 'blockedInstrumentStopped')
  assert.equal(whyBlocked(around({}, { ...ok, condition: 'lost' }), 'a'), 'blockedLost')
  assert.equal(whyBlocked(around({}, { ...ok, condition: 'stopped' }), 'a'), 'blockedWorkerStopped')
  assert.equal(whyBlocked(around({}, { ...ok, condition: 'degraded' }), 'a'), null)
  assert.equal(whyBlocked(around(), 'b'), 'blockedStarting')
})
