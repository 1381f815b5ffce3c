import type { AlarmRecord, StateDocument } from '@golem/core'
import type { DeviceSpec } from '@golem/simulator'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Stand, startStand } from '../kit/stand.ts'
import { type Figure, inMs, spreadOf } from './figures.ts'
import { HttpClient } from './http-client.ts'
import { cpuPercent, pssMb } from './process-cost.ts'

const LAMPS = 36
const CHANNELS = 4
const ROUNDS = 40
const OVER_MS = 15_000

/** Seven rules for each channel: 1008 in all. None is so while the lamps are between 10 and 90 %. */
const RULES = {
  lowLow: { at: -20 },
  low: { at: -10, hysteresis: 2 },
  high: { at: 90, hysteresis: 5 },
  highHigh: { at: 200, delay: '5 s' },
  deviation: { from: 50, by: 100, delay: '10 s' },
  state: { equals: 77 },
  stale: { after: '30 s' },
}
const COUNT = LAMPS * CHANNELS * Object.keys(RULES).length

/** What 1000 limits cost the leading scheduler, and how soon an alarm is seen. */
export async function measureAlarms(): Promise<Figure[]> {
  const without = await withStand({}, cost)
  const {
    cost: loaded,
    taken,
    read,
    flood,
  } = await withStand(RULES, async (stand) => ({
    cost: await cost(stand),
    ...(await latency(stand)),
  }))
  const { p50, p99, max } = spreadOf(taken)
  const seen = spreadOf(read)
  return [
    {
      what: `leading scheduler with ${COUNT} alarm limits, ${LAMPS} lamps polled each second: share of a core`,
      value: `${loaded.cpu.toFixed(1)} %`,
      compared: `${without.cpu.toFixed(1)} % with none`,
    },
    {
      what: `its memory (PSS)`,
      value: `${loaded.memory.toFixed(0)} MB`,
      compared: `${without.memory.toFixed(0)} MB with none`,
    },
    {
      what: 'command that passes a limit is done to the alarm in the state document, p50 / p99 / max',
      value: `${inMs(p50)} / ${inMs(p99)} / ${inMs(max)}`,
      compared: `${inMs(seen.p50)} / ${inMs(seen.p99)} / ${inMs(seen.max)} to the reading`,
    },
    { what: `${LAMPS * CHANNELS} alarms at once: the first command to the last alarm`, value: inMs(flood) },
  ]
}

async function withStand<T>(alarms: object, measure: (stand: Stand) => Promise<T>): Promise<T> {
  const devices = Array.from({ length: LAMPS }, (_, n): DeviceSpec => ({
    name: `lamp-${n}`,
    kind: 'pwm-lamp',
  }))
  const parameters = Object.fromEntries(
    Array.from({ length: CHANNELS }, (_, n) => [`channel${n}`, { alarms }]),
  )
  const stand = await startStand({
    schedulers: 1,
    pollEveryMs: 1_000,
    leaseMs: 10_000,
    devices,
    instruments: (address) =>
      devices.map(({ name }) => ({ id: name, model: 'pwm-lamp', address: address(name), parameters })),
  })
  try {
    return await measure(stand)
  } finally {
    await stand.close()
  }
}

async function cost(stand: Stand): Promise<{ cpu: number; memory: number }> {
  const pid = stand.schedulers[0]?.pid ?? 0
  // The compiler of JavaScript has had its time.
  await sleep(5_000)
  const cpu = await cpuPercent(pid, OVER_MS)
  return { cpu, memory: pssMb(pid) }
}

async function latency(stand: Stand): Promise<{ taken: number[]; read: number[]; flood: number }> {
  const client = new HttpClient(stand.url())
  const alarmsOf = (): Promise<AlarmRecord[]> => client.send('GET', '/api/alarms')
  const until = async (wanted: (alarms: AlarmRecord[]) => boolean): Promise<void> => {
    while (!wanted(await alarmsOf())) await sleep(2)
  }
  try {
    const taken: number[] = []
    const read: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const lamp = `lamp-${round % LAMPS}`
      const channel = `channel${Math.floor(round / LAMPS)}`
      const id = `${lamp}.${channel}.high`
      await stand.command(lamp, { parameter: channel, value: 95 })
      const begun = performance.now()
      let readAfter: number | undefined
      for (;;) {
        const state = await client.send<StateDocument>('GET', '/api/state')
        if (state.instruments[lamp]?.readings[channel]?.value === 95) readAfter ??= performance.now() - begun
        if (state.alarms.some((alarm) => alarm.id === id)) break
        await sleep(2)
      }
      taken.push(performance.now() - begun)
      read.push(readAfter ?? performance.now() - begun)
      await stand.command(lamp, { parameter: channel, value: 50 })
      await until((alarms) => alarms.some((alarm) => alarm.id === id && alarm.condition === 'returned'))
      await stand.api(`/api/alarms/${id}/acknowledge`, { method: 'POST' })
      await until((alarms) => !alarms.some((alarm) => alarm.id === id))
    }
    const begun = performance.now()
    const commands = Array.from({ length: LAMPS * CHANNELS }, (_, n) =>
      stand.command(
        `lamp-${n % LAMPS}`,
        { parameter: `channel${Math.floor(n / LAMPS)}`, value: 95 },
        { wait: 0 },
      ),
    )
    await Promise.all(commands)
    await until(
      (alarms) =>
        alarms.filter(({ id, condition }) => id.endsWith('.high') && condition === 'active').length >=
        LAMPS * CHANNELS,
    )
    return { taken, read, flood: performance.now() - begun }
  } finally {
    client.close()
  }
}
