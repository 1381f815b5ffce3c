import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SiteEvent } from '@golem/core'
import { eventually } from '../kit/eventually.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const LEASE_MS = 4_000
const SAFE_AFTER_MS = 2_500
/** Share of the lease in which its holder may send. */
const MAY_SEND_MS = 0.9 * LEASE_MS

let stand: Stand
before(async () => {
  stand = await startStand({
    devices: [relayBoard('heater'), relayBoard('light')],
    instruments: (address) => [
      {
        id: 'heater',
        model: 'esp32-relay',
        address: address('heater'),
        onOrphaned: { safeAfter: `${SAFE_AFTER_MS} ms` },
      },
      { id: 'light', model: 'esp32-relay', address: address('light'), onOrphaned: 'hold' },
    ],
    leaseMs: LEASE_MS,
  })
})
after(() => stand.close())

const isOn = (board: string): boolean => (stand.sim.device(board).state()['relays'] as number[])[0] === 1

async function switchOn(): Promise<void> {
  for (const board of ['heater', 'light']) {
    await eventually(
      async () => {
        const { body } = await stand.command(board, { parameter: 'relay0', value: true })
        if (body.outcome !== 'done') throw new Error(JSON.stringify(body))
        return true
      },
      { what: `${board} is switched on`, timeoutMs: 30_000, everyMs: 200 },
    )
  }
}

/** What is told of safe states, as soon as the web process has Redis again. */
const safeEvents = async (): Promise<string> => {
  const { body } = await eventually(
    async () => {
      const answer = await stand.api<SiteEvent[]>('/api/events?kind=safe')
      return answer.status === 200 ? answer : undefined
    },
    { what: 'the log can be read' },
  )
  return body.map(({ instrument, message }) => `${instrument}: ${message}`).join('\n')
}

test('a short silence of Redis does nothing', async () => {
  await switchOn()
  stand.redis.freeze()
  await sleep(SAFE_AFTER_MS / 2)
  stand.redis.resume()
  await stand.until('heater', ({ readings }) => readings['relay0']?.quality === 'good', 'it is read again')
  await sleep(SAFE_AFTER_MS)
  assert.ok(isOn('heater'))
})

test('Redis is lost: outputs go safe after the time declared, while the worker may still send; others hold', async () => {
  await switchOn()
  await stand.redis.kill()
  const lostAt = performance.now()
  await eventually(() => !isOn('heater'), { what: 'the heater is off', everyMs: 10 })
  const took = performance.now() - lostAt
  // The last renewal was up to a beat before.
  assert.ok(took > SAFE_AFTER_MS - LEASE_MS / 5 - 300 && took < MAY_SEND_MS, `${took} ms`)
  await sleep(LEASE_MS)
  assert.ok(isOn('light'))
  await stand.redis.start()
  await stand.until(
    'heater',
    ({ condition, readings }) => condition === 'ok' && readings['relay0']?.value === false,
    'it is back',
    30_000,
  )
  assert.match(
    await safeEvents(),
    /heater: safe state \(its worker has not heard of Redis for 2\.\d s\): relay0 = false/,
  )
  assert.doesNotMatch(await safeEvents(), /light:/)
})

test('the worker is killed: the next one makes safe what nobody was in charge of, before any command', async () => {
  await switchOn()
  await stand.addWorker()
  const { owner } = await stand.until('heater', ({ owner }) => owner, 'it has an owner')
  await stand.workers.find(({ name }) => name === owner)?.kill()
  const killedAt = performance.now()
  await eventually(() => !isOn('heater'), { what: 'the heater is off', timeoutMs: 15_000, everyMs: 10 })
  const took = performance.now() - killedAt
  assert.ok(took < LEASE_MS + 3_000, `${took} ms`)
  assert.ok(isOn('light'))
  assert.match(await safeEvents(), /heater: safe state \(nobody was in charge of it for \d\.\d s\)/)
})

test('a worker that is stopped in order leaves them to its successor as they are', async () => {
  await stand.addWorker()
  await switchOn()
  const before = await safeEvents()
  const { owner } = await stand.until('heater', ({ owner }) => owner, 'it has an owner')
  await stand.workers.find(({ name }) => name === owner)?.kill('SIGTERM')
  await stand.until(
    'heater',
    (state) => state.owner !== null && state.owner !== owner && state.condition === 'ok',
    'taken over',
    30_000,
  )
  assert.ok(isOn('heater'))
  assert.equal(await safeEvents(), before)
})
