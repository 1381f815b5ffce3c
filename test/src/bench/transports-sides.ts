import {
  type Driver,
  type HidIo,
  type HttpIo,
  type LineIo,
  type ModbusIo,
  type MqttIo,
  parseAddress,
} from '@golem/core'
import { openLink } from '@golem/transports'
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connect as connectMqtt } from 'mqtt'
import { SerialPort } from 'serialport'

const run = promisify(execFile)

/** One who asks an instrument, one question after the other. */
export interface Side {
  /**
   * Asks so often, or until the time is over.
   *
   * @returns how long each exchange took, in ms
   * @throws when an answer belongs to another question
   */
  run: (count: number, forMs: number) => Promise<number[]>
  close: () => Promise<void>
}

/** @param exchange - asks the question of this number, and gives the number of the answer */
function sideOf(exchange: (n: number) => Promise<number>, close: () => Promise<void> | void): Side {
  let asked = 0
  return {
    run: async (count, forMs) => {
      const took: number[] = []
      const until = performance.now() + forMs
      while (took.length < count && performance.now() < until) {
        asked = (asked + 1) % 60_000
        const begun = performance.now()
        const got = await exchange(asked)
        took.push(performance.now() - begun)
        if (got !== asked) throw new Error(`Question ${asked} got answer ${got}.`)
      }
      return took
    },
    close: async () => close(),
  }
}

const DRIVER = {
  parameters: {},
  actions: {},
  identify: async () => undefined,
  readAll: async () => ({}),
}
const DRIVERS = {
  line: {
    ...DRIVER,
    transport: 'line',
    link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 2000, quietMs: 10 },
  },
  http: { ...DRIVER, transport: 'http', link: { connectTimeoutMs: 2000, replyTimeoutMs: 2000 } },
  modbus: { ...DRIVER, transport: 'modbus', link: { replyTimeoutMs: 2000, gapMs: 0 } },
  mqtt: {
    ...DRIVER,
    transport: 'mqtt',
    link: { replyTimeoutMs: 2000 },
    subscriptions: ['state'],
    onMessage: () => undefined,
  },
  hid: { ...DRIVER, transport: 'hid', link: { reportBytes: 64, replyTimeoutMs: 2000 } },
} as const satisfies Record<string, Driver>

/** One exchange by the driver's io, as the number of its answer. */
const EXCHANGES: Readonly<Record<keyof typeof DRIVERS, (io: never, n: number) => Promise<number>>> = {
  line: async (io: LineIo, n) => Number(await io.ask(`ECHO? ${n}`)),
  http: async (io: HttpIo, n) => Number((await io.get(`/${n}`)).text),
  modbus: async (io: ModbusIo, n) => (await io.readHoldingRegisters(n, 1))[0] ?? NaN,
  mqtt: async (io: MqttIo, n) => {
    await io.publish('set', String(n))
    return Number(await io.expect('state', { accept: (payload) => payload === String(n) }))
  },
  hid: async (io: HidIo, n) => ((await io.ask(REPORT))[2] === REPORT[2] ? n : NaN),
}

/** A harmless packet of a TC420: the end of a session. The device answers it with the same code. */
const REPORT = Buffer.alloc(64)
REPORT.set([0x55, 0xaa, 2])
REPORT[61] = REPORT.reduce((sum, byte) => sum + byte, 0) % 256
REPORT.set([0x0d, 0x0a], 62)

/** The exchange as a worker does it: a link, a turn on it as a command, the looks at lease and time before the first byte. */
export function golemSide(address: string): Side {
  const endpoint = parseAddress(address)
  const kind = endpoint.kind
  const transport = kind === 'tcp' || kind === 'serial' || kind === 'usbtmc' ? 'line' : kind
  if (transport === 'sim') throw new Error(`${address} is no address of an instrument.`)
  const exchange = EXCHANGES[transport]
  const link = openLink({ endpoint, guard: () => undefined })
  const channel = link.attach({ driver: DRIVERS[transport], endpoint })
  return sideOf(
    (n) => channel.run('command', (io) => exchange(io, n), { beforeSend: () => undefined }),
    () => link.close(),
  )
}

/** What a bare connection has in common: bytes out, bytes in. */
interface Bytes {
  write: (bytes: Buffer) => void
  /** Whoever gets what comes next. */
  onData: (take: (chunk: Buffer) => void) => void
  close: () => Promise<void> | void
}

async function bareSocket(port: string): Promise<Bytes> {
  const socket: Socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
  })
  return {
    write: (bytes) => void socket.write(bytes),
    onData: (take) => void socket.on('data', take),
    close: () => void socket.destroy(),
  }
}

async function barePort(path: string, baudRate: number): Promise<Bytes> {
  const port = new SerialPort({ path, baudRate, autoOpen: false })
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(error) : resolve()))
  })
  return {
    write: (bytes) => void port.write(bytes),
    onData: (take) => void port.on('data', take),
    close: () => new Promise((closed) => port.close(() => closed())),
  }
}

/** @param answerLength - how many bytes the answer has that begins these; undefined: not known yet */
function bareBytes(
  bytes: Bytes,
  questionOf: (n: number) => Buffer,
  answerLength: (held: Buffer) => number | undefined,
  numberIn: (answer: Buffer) => number,
  pauseMs = 0,
): Side {
  let held: Buffer = Buffer.alloc(0)
  let lastAt = -Infinity
  let resolve: ((answer: Buffer) => void) | undefined
  bytes.onData((chunk) => {
    lastAt = performance.now()
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const length = answerLength(held)
    if (length === undefined || held.length < length) return
    const answer = held.subarray(0, length)
    held = held.subarray(length)
    resolve?.(answer)
  })
  return sideOf(
    async (n) => {
      // Timers count whole milliseconds.
      while (performance.now() < lastAt + pauseMs) await sleep(pauseMs)
      const answer = new Promise<Buffer>((settle) => (resolve = settle))
      bytes.write(questionOf(n))
      return numberIn(await answer)
    },
    () => bytes.close(),
  )
}

function bareLines(bytes: Bytes): Side {
  return bareBytes(
    bytes,
    (n) => Buffer.from(`ECHO? ${n}\n`, 'latin1'),
    (held) => held.indexOf(0x0a) + 1 || undefined,
    (answer) => Number(answer.toString('latin1')),
  )
}

export async function bareTcpLine(port: string): Promise<Side> {
  return bareLines(await bareSocket(port))
}

export async function bareSerialLine(path: string): Promise<Side> {
  return bareLines(await barePort(path, 115_200))
}

export async function bareModbusTcp(port: string): Promise<Side> {
  return bareBytes(
    await bareSocket(port),
    (n) => Buffer.from([n >> 8, n & 0xff, 0, 0, 0, 6, 1, 3, n >> 8, n & 0xff, 0, 1]),
    (held) => (held.length < 6 ? undefined : 6 + held.readUInt16BE(4)),
    (answer) => answer.readUInt16BE(9),
  )
}

/** @param pauseMs - before each request: RTU tells frames apart by silence */
export async function bareModbusRtu(path: string, pauseMs: number): Promise<Side> {
  return bareBytes(
    await barePort(path, 115_200),
    // Nobody looks at the checksum at the other end.
    (n) => Buffer.from([1, 3, n >> 8, n & 0xff, 0, 1, 0, 0]),
    () => 7,
    (answer) => answer.readUInt16BE(3),
    pauseMs,
  )
}

/** A request of Node on a connection of its own, as golem makes it. */
export function bareHttp(port: string): Side {
  return sideOf(
    (n) =>
      new Promise((resolve, reject) => {
        const out = request(
          { host: '127.0.0.1', port: Number(port), path: `/${n}`, agent: false },
          (response) => {
            let text = ''
            response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
            response.once('end', () => resolve(Number(text)))
          },
        )
        out.once('error', reject)
        out.end()
      }),
    () => undefined,
  )
}

/** A client of MQTT.js: published and acknowledged, and its state has come back. */
export async function bareMqtt(port: string): Promise<Side> {
  const client = connectMqtt(`mqtt://127.0.0.1:${port}`)
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
  })
  await client.subscribeAsync('bench/bare/state', { qos: 0 })
  let resolve: ((n: number) => void) | undefined
  client.on('message', (_topic, payload) => resolve?.(Number(payload.toString())))
  return sideOf(
    async (n) => {
      const state = new Promise<number>((settle) => (resolve = settle))
      await client.publishAsync('bench/bare/set', String(n), { qos: 1 })
      return state
    },
    () => client.endAsync(true),
  )
}

/** Node has no way to a USB device file: the bare side is a Python program that writes and reads it in a loop. */
const PYTHON = `
import json, os, sys, time
path, kind, count, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
fd = os.open(path, os.O_RDWR)
report = bytes.fromhex("${REPORT.toString('hex')}")
took, until = [], time.perf_counter() + seconds
for n in range(1, count + 1):
    begun = time.perf_counter()
    if begun > until:
        break
    os.write(fd, b"\\0" + report if kind == "hid" else b"ECHO? %d\\n" % n)
    answer = os.read(fd, 65536)
    took.append((time.perf_counter() - begun) * 1000)
    if (answer[2] != 2) if kind == "hid" else (int(answer) != n):
        sys.exit("question %d got answer %r" % (n, answer))
print(json.dumps(took))
`

export function bareUsb(kind: 'usbtmc' | 'hid', path: string): Side {
  return {
    run: async (count, forMs) => {
      const args = ['-c', PYTHON, path, kind, String(count), String(forMs / 1000)]
      const { stdout } = await run('/usr/bin/python3', args, { maxBuffer: 64 * 1024 * 1024 })
      return JSON.parse(stdout) as number[]
    },
    close: async () => undefined,
  }
}
