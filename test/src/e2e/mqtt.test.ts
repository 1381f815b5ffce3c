import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Listener, type Mosquitto, startMosquitto } from '../kit/mosquitto.ts'
import { eventually } from '../kit/eventually.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const USER = { user: 'golem', password: 'water-lily' }

let broker: Mosquitto
let stand: Stand
/** All that golem and the devices say, in their order. */
let heard: Listener
const closers: (() => unknown)[] = []
before(async () => {
  broker = await startMosquitto(USER)
  closers.push(() => broker.close())
  heard = await broker.listen('#')
  process.env['TEST_BROKER_PASSWORD'] = USER.password
  const auth = { user: USER.user, passwordEnv: 'TEST_BROKER_PASSWORD' }
  stand = await startStand({
    workers: 2,
    devices: [],
    instruments: () => [
      { id: 'plug', model: 'tasmota-plug', address: `${broker.url}/tasmota_1`, auth },
      { id: 'bulb', model: 'zigbee2mqtt-plug', address: `${broker.url}/zigbee2mqtt/Blue%20Lamp`, auth },
      { id: 'climate', model: 'zigbee2mqtt-climate', address: `${broker.url}/zigbee2mqtt/air`, auth },
      { id: 'board', model: 'esphome-mqtt', address: `${broker.url}/node-1`, auth },
    ],
    settled: false,
  })
  closers.push(() => stand.close())
  await eventually(() => heard.messages.some(({ topic }) => topic === 'cmnd/tasmota_1/STATE'), {
    what: 'golem listens',
  })
})
after(async () => {
  for (const close of closers.reverse()) await close()
})

const last = (topic: string): string | undefined =>
  heard.messages.findLast((message) => message.topic === topic)?.payload
const count = (topic: string, payload?: string): number =>
  heard.messages.filter((one) => one.topic === topic && (payload === undefined || one.payload === payload))
    .length
const comes = (topic: string, payload: string): Promise<unknown> =>
  eventually(() => last(topic) === payload, { what: `${topic} ${payload} is published` })

/** Answers the next command to a topic as the device would. */
async function answer(topic: string, payload: string, reply: readonly [string, string]): Promise<void> {
  const before = count(topic, payload)
  await eventually(() => count(topic, payload) > before, { what: `${topic} ${payload} is published` })
  await broker.publish(...reply)
}

test('a Tasmota plug: telemetry, a switch that is confirmed, one that is not, garbage, last will', async () => {
  await broker.publish('tele/tasmota_1/LWT', 'Online', { retain: true })
  await broker.publish('tele/tasmota_1/SENSOR', '{"ENERGY":{"Power":42.5,"Voltage":"231","Current":null}}')
  await broker.publish('tele/tasmota_1/STATE', '{"POWER":"OFF"}')
  const told = await stand.until(
    'plug',
    ({ readings }) => readings['relay']?.quality === 'good',
    'it is read',
  )
  assert.equal(told.readings['power']?.value, 42.5)
  assert.equal(told.readings['voltage']?.value, 231)
  assert.equal(told.readings['current']?.quality, 'bad')
  assert.equal(told.condition, 'degraded')

  const confirmed = answer('cmnd/tasmota_1/POWER', 'ON', ['stat/tasmota_1/POWER', 'ON'])
  const on = await stand.command('plug', { parameter: 'relay', value: true })
  await confirmed
  assert.equal(on.body.outcome, 'done', JSON.stringify(on.body))
  await stand.until('plug', ({ readings }) => readings['relay']?.value === true, 'it is on')

  const other = answer('cmnd/tasmota_1/POWER', 'OFF', ['stat/tasmota_1/POWER', 'ON'])
  const stuck = await stand.command('plug', { parameter: 'relay', value: false })
  await other
  assert.deepEqual([stuck.body.outcome, stuck.body.code], ['failed', 'READBACK_MISMATCH'])

  const silent = await stand.command('plug', { parameter: 'relay', value: false })
  assert.deepEqual([silent.body.outcome, silent.body.code], ['unknown', 'REPLY_TIMEOUT'])
  await broker.publish('tele/tasmota_1/STATE', '{"POWER":"OFF"}')
  const settled = await eventually(async () => (await stand.record(silent.body.id)).settled, {
    what: 'it is settled',
  })
  assert.equal(settled.effect, 'done')

  await broker.publish('tele/tasmota_1/SENSOR', '{"ENERGY":{"Power":"plenty","Voltage":230,"Current":0.1}}')
  const garbled = await stand.until(
    'plug',
    ({ readings }) => readings['current']?.value === 0.1,
    'it is read',
  )
  assert.equal(garbled.readings['power']?.quality, 'bad')
  assert.equal(garbled.readings['voltage']?.value, 230)
  await broker.publish('tele/tasmota_1/SENSOR', '}{garbage')
  await stand.until('plug', ({ readings }) => readings['voltage']?.quality === 'bad', 'garbage is no value')
  await broker.publish(
    'tele/tasmota_1/SENSOR',
    '{"ENERGY":{"Power":1,"Voltage":230,"Current":0.1,"Today":0.5}}',
  )
  await stand.until('plug', ({ condition }) => condition === 'ok', 'it is well')

  await broker.publish('tele/tasmota_1/LWT', 'Offline', { retain: true })
  const gone = await stand.until('plug', ({ condition }) => condition === 'lost', 'it is lost')
  assert.match(gone.message, /good-bye/)
  assert.equal(gone.readings['voltage']?.quality, 'stale')
  const published = count('cmnd/tasmota_1/POWER')
  const refused = await stand.command('plug', { parameter: 'relay', value: true })
  assert.deepEqual([refused.body.outcome, refused.body.code], ['refused', 'LINK_DOWN'])
  assert.equal(count('cmnd/tasmota_1/POWER'), published)
  await broker.publish('tele/tasmota_1/LWT', 'Online', { retain: true })
  await stand.until('plug', ({ condition }) => condition === 'ok', 'it is back')
})

test('a zigbee plug is written in JSON, by a topic with a space in it, and asked for its state', async () => {
  await eventually(() => count('zigbee2mqtt/Blue Lamp/get') > 0, { what: 'it is asked' })
  await broker.publish('zigbee2mqtt/Blue Lamp/availability', '{"state":"online"}', { retain: true })
  const topic = 'zigbee2mqtt/Blue Lamp'
  const confirmed = answer(`${topic}/set`, '{"state":"ON"}', [
    topic,
    '{"state":"ON","power":7,"voltage":230}',
  ])
  const { body } = await stand.command('bulb', { parameter: 'relay', value: true })
  await confirmed
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  await stand.until('bulb', ({ readings }) => readings['power']?.value === 7, 'its power is read')
})

test('a sensor that is heard is ok, and connecting before', async () => {
  const { condition, readings } = (await stand.state()).instruments['climate'] ?? {}
  assert.equal(condition, 'connecting')
  assert.equal(readings?.['temperature']?.value, null)
  await broker.publish(
    'zigbee2mqtt/air',
    '{"temperature":21.4,"humidity":48,"battery":null,"linkquality":120}',
  )
  await stand.until('climate', (state) => state.readings['temperature']?.value === 21.4, 'it is read')
  // Longer than three polls: it is good for as long as it may be silent.
  await sleep(2500)
  const later = (await stand.state()).instruments['climate']
  assert.equal(later?.readings['temperature']?.quality, 'good')
})

test('of an ESPHome board kept states count, kept measurements do not; a command for what it told is confirmed by its echo', async () => {
  await broker.publish('node-1/switch/relay/state', 'ON', { retain: true })
  await broker.publish('node-1/sensor/temperature/state', '30', { retain: true })
  await broker.publish('node-1/status', 'online', { retain: true })
  await stand.until('board', ({ readings }) => readings['relay']?.value === true, 'its relay is told')
  // It tells changes only: that it has had the command shows by what it always answers.
  const silent = await stand.command('board', { parameter: 'relay', value: true })
  assert.deepEqual([silent.body.outcome, silent.body.code], ['unknown', 'REPLY_TIMEOUT'])
  const answers = (async (): Promise<void> => {
    // One more than before: the answer that was not in time may be coming.
    for (let question = 0; question < 2; question += 1) {
      await answer('esphome/ping/node-1', '', ['esphome/discover/node-1', '{"name":"node-1"}'])
    }
  })()
  const again = await stand.command('board', { parameter: 'relay', value: true })
  await answers
  assert.equal(again.body.outcome, 'done', JSON.stringify(again.body))
  await broker.publish('node-1/sensor/temperature/state', '19.5')
  await broker.publish('node-1/sensor/humidity/state', 'nan')
  await stand.until(
    'board',
    ({ readings }) => readings['temperature']?.value === 19.5,
    'its temperature is told',
  )
  // A worker that starts anew finds only what the broker has kept.
  const owner = stand.workers.findIndex((worker) => worker.alive)
  for (const worker of stand.workers) await worker.kill('SIGKILL')
  await broker.publish('node-1/sensor/temperature/state', '35', { retain: true })
  assert.ok(owner >= 0)
  await stand.addWorker()
  const anew = await stand.until(
    'board',
    (state) => state.readings['relay']?.quality === 'good',
    'it is told',
    20_000,
  )
  assert.equal(anew.readings['relay']?.value, true)
  assert.notEqual(anew.readings['temperature']?.value, 35)
})

test('an emergency stop publishes the safe values to every device', async () => {
  const before = heard.messages.length
  await stand.api('/api/stop', { method: 'POST', body: { reason: 'smoke' } })
  await comes('cmnd/tasmota_1/POWER', 'OFF')
  await comes('zigbee2mqtt/Blue Lamp/set', '{"state":"OFF"}')
  await comes('node-1/switch/relay/command', 'OFF')
  const { status } = await stand.command('board', { parameter: 'relay', value: true })
  assert.equal(status, 423)
  const since = heard.messages.slice(before)
  assert.ok(!since.some(({ payload }) => payload === 'ON' || payload === '{"state":"ON"}'))
  await broker.publish('stat/tasmota_1/POWER', 'OFF')
  await broker.publish('zigbee2mqtt/Blue Lamp', '{"state":"OFF"}')
  await broker.publish('node-1/switch/relay/state', 'OFF', { retain: true })
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
})

test('a broker that is killed in the middle of a command: unknown, and not published again when it is back', async () => {
  await broker.publish('tele/tasmota_1/LWT', 'Online', { retain: true })
  await broker.publish('tele/tasmota_1/STATE', '{"POWER":"OFF"}')
  await stand.until('plug', ({ readings }) => readings['relay']?.value === false, 'it is off')
  broker.freeze()
  const command = stand.command('plug', { parameter: 'relay', value: true })
  await sleep(500)
  await broker.kill()
  const { body } = await command
  assert.deepEqual([body.outcome, body.code], ['unknown', 'LINK_LOST'], JSON.stringify(body))
  await stand.until('plug', ({ condition }) => condition === 'lost', 'it is lost')
  await broker.start()
  const again = await broker.listen('cmnd/tasmota_1/#')
  await eventually(() => again.messages.some(({ topic }) => topic.endsWith('STATE')), {
    what: 'golem is back',
    timeoutMs: 30_000,
  })
  await broker.publish('tele/tasmota_1/STATE', '{"POWER":"OFF"}')
  const settled = await eventually(async () => (await stand.record(body.id)).settled, {
    what: 'it is settled',
    timeoutMs: 20_000,
  })
  assert.equal(settled.effect, 'none')
  assert.deepEqual(
    again.messages.filter(({ topic }) => topic.endsWith('POWER')),
    [],
  )
})
