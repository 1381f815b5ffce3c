import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { esphomeDevice } from './demo-devices.ts'
import type { EsphomeSpec } from './device.ts'
import { startSimulator } from './simulator.ts'
import { until } from './testing.ts'

async function makeBoard(t: TestContext, more: Partial<EsphomeSpec> = {}) {
  const simulator = await startSimulator({
    devices: [{ ...esphomeDevice(), ...more }],
    chamber: { noise: false },
  })
  t.after(() => simulator.close())
  const device = simulator.device('esphome-1')
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const reply = await fetch(device.address + path, { method, headers })
    return { status: reply.status, text: await reply.text() }
  }
  return { device, ask }
}

test('entities answer under their object id, detail on request', async (t) => {
  const { ask } = await makeBoard(t)
  assert.equal(
    (await ask('GET', '/switch/relay_1')).text,
    '{"id":"switch-relay_1","value":false,"state":"OFF"}',
  )
  assert.equal(
    (await ask('GET', '/sensor/outside_temperature')).text,
    '{"id":"sensor-outside_temperature","value":22.5,"state":"22.5 °C"}',
  )
  assert.equal(
    (await ask('GET', '/number/fan_speed')).text,
    '{"id":"number-fan_speed","value":"0","state":"0 %"}',
  )
  assert.equal(
    (await ask('GET', '/binary_sensor/pump_running')).text,
    '{"id":"binary_sensor-pump_running","value":false,"state":"OFF"}',
  )
  assert.match(
    (await ask('GET', '/number/fan_speed?detail=all')).text,
    /"min_value":0,"max_value":100,"step":1/,
  )
})

test('an action is answered at once with an empty body and carried out later', async (t) => {
  const { ask, device } = await makeBoard(t)
  assert.deepEqual(await ask('POST', '/switch/relay_2/turn_on'), { status: 200, text: '' })
  await until('the switch is on', () => JSON.stringify(device.state()['switches']).includes('"Relay 2":true'))
  assert.match((await ask('GET', '/binary_sensor/pump_running')).text, /"state":"ON"/)
  await ask('POST', '/switch/relay_2/toggle')
  await until('it is off', () => JSON.stringify(device.state()['switches']).includes('"Relay 2":false'))
})

test('a number out of range is ignored without a word, one without value is 409', async (t) => {
  const { ask, device } = await makeBoard(t)
  const fan = (): unknown => (device.state()['numbers'] as Record<string, number>)['Fan Speed']
  assert.equal((await ask('POST', '/number/fan_speed/set?value=101')).status, 200)
  assert.equal((await ask('POST', '/number/fan_speed/set?value=nonsense')).status, 200)
  assert.equal((await ask('POST', '/number/fan_speed/set?value=24')).status, 200)
  await until('the number is set', () => fan() === 24)
  assert.equal((await ask('POST', '/number/fan_speed/set')).status, 409)
})

test('unknown entities, methods and domains are 404', async (t) => {
  const { ask } = await makeBoard(t)
  for (const path of [
    '/switch/none',
    '/switch/Relay%201',
    '/light/relay_1',
    '/switch/relay_1/turn_on',
    '/%E0%A4%A',
  ]) {
    assert.equal((await ask('GET', path)).status, 404, path)
  }
  for (const path of [
    '/switch/relay_1/explode',
    '/switch/relay_1/constructor',
    '/sensor/outside_humidity/set',
  ]) {
    assert.equal((await ask('POST', path)).status, 404, path)
  }
})

test('newer firmware takes names: both forms in 2026.1, names only from 2026.8', async (t) => {
  const both = await makeBoard(t, { urlForm: 'both' })
  const wanted = '{"name_id":"switch/Relay 1","id":"switch-relay_1","value":false,"state":"OFF"}'
  assert.equal((await both.ask('GET', '/switch/relay_1')).text, wanted)
  assert.equal((await both.ask('GET', '/switch/Relay%201')).text, wanted)
  const named = await makeBoard(t, { urlForm: 'name' })
  assert.equal((await named.ask('GET', '/switch/relay_1')).status, 404)
  assert.equal(
    (await named.ask('GET', '/switch/Relay%201')).text,
    '{"id":"switch/Relay 1","value":false,"state":"OFF"}',
  )
})

test('basic authentication is asked for where it is set', async (t) => {
  const { ask } = await makeBoard(t, { auth: { user: 'lab', password: 'secret' } })
  assert.equal((await ask('GET', '/switch/relay_1')).status, 401)
  const authorization = `Basic ${Buffer.from('lab:secret').toString('base64')}`
  assert.equal((await ask('GET', '/switch/relay_1', { authorization })).status, 200)
  assert.equal((await ask('GET', '/switch/relay_1', { authorization: 'Basic eDp5' })).status, 401)
})

test('a missing sensor is NA, a reboot switches off', async (t) => {
  const { ask, device } = await makeBoard(t)
  await device.setFault({ kind: 'sensorMissing' })
  assert.equal(
    (await ask('GET', '/sensor/outside_humidity')).text,
    '{"id":"sensor-outside_humidity","value":null,"state":"NA"}',
  )
  await ask('POST', '/switch/relay_1/turn_on')
  await until('it is on', () => JSON.stringify(device.state()).includes('"Relay 1":true'))
  await device.setFault({ kind: 'reboot', seconds: 0.05 })
  assert.match(JSON.stringify(device.state()), /"Relay 1":false/)
  await until('it is back', () => device.state()['reachable'] === true)
})
