import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Clock, GolemError } from '@golem/core'
import { type Logger, pino } from 'pino'
import type { Firmware } from './board-reply.ts'
import { type ControlServer, startControl } from './control.ts'
import type { DeviceSpec, RunningDevice, SimulatedDevice } from './device.ts'
import { EsphomeBoard } from './esphome-board.ts'
import { GrblDevice } from './grbl-device.ts'
import { HttpBoard } from './http-board.ts'
import { ModbusDevice } from './modbus-device.ts'
import { ModelDevice } from './model-device.ts'
import { PwmLamp } from './pwm-lamp.ts'
import { seededRandom } from './random.ts'
import { RelayBoard } from './relay-board.ts'
import { Sba5Device } from './sba5-device.ts'
import { Stand, type StandOptions } from './stand.ts'
import { StreamDevice } from './stream-device.ts'

export interface SimulatorOptions {
  devices: readonly DeviceSpec[]
  /** Room, traits and beginning of the chambers. */
  chamber?: StandOptions
  /** Folder for serial ports; absent: a temporary one, removed at the end. */
  ptyDir?: string
  /** Port of the control server on 127.0.0.1; 0: a free one; absent: none. */
  controlPort?: number
  /**
   * How many times faster than life the chambers go (default 1). The devices' own clocks (uptime, warm-up,
   * reboots) stay real.
   */
  timeScale?: number
  /** Of the noise; the same seed gives the same noise for the same requests (default 1). */
  seed?: number
  /** Added to every answer, ms (default 0). */
  replyDelayMs?: number
  /** Monotonic time in ms (default: the process's). */
  clock?: Clock
  /** Default: none. */
  log?: Logger
}

export interface Simulator {
  /** By device name, as site.yaml takes them. */
  readonly addresses: Readonly<Record<string, string>>
  /** Address of the control server. */
  readonly control: string | null
  readonly stand: Stand
  /** @throws NOT_FOUND */
  device(name: string): SimulatedDevice
  devices(): SimulatedDevice[]
  close(): Promise<void>
}

/** An ESP32 has 7 sockets; the ESPHome server makes do with fewer, but is not known to drop the oldest. */
const ESP32_SOCKETS = 7
const ESPHOME_SOCKETS = 16

/**
 * Starts devices as real servers on 127.0.0.1 and pseudo terminals, with one stand behind them.
 *
 * @throws CONFIG_INVALID: two devices of one name, a port that is taken, socat missing
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const clock = options.clock ?? { now: () => performance.now() }
  const log = options.log ?? pino({ level: 'silent' })
  const stand = new Stand(clock, options.timeScale ?? 1, options.seed ?? 1, options.chamber)
  checkNames(options.devices)
  const ptyDir = preparePtyDir(options)
  const running = new Map<string, RunningDevice>()
  let control: ControlServer | null = null

  const close = async (): Promise<void> => {
    await Promise.all([control?.close(), ...[...running.values()].map((device) => device.close())])
    if (ptyDir.temporary) fs.rmSync(ptyDir.path, { recursive: true, force: true })
  }
  const device = (name: string): RunningDevice => {
    const found = running.get(name)
    if (found) return found
    throw new GolemError(
      'NOT_FOUND',
      `The simulator has no device "${name.slice(0, 60)}". It has: ${[...running.keys()].join(', ')}.`,
    )
  }
  // In the order of the specs, whatever order they came up in.
  const all = (): RunningDevice[] => options.devices.map(({ name }) => device(name))

  const parts: Parts = {
    stand,
    clock,
    log,
    ptyDir: ptyDir.path,
    replyDelayMs: options.replyDelayMs ?? 0,
    seed: options.seed ?? 1,
    stateOf: (name) => running.get(name)?.state(),
  }
  try {
    // All are waited for, so that none comes up after a failure has closed the others.
    const starts = await Promise.allSettled(options.devices.map((spec) => startDevice(spec, parts)))
    for (const start of starts) if (start.status === 'fulfilled') running.set(start.value.name, start.value)
    for (const start of starts) if (start.status === 'rejected') throw start.reason
    if (options.controlPort !== undefined) {
      control = await startControl({ port: options.controlPort, device, devices: all, stand, log })
    }
  } catch (error) {
    await close()
    throw error
  }

  return {
    addresses: Object.fromEntries(all().map(({ name, address }) => [name, address])),
    control: control?.address ?? null,
    stand,
    device,
    devices: all,
    close,
  }
}

interface Parts {
  stand: Stand
  clock: Clock
  log: Logger
  ptyDir: string
  replyDelayMs: number
  seed: number
  stateOf: (device: string) => Record<string, unknown> | undefined
}

function startDevice(spec: DeviceSpec, parts: Parts): Promise<RunningDevice> {
  const { stand, clock, log, replyDelayMs } = parts
  if (spec.kind === 'sba5') {
    return Sba5Device.start(spec, stand, clock, {
      path: path.join(parts.ptyDir, spec.name),
      replyDelayMs,
      log,
    })
  }
  if (spec.kind === 'modbus') {
    return ModbusDevice.start(spec, clock, { path: path.join(parts.ptyDir, spec.name), replyDelayMs, log })
  }
  if (spec.kind === 'grbl') {
    return GrblDevice.start(spec, clock, { path: path.join(parts.ptyDir, spec.name), replyDelayMs })
  }
  if (spec.kind === 'stream') {
    return StreamDevice.start(spec, stand, clock, { path: path.join(parts.ptyDir, spec.name) })
  }
  if (spec.kind === 'model') {
    const { seed, stateOf } = parts
    return ModelDevice.start(spec, { random: seededRandom(seed), replyDelayMs, stateOf })
  }
  return HttpBoard.start(firmwareOf(spec, stand, clock), {
    name: spec.name,
    kind: spec.kind,
    port: spec.port ?? 0,
    rebootSeconds: spec.rebootSeconds ?? 3,
    replyDelayMs,
    maxSockets: spec.kind === 'esphome' ? ESPHOME_SOCKETS : ESP32_SOCKETS,
    log,
  })
}

function firmwareOf(
  spec: Exclude<DeviceSpec, { kind: 'sba5' | 'modbus' | 'grbl' | 'stream' | 'model' }>,
  stand: Stand,
  clock: Clock,
): Firmware {
  switch (spec.kind) {
    case 'esp32-relay':
      return new RelayBoard(spec, stand, clock)
    case 'pwm-lamp':
      return new PwmLamp(spec, stand, clock)
    case 'esphome':
      return new EsphomeBoard(spec, stand, clock)
  }
}

function checkNames(devices: readonly DeviceSpec[]): void {
  const seen = new Set<string>()
  for (const { name } of devices) {
    if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) {
      throw new GolemError('CONFIG_INVALID', `"${name}" is no name for a device: use a-z, 0-9, - and _.`)
    }
    if (seen.has(name)) {
      throw new GolemError('CONFIG_INVALID', `Two simulated devices are called ${name}: rename one.`)
    }
    seen.add(name)
  }
}

/** The folder for serial ports; none is made when there is no serial device. */
function preparePtyDir({ ptyDir, devices }: SimulatorOptions): { path: string; temporary: boolean } {
  if (!devices.some(hasSerialPort)) return { path: '', temporary: false }
  if (ptyDir === undefined) {
    return { path: fs.mkdtempSync(path.join(os.tmpdir(), 'golem-simulator-')), temporary: true }
  }
  fs.mkdirSync(ptyDir, { recursive: true })
  return { path: path.resolve(ptyDir), temporary: false }
}

function hasSerialPort(spec: DeviceSpec): boolean {
  switch (spec.kind) {
    case 'sba5':
      return true
    case 'modbus':
      return spec.line === 'rtu'
    case 'grbl':
    case 'stream':
      return spec.line !== 'tcp'
    default:
      return false
  }
}
