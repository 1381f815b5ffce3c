export {
  answererEnd,
  type DeviceEnd,
  type DeviceLine,
  type DeviceSession,
  type PlayedInstrument,
  playedEnd,
  tcpEnd,
} from './device-end.ts'
export { type GrblEnd, grblEnd } from './grbl-end.ts'
export { modbusAnswerWith, modbusEnd, type ModbusUnit } from './modbus-end.ts'
export { WIRE_FAULT_KINDS, type WireFault, type WireFaultKind } from './faults.ts'
export { attachStream, listenOn, type NearSide, serveHid, serveSerial, serveUsbtmc } from './near-ends.ts'
export {
  grblRequests,
  httpRequests,
  lineRequests,
  modbusRtuRequests,
  modbusTcpRequests,
  pieceRequests,
  reportRequests,
  type Requests,
} from './requests.ts'
export { type Sba5End, sba5End } from './sba5-end.ts'
export { type Arrived, type FarEnd, FaultyWire, type NearEnd, type WireOptions } from './wire.ts'
