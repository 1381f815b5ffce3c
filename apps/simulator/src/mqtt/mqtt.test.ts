import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type MqttClient, connectAsync } from 'mqtt'
import { until } from '../testing.ts'
import { listenOn } from '../wire/near-ends.ts'
import type { PlayedMqttDevice, Saying } from './device.ts'
import { mqttRequests, publishPacket } from './packets.ts'
import { BrokerWire } from './wire.ts'

const closers: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closers.reverse()) await close()
})

const saying = (topic: string, payload: string, retain = false): Saying => ({
  topic,
  payload,
  retain,
  qos: 0,
})

/** A switch that tells its state when it is told to be on or off. */
function played(): PlayedMqttDevice & { on: string; had: number } {
  return {
    on: 'off',
    had: 0,
    topics: ['set'],
    will: saying('there', 'no', true),
    greeting() {
      return [saying('there', 'yes', true), saying('state', this.on)]
    },
    receive(_topic, payload) {
      this.on = payload
      this.had += 1
      return [saying('state', payload)]
    },
    talks: null,
    reset() {
      this.on = 'off'
    },
  }
}

async function bench(): Promise<{
  device: ReturnType<typeof played>
  wire: BrokerWire
  client: MqttClient
  heard: string[]
}> {
  const device = played()
  const wire = await BrokerWire.start(device)
  const near = await listenOn(wire)
  const client = await connectAsync(near.address.replace('tcp:', 'mqtt:'), {
    protocolVersion: 4,
    reconnectPeriod: 0,
  })
  const heard: string[] = []
  client.on('message', (topic, payload) => void heard.push(`${topic} ${payload.toString('latin1')}`))
  await client.subscribeAsync(['there', 'state'])
  closers.push(async () => {
    await client.endAsync(true)
    await near.close()
    await wire.close()
    assert.deepEqual(wire.errors, [])
  })
  await until('it is heard', () => heard.length === 1)
  assert.deepEqual(heard.splice(0), ['there yes'])
  return { device, wire, client, heard }
}

test('a device does what it is told and tells its state; its requests are counted and known', async () => {
  const { device, wire, client, heard } = await bench()
  await client.publishAsync('set', 'on', { qos: 1 })
  await until('it is heard', () => heard.length === 1)
  assert.deepEqual([device.on, heard], ['on', ['state on']])
  const { key, passed } = wire.arrived.findLast(({ bytes }) => bytes.length > 0) ?? {}
  assert.deepEqual([key, passed], ['set on', true])
  assert.equal(mqttRequests.key(publishPacket('set', 'on')), 'set on')
  const long = publishPacket('t', 'x'.repeat(200_000))
  assert.equal(mqttRequests.length(long), long.length)
  assert.equal(mqttRequests.length(long.subarray(0, -1)), undefined)
})

test('faults of the device: what it does not get, says twice, says late, says wrongly, or only seems to do', async () => {
  const { device, wire, client, heard } = await bench()
  const tell = (payload: string): Promise<unknown> => client.publishAsync('set', payload, { qos: 1 })
  await tell('on')
  await until('it is heard', () => heard.length === 1)
  await wire.setFaults([
    { kind: 'stuck', times: 1 },
    { kind: 'drop', times: 1 },
  ])
  await tell('on')
  await until('it is heard', () => heard.length === 2)
  await tell('lost')
  await until('it is lost', () => wire.device.heard.length === 3)
  await wire.setFaults([{ kind: 'duplicate' }])
  await tell('twice')
  await until('it is heard', () => heard.length === 4)
  await wire.setFaults([{ kind: 'garbage', where: 'instead', bytes: '?' }])
  await tell('spoilt')
  await until('it is heard', () => heard.length === 5)
  await wire.setFaults([{ kind: 'late', ms: 60_000 }])
  await tell('late')
  await until('it is done', () => device.on === 'late')
  assert.deepEqual(heard, ['state on', 'state on', 'state twice', 'state twice', 'state ?'])
  // What is late is said when the fault is over.
  await wire.setFaults([])
  await until('it is heard', () => heard.length === 6)
  assert.deepEqual([device.had, heard.at(-1)], [4, 'state late'])
  assert.equal(wire.arrived.find(({ key }) => key === 'set lost')?.passed, false)
})

test('a device that is away has told so by its last will; one that reboots has lost its settings', async () => {
  const { device, wire, client, heard } = await bench()
  await client.publishAsync('set', 'on', { qos: 1 })
  await until('it is heard', () => heard.length === 1)
  await wire.setFaults([{ kind: 'offline' }])
  await until('it is heard', () => heard.length === 2)
  await client.publishAsync('set', 'unheard', { qos: 1 })
  await wire.setFaults([])
  await until('it is heard', () => heard.length === 4)
  assert.deepEqual(heard.splice(0), ['state on', 'there no', 'there yes', 'state on'])
  wire.device.reboot()
  await until('it is heard', () => heard.length === 3)
  assert.deepEqual([device.on, heard], ['off', ['there no', 'there yes', 'state off']])
  await assert.rejects(wire.device.setFaults([{ kind: 'terminator' }]), { code: 'INVALID_REQUEST' })
})
