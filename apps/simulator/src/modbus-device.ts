import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, messageOf } from '@golem/core'
import type { Logger } from 'pino'
import { DeviceBase } from './device-base.ts'
import type { ModbusSpec, RunningDevice } from './device.ts'
import { acts, type Fault, type FaultKind } from './faults.ts'
import { listenOn127 } from './listen.ts'
import { ModbusController } from './modbus-controller.ts'
import { modbusBytes, type ModbusFrame, type ModbusLine, ModbusReader } from './modbus-frames.ts'
import { Pty } from './pty.ts'

export interface ModbusDeviceOptions {
  /** Where its serial port is to appear. */
  path: string
  replyDelayMs: number
  log: Logger
}

const BAUD_RATE = 19_200
const LATE_MS = 1500
const DEVICE_FAILURE = 4
const GARBAGE = Buffer.from('M 5o8\u0007~5 ##### \u0001\u007f,,-', 'latin1')
const UNFITTING: readonly FaultKind[] = ['http500']

/** Sends bytes to whoever asked; `end` closes the connection, where there is one. */
interface Asker {
  send: (bytes: Buffer) => void
  end: () => void
}

/** Modbus units behind one TCP port, or on one serial line, and what can go wrong with them. */
export class ModbusDevice extends DeviceBase implements RunningDevice {
  readonly kind = 'modbus'
  readonly #spec: ModbusSpec
  readonly #line: ModbusLine
  readonly #options: ModbusDeviceOptions
  readonly #units: ReadonlyMap<number, ModbusController>
  readonly #sockets = new Set<net.Socket>()
  #server: net.Server | null = null
  #pty: Pty | null = null
  #port: number
  #clientFaults = 0
  /** Requests that came before the one before had been answered: no master may do that on a line. */
  #overlaps = 0
  #serving = 0
  #turn: Promise<void> = Promise.resolve()
  #settling: Promise<void> = Promise.resolve()

  private constructor(spec: ModbusSpec, clock: Clock, options: ModbusDeviceOptions) {
    super(spec.name, { what: 'a Modbus device', fits: (kind) => !UNFITTING.includes(kind), rebootSeconds: 3 })
    this.#spec = spec
    this.#line = spec.line ?? 'tcp'
    this.#options = options
    this.#port = spec.port ?? 0
    const units = spec.units ?? [1]
    this.#units = new Map(units.map((unit) => [unit, new ModbusController(clock, spec.ambient)]))
  }

  /** Starts one. @throws CONFIG_INVALID when its port is taken, or socat is missing */
  static async start(spec: ModbusSpec, clock: Clock, options: ModbusDeviceOptions): Promise<ModbusDevice> {
    const device = new ModbusDevice(spec, clock, options)
    await device.settle()
    return device
  }

  /** Of the first unit. */
  get address(): string {
    const [unit = 1] = this.#units.keys()
    return this.addressOf(unit)
  }

  /** As site.yaml takes it. */
  addressOf(unit: number): string {
    if (this.#line === 'tcp') return `modbus-tcp://127.0.0.1:${this.#port}/${unit}`
    if (this.#line === 'rtu-tcp') return `modbus-rtu://127.0.0.1:${this.#port}/${unit}`
    const path = this.#options.path.split('/').map(encodeURIComponent).join('/')
    return `modbus-rtu:${path}?unit=${unit}&baud=${BAUD_RATE}`
  }

  override resetCounters(): void {
    super.resetCounters()
    this.#clientFaults = 0
    this.#overlaps = 0
  }

  override async setFault(fault: Fault | null): Promise<void> {
    await super.setFault(fault)
    for (const unit of this.#units.values()) unit.fit(fault?.kind !== 'sensorMissing')
  }

  state(): Record<string, unknown> {
    return {
      units: Object.fromEntries([...this.#units].map(([unit, controller]) => [unit, controller.state()])),
      reachable: this.#server !== null || this.#pty !== null,
      plugged: this.isPlugged,
      connections: this.#sockets.size,
      clientFaults: this.#clientFaults,
      overlaps: this.#overlaps,
    }
  }

  override async unplug(): Promise<void> {
    this.life += 1
    await super.unplug()
  }

  /** The units are without power for a while; the line itself stays. */
  protected override powerOff(): void {}

  protected override powerOn(): void {
    for (const unit of this.#units.values()) unit.boot()
    this.settle().catch((error: unknown) => {
      this.#options.log.error({ device: this.name }, `could not come back: ${messageOf(error)}`)
    })
  }

  /** Makes or removes the port, as it now should be. Steps follow each other. */
  protected override settle(): Promise<void> {
    const step = this.#settling.then(async () => {
      const away = this.isRebooting && this.#line === 'tcp'
      const wanted = this.isReachable && !away
      if (this.#line === 'rtu') return wanted ? this.#plugIn() : this.#pullOut()
      return wanted ? this.#listen() : this.#shut()
    })
    // One that failed is told to its caller; the next one tries again.
    this.#settling = step.catch(() => undefined)
    return step
  }

  async #plugIn(): Promise<void> {
    if (this.#pty) return
    const reader = new ModbusReader(this.#line)
    const pty: Pty = await Pty.open(this.#options.path, (bytes) => {
      if (this.#spec.echo) pty.write(bytes)
      this.#receive(reader, bytes, { send: (answer) => pty.write(answer), end: () => undefined })
    })
    this.#pty = pty
  }

  async #pullOut(): Promise<void> {
    const pty = this.#pty
    this.#pty = null
    await pty?.close()
  }

  async #listen(): Promise<void> {
    if (this.#server) return
    const { server, port } = await listenOn127(this.name, this.#port, () =>
      net.createServer({ noDelay: true }, (socket) => this.#accept(socket)),
    )
    this.#server = server
    this.#port = port
  }

  async #shut(): Promise<void> {
    const server = this.#server
    this.#server = null
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  #accept(socket: net.Socket): void {
    const reader = new ModbusReader(this.#line)
    const asker: Asker = {
      send: (bytes) => void (socket.writable && socket.write(bytes)),
      end: () => socket.destroy(),
    }
    this.#sockets.add(socket)
    // The one who asked has gone: nothing is to be told to anybody.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      if (this.#spec.echo) asker.send(bytes)
      this.#receive(reader, bytes, asker)
    })
  }

  #receive(reader: ModbusReader, bytes: Buffer, asker: Asker): void {
    const { frames, faulty } = reader.push(bytes)
    if (faulty) this.#clientFaults += 1
    for (const frame of frames) {
      if (this.#serving > 0) this.#overlaps += 1
      this.#serving += 1
      const life = this.life
      this.#turn = this.#turn
        .then(() => (life === this.life ? this.#serve(frame, asker, life) : undefined))
        .catch((error: unknown) => {
          this.#options.log.error({ device: this.name }, `not answered: ${messageOf(error)}`)
        })
        .finally(() => {
          this.#serving -= 1
        })
    }
  }

  async #serve(frame: ModbusFrame, asker: Asker, life: number): Promise<void> {
    const { unit, pdu } = frame
    const entry = this.log.add({
      method: String(pdu[0] ?? 0),
      path: `/${unit}/${pdu.length >= 3 ? pdu.readUInt16BE(1) : ''}`,
      body: pdu.subarray(3).toString('hex'),
    })
    if (this.isRebooting) return
    if (unit === 0 && this.#line !== 'tcp') {
      for (const each of this.#units.values()) entry.acted = this.#carryOut(each, pdu, null).acted
      return
    }
    const controller = this.#units.get(unit)
    if (!controller) return
    const fault = this.faults.take(entry)
    if (fault) entry.fault = fault.kind
    const { answer, acted } = this.#carryOut(controller, pdu, fault)
    entry.acted = acted
    await this.#answer({ ...frame, pdu: answer }, fault, asker, life)
  }

  #carryOut(unit: ModbusController, pdu: Buffer, fault: Fault | null): { answer: Buffer; acted: boolean } {
    const exception = (code: number) => ({ answer: Buffer.of((pdu[0] ?? 0) | 0x80, code), acted: false })
    if (fault?.kind === 'exception') return exception(fault.value ?? DEVICE_FAILURE)
    const answer = unit.execute(pdu, acts(fault))
    return typeof answer === 'number' ? exception(answer) : { answer: answer.pdu, acted: answer.acted }
  }

  async #answer(frame: ModbusFrame, fault: Fault | null, asker: Asker, life: number): Promise<void> {
    if (fault?.kind === 'silence') return
    const { replyDelayMs } = this.#options
    const lateMs =
      fault?.kind === 'delay' ? (fault.ms ?? 1000) : fault?.kind === 'late' ? (fault.ms ?? LATE_MS) : 0
    const waitMs = replyDelayMs + (this.#spec.answerMs ?? 0)
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false })
    const send = (): void => {
      if (life !== this.life) return
      asker.send(spoil(modbusBytes(this.#line, frame), frame, this.#line, fault))
      if (fault?.kind === 'cut' && this.#line !== 'rtu') asker.end()
    }
    // A unit that is late with one answer takes other requests meanwhile, as the others on its line do.
    if (lateMs > 0) setTimeout(send, lateMs).unref()
    else send()
  }
}

/** An answer as it goes out, with what the fault makes of it. */
function spoil(bytes: Buffer, frame: ModbusFrame, line: ModbusLine, fault: Fault | null): Buffer {
  switch (fault?.kind) {
    case 'garbage':
      return GARBAGE
    case 'cut':
      return bytes.subarray(0, Math.floor(bytes.length / 2))
    case 'duplicate':
      return Buffer.concat([bytes, bytes])
    case 'hugeReply':
      return Buffer.alloc(fault.bytes ?? 1_200_000, 0x55)
    case 'wrongUnit':
      return modbusBytes(line, { ...frame, unit: frame.unit + 1 })
    case 'wrongValue':
      return modbusBytes(line, { ...frame, pdu: misread(frame.pdu, fault.value ?? 999) })
    default:
      return bytes
  }
}

/** Another first word in what is read, another last word in the acknowledgement of a write. */
function misread(pdu: Buffer, value: number): Buffer {
  const wrong = Buffer.from(pdu)
  const code = wrong[0] ?? 0
  if (code === 3 || code === 4) wrong.writeUInt16BE(value & 0xffff, 2)
  else if (code === 5 || code === 6 || code > 14) wrong.writeUInt16BE(value & 0xffff, wrong.length - 2)
  return wrong
}
