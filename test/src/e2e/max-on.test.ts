import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import type { OutputState, SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const MAX_ON_MS = 10_000
/** How much later than it should the switching off may be seen at the board, in ms. */
const LATE_MS = 1_900

let stand: Stand
/** How long a worker takes to start on this machine, in ms: on one that has much to do, several seconds. */
let startMs = 0
afterEach(() => stand.sim.device('relays').setFault(null))

/** What the board was told, and when. */
const switchings = (): { at: number; body: string }[] =>
  stand.sim
    .device('relays')
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ at, body }) => ({ at: Date.parse(at), body }))

const on = (channel: number): string => `{"channel":${channel},"state":1}`
const off = (channel: number): string => `{"channel":${channel},"state":0}`

async function switchOn(channel: number): Promise<number> {
  const { body } = await stand.command('relays', { parameter: `relay${channel}`, value: true })
  assert.equal(body.outcome, 'done', JSON.stringify(body))
  const sent = switchings().findLast((one) => one.body === on(channel))
  assert.ok(sent)
  return sent.at
}

/** When the board was told to switch off after a time. */
async function switchedOff(channel: number, since: number): Promise<number> {
  const found = await eventually(
    () => switchings().find(({ at, body }) => body === off(channel) && at > since),
    { what: `relay ${channel} is switched off`, timeoutMs: 20_000 },
  )
  return found.at - since
}

const outputOf = async (name: string): Promise<OutputState | undefined> =>
  (await stand.state()).instruments['relays']?.outputs?.[name]

/** Redis is there again, and somebody owns the board: it can be switched on and off. */
async function worksAgain(channel: number): Promise<void> {
  await eventually(() => switchOn(channel), { what: 'it can be switched on again', timeoutMs: 20_000 })
  await stand.command('relays', { parameter: `relay${channel}`, value: false })
}

/** Where a worker that was started meanwhile has to do it, it comes as late as that takes; never sooner. */
function assertInTime(afterMs: number, byNextWorker = false): void {
  const latest = MAX_ON_MS + LATE_MS + (byNextWorker ? 2 * startMs : 0)
  assert.ok(afterMs >= MAX_ON_MS - 50 && afterMs <= latest, `switched off after ${afterMs} ms, not ${latest}`)
}

describe('an output with maxOn', () => {
  before(async () => {
    stand = await startStand({
      workers: 0,
      settled: false,
      devices: [relayBoard('relays')],
      instruments: (address) => [
        {
          id: 'relays',
          model: 'esp32-relay',
          address: address('relays'),
          host: 'bench',
          parameters: Object.fromEntries(
            [0, 1, 2, 3].map((channel) => [`relay${channel}`, { maxOn: `${MAX_ON_MS} ms` }]),
          ),
        },
      ],
    })
    const startedAt = Date.now()
    await stand.addWorker({ host: 'bench' })
    startMs = Date.now() - startedAt
    await stand.until('relays', ({ condition }) => condition === 'ok', 'it answers')
  })
  after(() => stand.close())

  test('is switched off when its time is over, once, and the log says why', async () => {
    const at = await switchOn(0)
    await stand.until('relays', ({ outputs }) => outputs?.['relay0']?.on === true, 'it shows as on')
    const { offBy = '' } = (await outputOf('relay0')) ?? {}
    assert.ok(Math.abs(Date.parse(offBy) - at - MAX_ON_MS) < 500, `${offBy}, switched on ${at}`)
    await stand.command('relays', { parameter: 'relay0', value: true })
    assertInTime(await switchedOff(0, at))
    await stand.until('relays', ({ outputs }) => outputs?.['relay0']?.on === false, 'it shows as off')
    assert.equal(switchings().filter(({ body }) => body === off(0)).length, 1)
    const { body } = await stand.api<SiteEvent[]>('/api/events?kind=safe')
    const told = body.find(({ message }) => message.startsWith('maxOn: relay0 was on for longer than 10 s'))
    assert.ok(told, JSON.stringify(body))
    // It may be switched on again.
    await switchOn(0)
    await stand.command('relays', { parameter: 'relay0', value: false })
  })

  test('counts on over the death of its worker', async () => {
    const at = await switchOn(1)
    await stand.workers.at(-1)?.kill('SIGKILL')
    await stand.addWorker({ host: 'bench' })
    assertInTime(await switchedOff(1, at), true)
  })

  test('counts on over the death of its worker when one with another disk takes over', async () => {
    const at = await switchOn(2)
    await stand.until('relays', ({ outputs }) => outputs?.['relay2']?.on === true, 'it shows as on')
    await stand.workers.at(-1)?.kill('SIGKILL')
    await stand.addWorker({ host: 'bench', ownDisk: true })
    assertInTime(await switchedOff(2, at), true)
  })

  test('is switched off while Redis is away and its worker owns nothing any more', async () => {
    const at = await switchOn(0)
    stand.redis.freeze()
    try {
      assertInTime(await switchedOff(0, at))
    } finally {
      stand.redis.resume()
    }
    await worksAgain(0)
  })

  test('is switched off by a worker that is started while Redis is away', async () => {
    // The one before has a disk of its own.
    await stand.workers.at(-1)?.kill('SIGTERM')
    await stand.addWorker({ host: 'bench' })
    const next = `worker-${stand.workers.length - 1}`
    await stand.until('relays', ({ owner, condition }) => owner === next && condition === 'ok', 'it is back')
    const at = await switchOn(1)
    await stand.workers.at(-1)?.kill('SIGKILL')
    stand.redis.freeze()
    try {
      void stand.addWorker({ host: 'bench' }).catch(() => undefined)
      assertInTime(await switchedOff(1, at), true)
    } finally {
      stand.redis.resume()
    }
    await worksAgain(1)
  })

  test('is switched off when its board is back, where it was away at that time', async () => {
    const at = await switchOn(2)
    const board = stand.sim.device('relays')
    await board.setFault({ kind: 'silence' })
    await new Promise((resolve) => setTimeout(resolve, MAX_ON_MS + 1_000))
    await board.setFault(null)
    assert.ok((await switchedOff(2, at)) > MAX_ON_MS)
    await stand.until('relays', ({ outputs }) => outputs?.['relay2']?.on === false, 'it shows as off')
  })

  test('is switched off by the next owner, and not again by a frozen one that wakes up', async () => {
    const frozen = stand.workers.at(-1)
    await stand.addWorker({ host: 'bench' })
    const at = await switchOn(3)
    await stand.until('relays', ({ outputs }) => outputs?.['relay3']?.on === true, 'it shows as on')
    const { owner } = (await stand.state()).instruments['relays'] ?? {}
    const holder = stand.workers[Number(owner?.slice('worker-'.length))] ?? frozen
    holder?.stop()
    try {
      assertInTime(await switchedOff(3, at))
    } finally {
      holder?.cont()
    }
    await stand.until('relays', ({ outputs }) => outputs?.['relay3']?.on === false, 'it shows as off')
    const times = switchings().filter((one) => one.at > at && one.body === off(3)).length
    assert.equal(times, 1)
  })

  test('is told again and again while the board says yes and does nothing', async () => {
    const at = await switchOn(3)
    await stand.sim.device('relays').setFault({ kind: 'stuck', match: { method: 'POST' } })
    await eventually(() => switchings().filter((one) => one.at > at && one.body === off(3)).length >= 2, {
      what: 'it is tried a second time',
      timeoutMs: 20_000,
    })
    await stand.sim.device('relays').setFault(null)
    await stand.until('relays', ({ readings }) => readings['relay3']?.value === false, 'it is off')
  })
})
