export {
  type ChamberDrive,
  type ChamberName,
  chamberLike,
  DEFAULT_ROOM,
  idleDrive,
  stepChamber,
} from './chamber.ts'
export { demoDevices, esphomeDevice } from './demo-devices.ts'
export type {
  DeviceKind,
  DeviceSpec,
  EsphomeSpec,
  GrblSpec,
  ModbusSpec,
  ModelSpec,
  PwmLampSpec,
  RelayBoardSpec,
  Sba5Spec,
  SimulatedDevice,
  StreamSpec,
} from './device.ts'
export { type Fault, FAULT_KINDS, type FaultKind } from './faults.ts'
export { type SimulatedBroker, startBroker } from './mqtt/broker.ts'
export { MqttDevice, type PlayedMqttDevice, type Saying } from './mqtt/device.ts'
export { BrokerWire } from './mqtt/wire.ts'
export type { RequestEntry } from './request-log.ts'
export { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export type { Actuator, Probe, Stand, StandOptions } from './stand.ts'
export type { ModbusLine } from './modbus-frames.ts'
export { Tc420Controller } from './tc420-controller.ts'
export { Tc420Device, type Tc420Fault } from './tc420-device.ts'
export { UsbtmcInstrument, type UsbtmcFault, type UsbtmcOptions } from './usbtmc-instrument.ts'
export { USB_DRIVERS } from './usb-shim.ts'
export * from './wire/index.ts'
