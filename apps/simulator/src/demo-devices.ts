import type { DeviceSpec, EsphomeSpec, RelayBoardSpec } from './device.ts'
import type { ChamberName } from './chamber.ts'

/** The board of a chamber: fans on channels 0 and 1, valves on 2 and 3, sensors inside. */
function chamberBoard(name: string, chamber: ChamberName): RelayBoardSpec {
  return {
    name,
    kind: 'esp32-relay',
    outputs: [`${chamber}.ventLeft`, `${chamber}.ventRight`, `${chamber}.valveLeft`, `${chamber}.valveRight`],
    sensors: {
      int_temp: `${chamber}.temperature`,
      int_hum: `${chamber}.humidity`,
      roots_temp: `${chamber}.rootsTemperature`,
    },
  }
}

/** The boards of clay_golem's plant-growth stand, wired as there, and the bench beside it. */
export function demoDevices(): DeviceSpec[] {
  const experiment = chamberBoard('relay-1', 'experiment')
  return [
    {
      ...experiment,
      sensors: { ...experiment.sensors, ext_temp: 'room.temperature', ext_hum: 'room.humidity' },
    },
    {
      name: 'relay-2',
      kind: 'esp32-relay',
      outputs: [null, null, 'experiment.gasPump', 'experiment.gasValve'],
    },
    chamberBoard('relay-3', 'control'),
    { name: 'relay-5', kind: 'esp32-relay' },
    { name: 'lamp-0', kind: 'pwm-lamp', lights: 'experiment' },
    { name: 'lamp-1', kind: 'pwm-lamp', lights: 'control' },
    { name: 'lamp-2', kind: 'pwm-lamp', macAddress: '7C:DF:A1:00:00:14' },
    { name: 'sba5', kind: 'sba5', probe: 'experiment.co2' },
    ...benchDevices(),
  ]
}

/** A supply with a meter across its first output, an oscilloscope, an oven, a stage and a weather station. */
function benchDevices(): DeviceSpec[] {
  return [
    { name: 'supply', kind: 'model', model: 'rigol-dp800' },
    {
      name: 'meter',
      kind: 'model',
      model: 'keysight-34461a',
      measures: {
        variable: 'measured',
        of: 'supply',
        value: 'voltage1',
        when: { output1: 'ON' },
        noise: 0.000_4,
      },
    },
    { name: 'scope', kind: 'model', model: 'rigol-ds1000z' },
    { name: 'oven', kind: 'modbus' },
    { name: 'stage', kind: 'grbl', line: 'tcp' },
    { name: 'weather', kind: 'stream', line: 'tcp', perSecond: 2, measures: true },
  ]
}

/** An ESPHome node beside the stand, as the older version of clay_golem had one. */
export function esphomeDevice(): EsphomeSpec {
  return {
    name: 'esphome-1',
    kind: 'esphome',
    switches: [{ name: 'Relay 1' }, { name: 'Relay 2' }],
    sensors: [
      { name: 'Outside Temperature', unit: '°C', probe: 'room.temperature' },
      { name: 'Outside Humidity', unit: '%', probe: 'room.humidity' },
    ],
    numbers: [{ name: 'Fan Speed', unit: '%', min: 0, max: 100, step: 1, initial: 0 }],
    binarySensors: [{ name: 'Pump Running', follows: 'Relay 2' }],
  }
}
