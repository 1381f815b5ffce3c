import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, type HttpDriver, type HttpReply } from '@golem/core'
import { scriptedHttp } from '@golem/transports/testing'
import { esphome } from './esphome.ts'

const create = (...entities: Record<string, unknown>[]): HttpDriver =>
  esphome.create({ entities }) as HttpDriver

const PUMP = { parameter: 'pump', domain: 'switch', name: 'Air Pump' }
const HEAT = {
  parameter: 'heat',
  domain: 'number',
  name: 'Heat',
  unit: '%',
  min: 0,
  max: 100,
  step: 1,
  safe: 0,
}
const TEMPERATURE = { parameter: 'temperature', domain: 'sensor', name: 'Außen Temp', unit: '°C' }
const DOOR = { parameter: 'door', domain: 'binary_sensor', name: 'Door' }

const NOT_FOUND: HttpReply = { status: 404, text: '' }
const pump = (on: boolean): string =>
  `{"id":"switch-air_pump","name_id":"switch/Air Pump","value":${on},"state":"${on ? 'ON' : 'OFF'}"}`
const heat = (value: string): string => JSON.stringify({ id: 'number-heat', value, state: `${value} %` })

test('only what is due is asked for, by name', async () => {
  const driver = create(PUMP, HEAT, TEMPERATURE, DOOR)
  const io = scriptedHttp([
    ['GET', '/switch/Air%20Pump', null, pump(true)],
    ['GET', '/number/Heat', null, heat('24')],
    ['GET', '/sensor/Au%C3%9Fen%20Temp', null, '{"id":"sensor/Außen Temp","value":19.8,"state":"19.8 °C"}'],
  ])
  const due = new Set(['pump', 'heat', 'temperature'])
  assert.deepEqual(await driver.readAll(io, due), { pump: true, heat: 24, temperature: 19.8 })
  io.done()
})

test('a board that knows object ids only is found by them, and then asked in that form at once', async () => {
  const driver = create(PUMP, TEMPERATURE)
  const io = scriptedHttp([
    ['GET', '/switch/Air%20Pump', null, NOT_FOUND],
    ['GET', '/switch/air_pump', null, '{"id":"switch-air_pump","value":false,"state":"OFF"}'],
    ['GET', '/sensor/au_en_temp', null, '{"id":"sensor-au_en_temp","value":1,"state":"1 °C"}'],
    ['POST', '/switch/air_pump/turn_on', null, ''],
    ['GET', '/switch/air_pump', null, '{"id":"switch-air_pump","value":true,"state":"ON"}'],
    // After an update of its firmware it knows names only.
    ['GET', '/switch/air_pump', null, NOT_FOUND],
    ['GET', '/switch/Air%20Pump', null, '{"id":"switch/Air Pump","value":true,"state":"ON"}'],
    ['POST', '/switch/Air%20Pump/turn_off', null, ''],
    ['GET', '/switch/Air%20Pump', null, '{"id":"switch/board/Air Pump","value":false,"state":"OFF"}'],
  ])
  await driver.identify(io)
  assert.deepEqual(await driver.readAll(io, new Set(['temperature'])), { temperature: 1 })
  await driver.parameters['pump']?.write?.(io, true)
  assert.deepEqual(await driver.readAll(io, new Set(['pump'])), { pump: true })
  await driver.parameters['pump']?.write?.(io, false)
  io.done()
})

test('an entity the board does not have is a fault of that parameter, and WRONG_INSTRUMENT when identified', async () => {
  const driver = create({ ...PUMP, name: 'pump' }, DOOR)
  const none = scriptedHttp([['GET', '/switch/pump', null, NOT_FOUND]])
  await assert.rejects(driver.identify(none), { code: 'WRONG_INSTRUMENT', message: /no switch "pump"/ })
  const io = scriptedHttp([
    ['GET', '/switch/pump', null, NOT_FOUND],
    ['GET', '/binary_sensor/Door', null, '{"id":"binary_sensor-door","value":true,"state":"ON"}'],
  ])
  const readings = await driver.readAll(io, new Set(['pump', 'door']))
  assert.equal(readings['door'], true)
  assert.equal(typeof readings['pump'], 'object')
})

test('no value is a fault in all its spellings; an answer about another entity is REPLY_MALFORMED', async () => {
  const driver = create(TEMPERATURE, HEAT)
  for (const value of ['null', '"NaN"', '"\\"NaN\\""', '"NA"']) {
    const text = `{"id":"number-heat","value":${value},"state":"NA"}`
    const readings = await driver.readAll(
      scriptedHttp([['GET', '/number/Heat', null, text]]),
      new Set(['heat']),
    )
    assert.equal(typeof readings['heat'], 'object', value)
  }
  for (const text of [heat('warm'), '{"id":"number-other","value":"1"}', '{"value":"1"}', '<html>', '[]']) {
    const read = driver.readAll(scriptedHttp([['GET', '/number/Heat', null, text]]), new Set(['heat']))
    await assert.rejects(read, { code: 'REPLY_MALFORMED' }, text)
  }
})

test('a switch is written with an empty POST and read until it agrees', async () => {
  const driver = create(PUMP)
  const io = scriptedHttp([
    ['POST', '/switch/Air%20Pump/turn_on', null, ''],
    ['GET', '/switch/Air%20Pump', null, pump(false)],
    ['GET', '/switch/Air%20Pump', null, pump(false)],
    ['GET', '/switch/Air%20Pump', null, pump(true)],
  ])
  await driver.parameters['pump']?.write?.(io, true)
  io.done()
  assert.equal(io.sleptMs(), 200)
})

test('a switch that never agrees, and a number out of the range of the board, are READBACK_MISMATCH after 1 s', async () => {
  const driver = create(PUMP, HEAT)
  const stuck = scriptedHttp([
    ['POST', '/switch/Air%20Pump/turn_off', null, ''],
    ...Array.from({ length: 10 }, () => ['GET', '/switch/Air%20Pump', null, pump(true)] as const),
  ])
  await assert.rejects(async () => driver.parameters['pump']?.write?.(stuck, false), {
    code: 'READBACK_MISMATCH',
  })
  stuck.done()
  assert.equal(stuck.sleptMs(), 900)
  const ignored = scriptedHttp([
    ['POST', '/number/Heat/set?value=90', null, ''],
    ...Array.from({ length: 10 }, () => ['GET', '/number/Heat', null, heat('24')] as const),
  ])
  await assert.rejects(async () => driver.parameters['heat']?.write?.(ignored, 90), {
    code: 'READBACK_MISMATCH',
    message: /still shows 24.*own limits/,
  })
  ignored.done()
})

test('a refused POST is INSTRUMENT_REFUSED, an unheard-of status REPLY_MALFORMED, a wrong password LINK_DOWN', async () => {
  const driver = create({ ...PUMP, name: 'pump' })
  for (const [status, wanted] of [
    [404, 'INSTRUMENT_REFUSED'],
    [405, 'INSTRUMENT_REFUSED'],
    [409, 'INSTRUMENT_REFUSED'],
    [500, 'REPLY_MALFORMED'],
    [401, 'LINK_DOWN'],
  ] as const) {
    const io = scriptedHttp([['POST', '/switch/pump/turn_on', null, { status, text: '' }]])
    await assert.rejects(async () => driver.parameters['pump']?.write?.(io, true), { code: wanted })
  }
  const locked = scriptedHttp([['GET', '/switch/pump', null, { status: 401, text: '' }]])
  await assert.rejects(driver.identify(locked), { code: 'LINK_DOWN', message: /user and password.*"auth"/ })
})

test('a button is an action', async () => {
  const driver = create({ parameter: 'restart', domain: 'button', name: 'Restart' })
  const io = scriptedHttp([['POST', '/button/Restart/press', null, '']])
  assert.deepEqual(driver.parameters, {})
  await driver.actions['restart']?.run(io, {})
  io.done()
})

test('a switch is safe when off unless the site says otherwise; a number only if the site says so', () => {
  assert.equal(create(PUMP).parameters['pump']?.safe, false)
  assert.equal(create({ ...PUMP, safe: true }).parameters['pump']?.safe, true)
  assert.equal(create(HEAT).parameters['heat']?.safe, 0)
})

test('entities that make no sense are CONFIG_INVALID', () => {
  for (const entities of [
    [PUMP, PUMP],
    [{ ...PUMP, safe: 0 }],
    [{ ...HEAT, safe: true }],
    [{ ...HEAT, safe: 200 }],
    [{ ...HEAT, min: 200 }],
    [{ ...DOOR, safe: true }],
    [{ ...TEMPERATURE, min: 0 }],
  ]) {
    assert.throws(
      () => create(...entities),
      (error) => error instanceof GolemError && error.code === 'CONFIG_INVALID',
      JSON.stringify(entities),
    )
  }
})
