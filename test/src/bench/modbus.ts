import { connect } from 'node:net'
import { once } from 'node:events'
import { type ModbusDriver, type ModbusIo, parseAddress } from '@golem/core'
import { startSimulator } from '@golem/simulator'
import { openLink } from '@golem/transports'
import { startStand } from '../kit/stand.ts'
import { type Figure, inMs, perSecond, spreadOf, times } from './figures.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const UNITS = 64
const OVER_MS = 20_000
const EXCHANGES = 3000

/** Modbus: single exchanges against the bare socket, and 64 units on one line through a whole stand. */
export async function measureModbus(): Promise<Figure[]> {
  const bare = await bareExchanges()
  const figures: Figure[] = []
  for (const [line, name] of [
    ['tcp', 'Modbus TCP'],
    ['rtu', 'Modbus RTU at 115200 baud (pseudo terminal)'],
  ] as const) {
    const took = await linkExchanges(line)
    const { p50, p99 } = spreadOf(took)
    const compared = line === 'tcp' ? `${times(p50, spreadOf(bare).p50)} the bare socket` : ''
    figures.push({
      what: `${name}, one register read: exchanges, p50, p99`,
      value: `${perSecond(took.length, sum(took) / 1000)}, ${inMs(p50)}, ${inMs(p99)}`,
      ...(compared === '' ? {} : { compared }),
    })
  }
  for (const line of ['rtu', 'tcp'] as const) figures.push(await manyUnits(line))
  return figures
}

/** 64 controllers on one link, polled once a second. */
async function manyUnits(line: 'rtu' | 'tcp'): Promise<Figure> {
  const units = Array.from({ length: UNITS }, (_, n) => n + 1)
  const stand = await startStand({
    devices: [{ name: 'line', kind: 'modbus', line, units }],
    pollEveryMs: 1000,
    instruments: (address) =>
      units.map((unit) => ({
        id: `unit-${unit}`,
        model: 'modbus-temperature-controller',
        // As fast as such a line goes: a poll takes four requests.
        address: address('line')
          .replace(/\/1$/, `/${unit}`)
          .replace('unit=1&baud=19200', `unit=${unit}&baud=115200`),
      })),
  })
  try {
    const pid = stand.workers[0]?.pid ?? NaN
    // The first seconds are starting up.
    await cpuPercent(pid, 5_000)
    const device = stand.sim.device('line')
    device.resetCounters()
    const begun = performance.now()
    const cpu = await cpuPercent(pid, OVER_MS)
    const seconds = (performance.now() - begun) / 1000
    const requests = Object.values(device.counters()).reduce((all, count) => all + count, 0)
    const polls = Object.entries(device.counters())
      .filter(([key]) => key.startsWith('4 '))
      .map(([, count]) => count)
    const slowest = Math.min(...polls) / seconds
    return {
      what: `${UNITS} Modbus units on one ${line === 'rtu' ? 'serial line' : 'connection'} at 1 Hz: share of a core, memory (PSS), requests, polls of the slowest`,
      value: `${cpu.toFixed(1)} %, ${Math.round(pssMb(pid))} MB, ${perSecond(requests, seconds)}, ${slowest.toFixed(2)}/s`,
      aim: '1.00/s each',
    }
  } finally {
    await stand.close()
  }
}

async function linkExchanges(line: 'rtu' | 'tcp'): Promise<number[]> {
  const simulator = await startSimulator({ devices: [{ name: 'oven', kind: 'modbus', line }] })
  const endpoint = parseAddress(simulator.device('oven').address.replace('baud=19200', 'baud=115200'))
  const link = openLink({ endpoint, guard: () => undefined })
  const driver: ModbusDriver = {
    transport: 'modbus',
    link: { replyTimeoutMs: 1000, gapMs: 0 },
    parameters: {},
    actions: {},
    identify: async () => undefined,
    readAll: async () => ({}),
  }
  const channel = link.attach({ driver, endpoint })
  try {
    const read = (): Promise<unknown> => channel.run('poll', (io: ModbusIo) => io.readHoldingRegisters(0, 1))
    await timed(200, read)
    return await timed(EXCHANGES, read)
  } finally {
    await link.close()
    await simulator.close()
  }
}

/** The same bytes on a socket, without golem. */
async function bareExchanges(): Promise<number[]> {
  const simulator = await startSimulator({ devices: [{ name: 'oven', kind: 'modbus' }] })
  const { place } = parseAddress(simulator.device('oven').address) as { place: { port: number } }
  const socket = connect({ host: '127.0.0.1', port: place.port, noDelay: true })
  await once(socket, 'connect')
  const request = Buffer.from('000100000006010300000001', 'hex')
  try {
    const ask = async (): Promise<void> => {
      const answer = once(socket, 'data')
      socket.write(request)
      await answer
    }
    await timed(200, ask)
    return await timed(EXCHANGES, ask)
  } finally {
    socket.destroy()
    await simulator.close()
  }
}

async function timed(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const took: number[] = []
  for (let n = 0; n < count; n += 1) {
    const begun = performance.now()
    await work()
    took.push(performance.now() - begun)
  }
  return took
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
