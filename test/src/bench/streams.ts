import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseAddress } from '@golem/core'
import { type DeviceSpec, startSimulator } from '@golem/simulator'
import { spawnNode } from '../kit/process.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { type Figure, spreadOf, times } from './figures.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const PORTS = 20
const LINES_PER_SECOND = 50
const OVER_MS = 20_000
const LOOK_EVERY_MS = 40

const END = fileURLToPath(new URL('transports-end.js', import.meta.url))
const DEVICES: readonly DeviceSpec[] = Array.from({ length: PORTS }, (_, n) => ({
  kind: 'stream',
  name: `weather-${n}`,
  perSecond: LINES_PER_SECOND,
}))

/** One worker on 20 serial ports with 50 lines a second each, against a program that only splits the same into lines. */
export async function measureStreams(): Promise<Figure[]> {
  const bare = await bareReader()
  const stand = await startStand({ devices: DEVICES, pollEveryMs: 1000, leaseMs: 10_000 })
  try {
    const pid = stand.workers[0]?.pid ?? NaN
    // The first seconds are starting up.
    await cpuPercent(pid, 5_000)
    const [cpu, seen] = await Promise.all([cpuPercent(pid, OVER_MS), watch(stand)])
    const each = `${PORTS} serial ports with ${LINES_PER_SECOND} lines/s each, one worker`
    const rates = spreadOf(seen.perSecond)
    return [
      {
        what: `${each}: share of a core, memory (PSS)`,
        value: `${cpu.toFixed(1)} %, ${Math.round(pssMb(pid))} MB`,
        compared: `${times(cpu, bare.cpu)} the time, ${times(pssMb(pid), bare.mb)} the memory of serialport and a split (${bare.cpu.toFixed(1)} %, ${Math.round(bare.mb)} MB)`,
        aim: 'below 50 %, 200 MB',
      },
      {
        what: `${each}: different values a second on the page, fewest and most of a port; behind the newest line, p50 / p99`,
        value: `${Math.min(...seen.perSecond).toFixed(1)} and ${rates.max.toFixed(1)}; ${seen.behind.p50.toFixed(0)} / ${seen.behind.p99.toFixed(0)} ms; ${seen.notGood} of ${seen.looks} looks were not good`,
        aim: 'at most 10, none stale',
      },
    ]
  } finally {
    await stand.close()
  }
}

/** What the page gets: how often values change, how old the newest is, and whether any is not good. */
async function watch(stand: Stand): Promise<{
  perSecond: number[]
  behind: { p50: number; p99: number }
  looks: number
  notGood: number
}> {
  const changes = DEVICES.map(() => 0)
  const last = DEVICES.map(() => NaN)
  const behind: number[] = []
  let notGood = 0
  const begun = performance.now()
  while (performance.now() - begun < OVER_MS) {
    // Read before the answer is asked for: what is sent in between is not owed.
    const sent = DEVICES.map(({ name }) => Number(stand.sim.device(name).state()['sent']))
    const { instruments } = await stand.state()
    for (const [index, { name }] of DEVICES.entries()) {
      const reading = instruments[name]?.readings['temperature']
      if (reading?.quality !== 'good') notGood += 1
      // The temperature is a tenth of the line's number.
      const line = Number(reading?.value) * 10
      if (line !== last[index]) changes[index] = (changes[index] ?? 0) + 1
      last[index] = line
      behind.push((Math.max(0, (sent[index] ?? 0) - line) / LINES_PER_SECOND) * 1000)
    }
    await sleep(LOOK_EVERY_MS)
  }
  const seconds = (performance.now() - begun) / 1000
  return {
    perSecond: changes.map((count) => count / seconds),
    behind: spreadOf(behind),
    looks: behind.length,
    notGood,
  }
}

/** The same ports read by a process that does nothing else. */
async function bareReader(): Promise<{ cpu: number; mb: number }> {
  const simulator = await startSimulator({ devices: DEVICES })
  const paths = DEVICES.map(({ name }) => {
    const endpoint = parseAddress(simulator.device(name).address)
    if (endpoint.kind !== 'serial') throw new Error(`${name} is not at a serial port.`)
    return endpoint.path
  })
  const reader = spawnNode(END, ['reader', paths.join(',')], { name: 'reader' })
  try {
    await reader.ready
    await sleep(2_000)
    const cpu = await cpuPercent(reader.pid, OVER_MS)
    return { cpu, mb: pssMb(reader.pid) }
  } finally {
    await reader.kill()
    await simulator.close()
  }
}
