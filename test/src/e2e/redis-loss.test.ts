import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, StateDocument } from '@golem/core'
import { initDb } from '@golem/queue'
import { eventually } from '../kit/eventually.ts'
import { type Answer, type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { LampLoad } from './lamp-load.ts'

const LAMPS = ['lamp-0', 'lamp-1']
/** Longer than any answer takes that fails fast, shorter than what a person calls hanging, in ms. */
const HANGING_MS = 6_000

let stand: Stand
before(async () => {
  stand = await startStand({
    webs: 2,
    devices: [
      relayBoard('relays'),
      ...LAMPS.map((name) => ({ name, kind: 'pwm-lamp', infoDelayMs: 5 }) as const),
    ],
  })
})
after(() => stand.close())

const polls = (device: string): number => stand.sim.device(device).counters()['GET /info'] ?? 0
const switchings = (): string[] =>
  stand.sim
    .device('relays')
    .requests()
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => body)

/** Each web process says that Redis is away, and shows no value as fresh. */
async function awayIsShown(): Promise<void> {
  for (const web of stand.webs.keys()) {
    await eventually(
      async () => {
        const { bus, instruments } = await askState(web)
        const qualities = Object.values(instruments['relays']?.readings ?? {}).map(({ quality }) => quality)
        return !bus.ok && bus.message !== '' && qualities.length > 0 && !qualities.includes('good')
      },
      { what: `web ${web} says that Redis is away` },
    )
  }
}

async function askState(web: number): Promise<StateDocument> {
  const { body } = await stand.api<StateDocument>('/api/state', { web, timeoutMs: HANGING_MS })
  return body
}

/** Whatever is asked while Redis is away is answered soon. */
async function nothingHangs(): Promise<void> {
  const soon = { timeoutMs: HANGING_MS }
  for (const web of stand.webs.keys()) {
    const body = { parameter: 'relay0', value: true }
    const refused = await stand.api<CommandRecord>('/api/instruments/relays/commands', {
      method: 'POST',
      body,
      web,
      headers: { prefer: 'wait=10' },
      ...soon,
    })
    assert.equal(refused.status, 503, JSON.stringify(refused.body))
    assert.deepEqual([refused.body.code, refused.body.effect], ['QUEUE_DOWN', 'none'])
    const asked: Answer<unknown>[] = await Promise.all(
      [
        '/api/state',
        '/api/instruments',
        '/api/fleet',
        '/api/commands',
        '/api/events',
        '/healthz',
        '/readyz',
      ].map((path) => stand.api(path, { web, ...soon })),
    )
    for (const { status } of asked) assert.ok(status === 200 || status === 503, `status ${status}`)
  }
}

/** All instruments are shown as answering, freshly read, by each web process; and the board obeys. */
async function allIsBack(): Promise<void> {
  for (const web of stand.webs.keys()) {
    await eventually(
      async () => {
        const { bus, instruments } = await askState(web)
        const states = Object.values(instruments)
        // A lamp whose channels differ is degraded: it has no one value for the colour.
        const fresh = states.every(({ condition, readings }) => {
          const stale = Object.values(readings).some(({ quality }) => quality === 'stale')
          return (condition === 'ok' || condition === 'degraded') && !stale
        })
        if (!bus.ok || !fresh || states.length !== 3) throw new Error(JSON.stringify({ bus, instruments }))
        return true
      },
      { what: `web ${web} shows everything as before`, timeoutMs: 20_000 },
    )
  }
  const value = stand.sim.device('relays').state()['relays'] as number[]
  // A worker that has not yet noticed what it lost may refuse the first.
  await eventually(
    async () => {
      const { body } = await stand.command('relays', { parameter: 'relay3', value: value[3] === 0 })
      if (body.outcome !== 'done') assert.equal(body.effect, 'none', JSON.stringify(body))
      return body.outcome === 'done'
    },
    { what: 'the board obeys', everyMs: 200 },
  )
}

test('Redis killed under load: pages say so, nothing hangs, nothing acts twice, and all goes on by itself', async () => {
  const load = new LampLoad(stand, LAMPS)
  await load.more(20)
  await stand.redis.kill()
  await awayIsShown()
  const before = switchings()
  await nothingHangs()
  await eventually(() => (load.refusals.get('QUEUE_DOWN') ?? 0) > 0, { what: 'a client meets the gap' })
  await stand.redis.start()
  await load.more(20)
  assert.deepEqual(switchings(), before, 'what was refused is not carried out later')
  await stand.redis.restart()
  await load.more(20)
  await load.finish()
  await allIsBack()
})

test('Redis comes back twice without its last second: what was carried out is known, and is not repeated', async () => {
  for (const device of LAMPS) stand.sim.device(device).resetCounters()
  const load = new LampLoad(stand, LAMPS.toReversed())
  for (let round = 0; round < 2; round++) {
    await load.more(10)
    await stand.redis.mark()
    await load.more(20)
    await stand.redis.killAndRollBack()
    await load.more(20)
  }
  await load.finish()
  await allIsBack()
})

test('Redis loses a command that was carried out: the ledger learns its outcome from the journal', async () => {
  await stand.redis.mark()
  const { body } = await stand.command('relays', { parameter: 'relay1', value: true }, { key: 'kept' })
  assert.equal(body.outcome, 'done')
  const before = switchings()
  await stand.redis.killAndRollBack()
  const restored = await eventually(() => stand.record(body.id), {
    what: 'the ledger knows the command again',
  })
  assert.equal(restored.outcome, 'done')
  const again = await stand.command('relays', { parameter: 'relay1', value: true }, { key: 'kept' })
  assert.deepEqual([again.body.id, again.body.outcome], [body.id, 'done'])
  assert.deepEqual(switchings(), before)
})

test('init-db while everything runs: descriptions, readings and commands come back by themselves', async () => {
  const lost = await stand.command('relays', { parameter: 'relay2', value: true })
  assert.equal(lost.body.outcome, 'done')
  const removed = await initDb({ site: 'test', redisUrl: stand.redis.url })
  assert.ok(removed > 10)
  await allIsBack()
})

test('Redis frozen for 20 s: the worker falls silent with its lease, and all goes on when it wakes', async () => {
  for (const device of LAMPS) stand.sim.device(device).resetCounters()
  const load = new LampLoad(stand, LAMPS)
  await load.more(20)
  // One is on its way while Redis freezes: its outcome can be written only afterwards.
  await stand.sim.device('relays').setFault({ kind: 'late', ms: 4_000, match: { method: 'POST' }, times: 1 })
  const slow = await stand.command('relays', { parameter: 'relay0', value: true }, { wait: 0 })
  assert.equal(slow.status, 202)
  await eventually(() => switchings().at(-1)?.includes('"channel":0'), { what: 'it has been sent' })
  stand.redis.freeze()
  const frozenAt = performance.now()
  await awayIsShown()
  await nothingHangs()
  await eventually(
    async () => {
      const before = polls('relays') + polls('lamp-0') + polls('lamp-1')
      await sleep(1_000)
      return polls('relays') + polls('lamp-0') + polls('lamp-1') === before
    },
    { what: 'the worker sends nothing any more' },
  )
  const requests = LAMPS.map((lamp) => stand.sim.device(lamp).requests().length)
  await nothingHangs()
  await sleep(20_000 - (performance.now() - frozenAt))
  assert.deepEqual(
    LAMPS.map((lamp) => stand.sim.device(lamp).requests().length),
    requests,
  )
  stand.redis.resume()
  await load.more(20)
  await load.finish()
  await allIsBack()
  const record = await stand.ended(slow.body.id)
  assert.equal(record.outcome, 'unknown', JSON.stringify(record))
  const settled = await eventually(async () => (await stand.record(slow.body.id)).settled, {
    what: 'it is settled by reading back',
  })
  assert.equal(settled.effect, 'done')
})
