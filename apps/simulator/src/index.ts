export type { ChamberName } from './chamber.ts'
export { demoDevices, esphomeDevice } from './demo-devices.ts'
export type {
  DeviceKind,
  DeviceSpec,
  EsphomeSpec,
  ModbusSpec,
  PwmLampSpec,
  RelayBoardSpec,
  Sba5Spec,
  SimulatedDevice,
} from './device.ts'
export { type Fault, FAULT_KINDS, type FaultKind } from './faults.ts'
export type { RequestEntry } from './request-log.ts'
export { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export type { Actuator, Probe, Stand, StandOptions } from './stand.ts'
export * from './wire/index.ts'
