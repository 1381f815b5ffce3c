import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startMosquitto } from '../kit/mosquitto.ts'
import { spawnNode } from '../kit/process.ts'
import { plugSerialPort } from '../kit/serial.ts'
import { makeTempDir } from '../kit/temp.ts'
import { pretendUsb } from '../kit/usb.ts'
import { type Figure, inMs, perSecond, spreadOf, times } from './figures.ts'
import {
  bareHttp,
  bareModbusRtu,
  bareModbusTcp,
  bareMqtt,
  bareSerialLine,
  bareTcpLine,
  bareUsb,
  golemSide,
  type Side,
} from './transports-sides.ts'

const WARM_UP = 500
/** Both sides take turns, so that what else the machine does meets both. */
const ROUNDS = 5
const EXCHANGES_PER_ROUND = 1000
const ROUND_MS = 800
/** The pause before each request of Modbus RTU above 19,200 baud (Modbus over serial line 1.02), in ms. */
const RTU_PAUSE_MS = 1.75

const END = fileURLToPath(new URL('transports-end.js', import.meta.url))

/** Who asks, and what has to be ended afterwards, newest first. */
interface Bench {
  /** Starts an instrument in a process of its own. @returns where it is */
  end: (kind: string, place?: string) => Promise<string>
  /** A name for something in the file system. */
  path: () => string
  onClose: (close: () => Promise<unknown> | void) => void
}

interface Case {
  what: string
  bare: string
  sides: (bench: Bench) => Promise<{ golem: Side; bare: Side }>
}

const CASES: readonly Case[] = [
  {
    what: 'TCP line',
    bare: 'net.Socket',
    sides: async ({ end }) => {
      const port = await end('line-tcp')
      return { golem: golemSide(`tcp://127.0.0.1:${port}`), bare: await bareTcpLine(port) }
    },
  },
  {
    what: 'serial line (PTY)',
    bare: 'serialport',
    sides: async (bench) => {
      const [mine, bare] = [await pty(bench, 'line-unix'), await pty(bench, 'line-unix')]
      return { golem: golemSide(`serial:${mine}?baud=115200`), bare: await bareSerialLine(bare) }
    },
  },
  {
    what: 'USBTMC (simulated end)',
    bare: 'Python on the device file',
    sides: async ({ end, path }) => {
      const bare = path()
      await end('usbtmc', bare)
      return { golem: golemSide(await end('usbtmc', path())), bare: bareUsb('usbtmc', bare) }
    },
  },
  {
    what: 'USB HID (simulated end)',
    bare: 'Python on the device file',
    sides: async ({ end, path }) => {
      const bare = path()
      await end('hid', bare)
      return { golem: golemSide(await end('hid', path())), bare: bareUsb('hid', bare) }
    },
  },
  {
    what: 'HTTP, a connection each',
    bare: 'http.request',
    sides: async ({ end }) => {
      const port = await end('http')
      return { golem: golemSide(`http://127.0.0.1:${port}`), bare: bareHttp(port) }
    },
  },
  {
    what: 'Modbus TCP',
    bare: 'net.Socket',
    sides: async ({ end }) => {
      const port = await end('modbus-tcp')
      return { golem: golemSide(`modbus-tcp://127.0.0.1:${port}/1`), bare: await bareModbusTcp(port) }
    },
  },
  {
    what: 'Modbus RTU, 115,200 baud (PTY)',
    bare: `serialport, the same ${RTU_PAUSE_MS} ms of silence before each request`,
    sides: async (bench) => {
      const [mine, bare] = [await pty(bench, 'modbus-rtu'), await pty(bench, 'modbus-rtu')]
      return {
        golem: golemSide(`modbus-rtu:${mine}?unit=1&baud=115200`),
        bare: await bareModbusRtu(bare, RTU_PAUSE_MS),
      }
    },
  },
  {
    what: 'MQTT, published to confirmed, mosquitto as Debian sets it',
    bare: 'MQTT.js',
    sides: (bench) => mqttSides(bench, []),
  },
  {
    what: 'MQTT, published to confirmed, mosquitto with set_tcp_nodelay',
    bare: 'MQTT.js',
    sides: (bench) => mqttSides(bench, ['set_tcp_nodelay true']),
  },
]

/** Exchanges per second and their times by each transport, against the same exchange without golem in the same run. */
export async function measureTransports(): Promise<Figure[]> {
  pretendUsb()
  const figures: Figure[] = []
  for (const each of CASES) figures.push(await measure(each))
  return figures
}

async function measure({ what, bare: bareName, sides }: Case): Promise<Figure> {
  const dir = makeTempDir('golem-bench')
  const closers: (() => Promise<unknown> | void)[] = [() => dir.remove()]
  let places = 0
  try {
    const { golem, bare } = await sides({
      end: async (kind, place = '') => {
        const child = spawnNode(END, [kind, place], { name: kind })
        closers.push(() => child.kill())
        return (await child.ready).url ?? ''
      },
      path: () => join(dir.path, `place${(places += 1)}`),
      onClose: (close) => void closers.push(close),
    })
    closers.push(
      () => golem.close(),
      () => bare.close(),
    )
    await golem.run(WARM_UP, ROUND_MS)
    await bare.run(WARM_UP, ROUND_MS)
    const took = { golem: [] as number[], bare: [] as number[] }
    for (let round = 0; round < ROUNDS; round += 1) {
      took.bare.push(...(await bare.run(EXCHANGES_PER_ROUND, ROUND_MS)))
      took.golem.push(...(await golem.run(EXCHANGES_PER_ROUND, ROUND_MS)))
    }
    return {
      what: `${what}: exchanges, p50 / p99`,
      value: inWords(took.golem),
      compared: `${times(rate(took.golem), rate(took.bare))} ${bareName} (${inWords(took.bare)})`,
    }
  } finally {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
}

/** A pretended serial port with an instrument behind it. @returns its path */
async function pty({ end, path, onClose }: Bench, kind: string): Promise<string> {
  const port = await plugSerialPort({ unix: await end(kind, path()) })
  onClose(() => port.close())
  return port.path
}

async function mqttSides(
  { end, onClose }: Bench,
  settings: readonly string[],
): Promise<{ golem: Side; bare: Side }> {
  const broker = await startMosquitto(undefined, settings)
  onClose(() => broker.close())
  await end('mqtt', String(broker.port))
  return { golem: golemSide(`${broker.url}/bench/golem`), bare: await bareMqtt(String(broker.port)) }
}

function rate(took: readonly number[]): number {
  return took.length / (took.reduce((sum, ms) => sum + ms, 0) / 1000)
}

function inWords(took: readonly number[]): string {
  const { p50, p99 } = spreadOf(took)
  return `${perSecond(rate(took), 1)}, ${inMs(p50)} / ${inMs(p99)}`
}
