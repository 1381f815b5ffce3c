import { startStand } from '../kit/stand.ts'
import { type Figure, perSecond } from './figures.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const UNITS = 64
const OVER_MS = 20_000

/** 64 units on one line through a whole stand. Single exchanges are measured with those of the other transports. */
export async function measureModbus(): Promise<Figure[]> {
  return [await manyUnits('rtu'), await manyUnits('tcp')]
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
