import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MqttDriver } from '@golem/core'
import { MqttChannel } from './mqtt-channel.ts'

const DRIVER: MqttDriver = {
  transport: 'mqtt',
  link: { replyTimeoutMs: 1000 },
  parameters: {},
  actions: {},
  subscriptions: ['state'],
  identify: async () => undefined,
  readAll: async () => ({}),
  onMessage: () => ({}),
}

function channel(): { channel: MqttChannel; say: (payload: string) => void } {
  const made = new MqttChannel(DRIVER, 'lab', 'mqtt://broker/lab', undefined)
  return { channel: made, say: (payload) => made.take('lab/state', Buffer.from(payload), false) }
}

const isOn = (payload: string): boolean => payload === 'on'

test('what was told before the broker took a command does not confirm it while something may come', async () => {
  const { channel: device, say } = channel()
  device.publishing()
  say('on')
  device.taken()
  let confirmed = false
  const answer = device.expect('state', 60_000, isOn).finally(() => (confirmed = true))
  say('off')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(confirmed, false)
  say('on')
  assert.equal(await answer, 'on')
})

test('when nothing else has come in time, the last of it counts: a broker may pass an answer on first', async () => {
  const { channel: device, say } = channel()
  device.publishing()
  say('off')
  say('on')
  device.taken()
  assert.equal(await device.expect('state', 30, isOn), 'on')
  device.publishing()
  say('on')
  say('off')
  device.taken()
  await assert.rejects(device.expect('state', 30, isOn), { code: 'REPLY_TIMEOUT' })
})

test('what came since the broker took it counts at once, also before it is waited for', async () => {
  const { channel: device, say } = channel()
  device.publishing()
  device.taken()
  say('on')
  assert.equal(await device.expect('state', 60_000, isOn), 'on')
  device.publishing()
  device.taken()
  await assert.rejects(device.expect('state', 30, isOn), { code: 'REPLY_TIMEOUT' })
})
