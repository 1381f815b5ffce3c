import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstrumentState } from '@golem/core'
import { type Stand, startStand } from '../kit/stand.ts'

/** The same weather station by serial port, slowly, and by TCP, fast. Its temperature is the number of its line. */
const STATIONS = { weather: 5, 'net-weather': 50 } as const
type Station = keyof typeof STATIONS
const IDS = Object.keys(STATIONS) as Station[]

let stand: Stand
before(async () => {
  stand = await startStand({
    leaseMs: 10_000,
    devices: [
      { kind: 'stream', name: 'weather', perSecond: STATIONS.weather },
      { kind: 'stream', name: 'net-weather', perSecond: STATIONS['net-weather'], line: 'tcp' },
    ],
  })
})
after(() => stand.close())
beforeEach(async () => {
  for (const id of IDS) {
    await stand.sim.device(id).setFault(null)
    await stand.sim.device(id).replug()
    await measures(id)
  }
})

const sent = (id: Station): number => Number(stand.sim.device(id).state()['sent'])
const temperature = ({ readings }: InstrumentState): number => Number(readings['temperature']?.value)

/** It gives good readings, each newer than the one before. */
async function measures(id: Station): Promise<void> {
  const good = ({ condition, readings }: InstrumentState): boolean =>
    condition === 'ok' && readings['temperature']?.quality === 'good'
  const first = temperature(await stand.until(id, good, `${id} measures`, 30_000))
  await stand.until(id, (state) => good(state) && temperature(state) > first, `${id} goes on measuring`)
}

/** Watches the readings while something goes on: none says what the station has not sent, none goes back. */
async function truthful(id: Station, during: () => Promise<void>): Promise<number> {
  const seen: number[] = []
  let over = false
  const watch = (async () => {
    while (!over) {
      const state = (await stand.state()).instruments[id]
      if (state?.readings['temperature']?.quality === 'good') seen.push(temperature(state))
      await sleep(10)
    }
  })()
  try {
    await during()
  } finally {
    over = true
    await watch
  }
  for (const [index, value] of seen.entries()) {
    assert.ok(value * 10 <= sent(id) + 1e-6, `${value} was never sent`)
    assert.ok(value >= (seen[index - 1] ?? 0), `${value} after ${seen[index - 1]}`)
  }
  return new Set(seen).size
}

for (const id of IDS) {
  test(`${id}: the newest line is what is read, without a word to the station, ten times a second at most`, async () => {
    const began = performance.now()
    const different = await truthful(id, () => sleep(3_000))
    const seconds = (performance.now() - began) / 1000
    assert.ok(different >= 4, `${different} different readings`)
    assert.ok(different <= 10 * seconds + 2, `${different} different readings in ${seconds} s`)
    assert.deepEqual(stand.sim.device(id).counters(), {})
    const state = (await stand.state()).instruments[id]
    assert.ok(state)
    // Half a second for publishing and the way through Redis.
    const behind = sent(id) - temperature(state) * 10
    assert.ok(behind <= STATIONS[id] * 0.5 + 2, `${behind} lines behind`)
  })

  test(`${id}: garbage, halves, wrong checksums, noise without an end, the double rate and a boot give no wrong reading`, async () => {
    for (const kind of ['garbage', 'cut', 'wrongValue', 'hugeReply', 'duplicate', 'reboot'] as const) {
      await truthful(id, async () => {
        await stand.sim.device(id).setFault({ kind, ...(kind === 'reboot' ? { seconds: 0.3 } : {}) })
        await sleep(700)
        await stand.sim.device(id).setFault(null)
        await measures(id)
      })
    }
    assert.deepEqual(stand.sim.device(id).counters(), {})
  })

  test(`${id}: silence makes its readings stale with a sentence, and it comes back by itself`, async () => {
    await stand.sim.device(id).setFault({ kind: 'silence' })
    const { message } = await stand.until(
      id,
      ({ condition, readings }) => condition === 'lost' && readings['temperature']?.quality === 'stale',
      'it is lost',
      40_000,
    )
    assert.match(message, /silence|Nothing|no answer/)
    await stand.sim.device(id).setFault(null)
    await measures(id)
  })

  test(`${id}: its connection is pulled out and plugged in again`, async () => {
    await truthful(id, async () => {
      await stand.sim.device(id).unplug()
      await stand.until(id, ({ condition }) => condition !== 'ok', 'its loss is seen', 30_000)
      await stand.sim.device(id).replug()
      await measures(id)
    })
  })
}
