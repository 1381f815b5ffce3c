import type { Fault } from './faults.ts'
import type { GrblSettings } from './grbl-controller.ts'
import type { RequestEntry } from './request-log.ts'
import type { Actuator, Probe } from './stand.ts'
import type { ChamberName } from './chamber.ts'

export type DeviceKind =
  'esp32-relay' | 'pwm-lamp' | 'sba5' | 'esphome' | 'modbus' | 'grbl' | 'stream' | 'model'

interface DeviceBase {
  /** a-z, 0-9 and -. */
  name: string
}

interface BoardBase extends DeviceBase {
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number
  /** How long the board is away when it reboots, s (default 3). */
  rebootSeconds?: number
}

/** Sensors of a relay board by their key in `/info`. */
export type RelaySensor = 'roots_temp' | 'ext_temp' | 'ext_hum' | 'int_temp' | 'int_hum'

export interface RelayBoardSpec extends BoardBase {
  kind: 'esp32-relay'
  /** What hangs on each of the four relays; null: nothing. */
  outputs?: readonly (Actuator | null)[]
  /** What each sensor measures; one that is absent is not fitted and reads -255. */
  sensors?: Partial<Record<RelaySensor, Probe>>
  /** How long a round of all sensors takes, s (default 3.3). */
  sensorCycleSeconds?: number
}

export interface PwmLampSpec extends BoardBase {
  kind: 'pwm-lamp'
  /** The chamber it lights; absent: none. */
  lights?: ChamberName
  /** How long the temperature conversion inside `/info` takes, ms (real 800; default 40). */
  infoDelayMs?: number
  /** Newest firmware: `/info` tells the MAC address. */
  macAddress?: string
}

export interface Sba5Spec extends DeviceBase {
  kind: 'sba5'
  /** Where it sucks its air from (default `experiment.co2`). */
  probe?: Probe
  /** How long it warms up after power-on, s (default 4, a real one takes minutes). */
  warmUpSeconds?: number
  /** Length of a short zero, s (default 3, a real one takes 21); the others in proportion. */
  zeroSeconds?: number
  /** Length of a minute of the zero timer, s (default 60). */
  minuteSeconds?: number
  /** Sends measurements by itself from power-on, as after `@` (default false). */
  continuous?: boolean
  /** Single-character commands are echoed as a line of their own (not settled for real ones; default false). */
  echoSingle?: boolean
}

export interface EsphomeSpec extends BoardBase {
  kind: 'esphome'
  /**
   * object-id: firmware to 2025.12; both: 2026.1; name: from 2026.8 (default object-id).
   */
  urlForm?: 'object-id' | 'both' | 'name'
  auth?: { user: string; password: string }
  switches?: readonly { name: string; output?: Actuator }[]
  sensors?: readonly { name: string; unit: string; probe: Probe; decimals?: number }[]
  numbers?: readonly {
    name: string
    unit?: string
    min: number
    max: number
    step: number
    initial: number
  }[]
  /** ON while the switch of that name is on. */
  binarySensors?: readonly { name: string; follows: string }[]
  /** How often its event stream shows that it is alive, s (default 10). */
  pingSeconds?: number
}

/** Temperature controllers that speak Modbus. */
export interface ModbusSpec extends DeviceBase {
  kind: 'modbus'
  /** Modbus TCP, RTU on a serial port, or RTU on TCP as serial servers have it (default tcp). */
  line?: 'tcp' | 'rtu' | 'rtu-tcp'
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number
  /** The units on the line (default 1 alone); others do not answer. */
  units?: readonly number[]
  /** What the ovens cool down to, °C (default 21). */
  ambient?: number
  /** How long a unit takes for an answer, ms (default 0). */
  answerMs?: number
  /** Who sends hears himself, as with some RS-485 adapters (default false). */
  echo?: boolean
}

/** A stage of three axes with Grbl 1.1. */
export interface GrblSpec extends DeviceBase, GrblSettings {
  kind: 'grbl'
  /** default serial */
  line?: 'serial' | 'tcp'
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number
  /** Each so many-th status query goes unanswered, as real ones do it at times (default: none). */
  dropStatusEvery?: number
  /** It boots each time its port is plugged in, as an Arduino does when it is opened (default false). */
  resetOnPlug?: boolean
}

/**
 * A weather station that talks by itself (NMEA 0183). Its temperature is the number of the line, in tenths, so that it
 * can be told whether one is missing.
 */
export interface StreamSpec extends DeviceBase {
  kind: 'stream'
  /** default serial */
  line?: 'serial' | 'tcp'
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number
  /** Lines per second (default 1). */
  perSecond?: number
  /** It measures the air around the stand instead, and the wind (default false). */
  measures?: boolean
}

/** An instrument on TCP that is played by the `simulation:` of a YAML model that golem ships. */
export interface ModelSpec extends DeviceBase {
  kind: 'model'
  /** The model, e.g. `rigol-dp800`. */
  model: string
  /** TCP port on 127.0.0.1; 0 or absent: a free one. */
  port?: number
  /** What it measures at another device. */
  measures?: {
    /** The variable of its own simulation that follows. */
    variable: string
    /** The other device, and the entry of its `state()`. */
    of: string
    value: string
    /** Only while these entries of its `state()` are so; otherwise 0. */
    when?: Readonly<Record<string, string | number | boolean>>
    /** Standard deviation of the noise. */
    noise: number
  }
}

export type DeviceSpec =
  RelayBoardSpec | PwmLampSpec | Sba5Spec | EsphomeSpec | ModbusSpec | GrblSpec | StreamSpec | ModelSpec

/** What tests, the control server and people see of a simulated device. */
export interface SimulatedDevice {
  readonly name: string
  readonly kind: DeviceKind
  /** As site.yaml takes it: `http://127.0.0.1:port` or `serial:/path?baud=19200`. */
  readonly address: string
  /** Modbus: the address of a unit; `address` is the first one's. */
  addressOf?(unit: number): string
  /** Requests received, by `METHOD /path` or, on a serial line, by the command's letter. */
  counters(): Record<string, number>
  /** The last requests with their content, oldest first. */
  requests(): RequestEntry[]
  resetCounters(): void
  /**
   * Makes it misbehave from now on; null: it behaves again. Resolves when it is in force, e.g. when the
   * port really refuses.
   *
   * @throws INVALID_REQUEST when the fault does not fit this kind of device
   */
  setFault(fault: Fault | null): Promise<void>
  fault(): Fault | null
  /** What is really so inside: outputs, uptime, settings. JSON. */
  state(): Record<string, unknown>
  /** A board loses its power, a serial port vanishes (the analyser keeps its own power). */
  unplug(): Promise<void>
  /** Power or port are back, under the same address. */
  replug(): Promise<void>
}

/** A device together with what only the simulator itself may do with it. */
export interface RunningDevice extends SimulatedDevice {
  close(): Promise<void>
}
