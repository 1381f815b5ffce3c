import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ChamberDrive,
  type ChamberState,
  chamberLike,
  DEFAULT_ROOM,
  idleDrive,
  relativeHumidity,
  stepChamber,
} from './chamber.ts'

const LIT: ChamberDrive = { ...idleDrive(), lamp: [100, 100, 100, 100] }
const VENTED: ChamberDrive = { ...idleDrive(), fans: 2, valves: 2 }

function after(seconds: number, drive: ChamberDrive, start = chamberLike(DEFAULT_ROOM)): ChamberState {
  let state = start
  for (let step = 0; step < seconds; step += 1) state = stepChamber(state, drive, DEFAULT_ROOM, 1)
  return state
}

test('light lowers CO2 within a minute, and darkness raises it', () => {
  assert.ok(after(60, LIT).co2 < DEFAULT_ROOM.co2 - 20)
  assert.ok(after(60, idleDrive()).co2 > DEFAULT_ROOM.co2 + 3)
})

test('uptake saturates with light', () => {
  const taken = (duty: number): number =>
    DEFAULT_ROOM.co2 - after(60, { ...idleDrive(), lamp: [duty, duty, duty, duty] }).co2
  assert.ok(taken(50) - taken(0) > taken(100) - taken(50))
})

test('CO2 never becomes negative, however long the light is on', () => {
  assert.ok(after(20_000, LIT).co2 > 0)
})

test('venting brings CO2, temperature and humidity to those of the room', () => {
  const stale = { ...chamberLike(DEFAULT_ROOM), co2: 1500, temperature: 32, vapour: 25 }
  const aired = after(240, VENTED, stale)
  assert.ok(Math.abs(aired.co2 - DEFAULT_ROOM.co2) < 10, `CO2 ${aired.co2}`)
  assert.ok(Math.abs(aired.temperature - DEFAULT_ROOM.temperature) < 0.2)
  assert.ok(Math.abs(relativeHumidity(aired.vapour, aired.temperature) - DEFAULT_ROOM.humidity) < 5)
})

test('fans against shut valves, and open valves without fans, exchange much less air', () => {
  const stale = { ...chamberLike(DEFAULT_ROOM), co2: 1500 }
  const left = (drive: Partial<ChamberDrive>): number => after(60, { ...idleDrive(), ...drive }, stale).co2
  assert.ok(left({ fans: 2 }) > 1300)
  assert.ok(left({ valves: 2 }) > 1300)
  assert.ok(left({ fans: 2, valves: 2 }) < 600)
})

test('the gas valve raises CO2 with the pump, little without it, and the pump alone does nothing', () => {
  const reached = (drive: Partial<ChamberDrive>): number => after(30, { ...idleDrive(), ...drive }).co2
  const nothing = reached({})
  assert.ok(reached({ gasValve: true, gasPump: true }) > nothing + 150)
  assert.ok(reached({ gasValve: true }) > nothing + 5)
  assert.ok(reached({ gasValve: true }) < nothing + 30)
  assert.equal(reached({ gasPump: true }), nothing)
})

test('lamps warm the air at once and the roots slowly, and plants moisten it', () => {
  const lit = after(120, LIT)
  const dark = after(120, idleDrive())
  assert.ok(lit.temperature > dark.temperature + 1)
  assert.ok(lit.rootsTemperature > dark.rootsTemperature)
  assert.ok(lit.rootsTemperature - dark.rootsTemperature < (lit.temperature - dark.temperature) / 5)
  assert.ok(lit.vapour > dark.vapour + 0.3)
})

test('sensors follow with a lag', () => {
  const lit = after(60, LIT)
  assert.ok(lit.sensedTemperature > DEFAULT_ROOM.temperature)
  assert.ok(lit.sensedTemperature < lit.temperature)
})

test('one long step stays stable and ends where many short ones do', () => {
  const long = stepChamber({ ...chamberLike(DEFAULT_ROOM), co2: 3000 }, VENTED, DEFAULT_ROOM, 86_400)
  assert.ok(Math.abs(long.co2 - DEFAULT_ROOM.co2) < 10)
  assert.ok(Number.isFinite(long.temperature) && Number.isFinite(long.vapour))
})
