import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandRecord, StopState } from '@golem/core'
import { clearQueue } from '@golem/queue'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, relayBoard, startStand } from '../kit/stand.ts'

const RELAYS = [0, 1, 2, 3]

let stand: Stand
before(async () => {
  stand = await startStand({ webs: 2, leaseMs: 5_000, devices: [relayBoard('one'), relayBoard('two')] })
})
after(() => stand.close())
/** Everything off, nothing stopped, nothing counted. */
beforeEach(async () => {
  await release()
  for (const board of ['one', 'two']) {
    await stand.sim.device(board).setFault(null)
    await stand.until(board, ({ condition }) => condition === 'ok', `${board} answers`)
    await eventually(
      async () => {
        for (const n of RELAYS) await stand.command(board, { parameter: `relay${n}`, value: false })
        return isSafe(board)
      },
      { what: `${board} is off`, timeoutMs: 30_000 },
    )
    stand.sim.device(board).resetCounters()
  }
})
const owner = (): NodeProcess => {
  const last = stand.workers.at(-1)
  if (!last) throw new Error('there is no worker')
  return last
}

interface Switching {
  channel: number
  state: number
}

/** What a board was told to switch, in the order in which it came. */
function switchings(board: string): Switching[] {
  return stand.sim
    .device(board)
    .requests()
    .filter(({ method, path }) => method === 'POST' && path === '/relay')
    .map(({ body }) => JSON.parse(body) as Switching)
}

const relaysOf = (board: string): unknown => stand.sim.device(board).state()['relays']
const isSafe = (board: string): boolean => JSON.stringify(relaysOf(board)) === '[0,0,0,0]'
const safe = (board: string, timeoutMs = 20_000): Promise<boolean> =>
  eventually(() => isSafe(board), { what: `${board} is in its safe state`, timeoutMs })

async function switchOn(board: string): Promise<void> {
  const all = await Promise.all(
    RELAYS.map((n) => stand.command(board, { parameter: `relay${n}`, value: true })),
  )
  for (const { body } of all) assert.equal(body.outcome, 'done', JSON.stringify(body))
  assert.deepEqual(relaysOf(board), [1, 1, 1, 1])
}

/** Fills a queue while the board is busy with the first command for `busyMs`. @returns their ids, the busy one first */
async function fill(board: string, count: number, busyMs: number): Promise<string[]> {
  const { length: before } = switchings(board)
  const slow = { kind: 'delay', ms: busyMs, match: { method: 'POST' }, times: 1 } as const
  await stand.sim.device(board).setFault(slow)
  const give = (n: number): Promise<string> =>
    stand
      .command(board, { parameter: 'relay1', value: n % 2 === 0 }, { wait: 0 })
      .then(({ status, body }) => {
        assert.equal(status, 202, JSON.stringify(body))
        return body.id
      })
  const first = await give(0)
  await eventually(() => switchings(board).length > before, { what: 'the board is busy' })
  return [first, ...(await Promise.all(Array.from({ length: count }, (_, n) => give(n + 1))))]
}

const stopAll = (path = '/api/stop', web = 0): Promise<{ status: number; body: StopState }> =>
  stand.api<StopState>(path, { method: 'POST', body: { reason: 'smoke' }, web })
const release = (body: { instrument?: string } = {}, web = 0): Promise<{ status: number; body: StopState }> =>
  stand.api<StopState>('/api/stop/release', { method: 'POST', body, web })

/** Refused with 423 by each web process, and nothing is sent. */
async function isRefused(board: string): Promise<void> {
  const before = switchings(board).filter(({ state }) => state === 1).length
  for (const web of stand.webs.keys()) {
    const { status, body } = await stand.command(board, { parameter: 'relay0', value: true }, { web })
    assert.equal(status, 423, JSON.stringify(body))
    assert.deepEqual([body.code, body.effect], ['STOPPED', 'none'])
  }
  assert.equal(switchings(board).filter(({ state }) => state === 1).length, before)
}

async function obeys(board: string): Promise<void> {
  const { status, body } = await stand.command(board, { parameter: 'relay0', value: true })
  assert.equal(body.outcome, 'done', `${status} ${JSON.stringify(body)}`)
}

test('a stop during 32 waiting commands refuses them all, interrupts what runs, and nothing is sent after the safe values', async () => {
  await Promise.all([switchOn('one'), switchOn('two')])
  const ids = await fill('one', 32, 2_000)
  const { status, body } = await stopAll()
  assert.equal(status, 200)
  assert.equal(body.site?.reason, 'smoke')
  await Promise.all([safe('one'), safe('two')])

  const [running, ...waited] = await Promise.all(ids.map((id) => stand.ended(id)))
  for (const { outcome, code, effect } of waited) {
    assert.deepEqual([outcome, code, effect], ['refused', 'STOPPED', 'none'])
  }
  assert.deepEqual([running?.outcome, running?.code], ['unknown', 'INTERRUPTED'])
  // 4 switched on, the one that was interrupted, then only safe values.
  const later = switchings('one').slice(5)
  assert.ok(later.length >= 4)
  assert.ok(later.every(({ state }) => state === 0))
  for (const web of stand.webs.keys()) {
    await eventually(async () => (await stand.state(web)).stop.site?.reason === 'smoke', {
      what: `web ${web} shows the stop`,
    })
  }
  await isRefused('one')
  await isRefused('two')
  // What the interrupted one has done was found out by reading, and then made safe.
  await eventually(async () => (await stand.record(running?.id ?? '')).settled, { what: 'it is settled' })
  assert.equal((await release({}, 1)).body.site, null)
  await obeys('one')
  assert.deepEqual(relaysOf('one'), [1, 0, 0, 0], 'release switches nothing on')
})

test('a stop of one instrument leaves the others alone, also when the site is stopped and released around it', async () => {
  await Promise.all([switchOn('one'), switchOn('two')])
  const { status } = await stopAll('/api/instruments/one/stop')
  assert.equal(status, 200)
  await safe('one')
  await isRefused('one')
  await obeys('two')
  assert.deepEqual(relaysOf('two'), [1, 1, 1, 1])

  await stopAll('/api/stop', 1)
  await safe('two')
  await isRefused('two')
  await release({ instrument: 'one' })
  await isRefused('one')
  await release()
  await obeys('one')
  await obeys('two')
})

test('an instrument that is away at the time of the stop is made safe when it comes back', async () => {
  await Promise.all([switchOn('one'), switchOn('two')])
  await stand.sim.device('two').setFault({ kind: 'refuse' })
  await stand.until('two', ({ condition }) => condition === 'lost', 'the board is lost')
  await stopAll()
  await safe('one')
  await stand.sim.device('two').setFault(null)
  await safe('two')
  assert.ok(
    switchings('two')
      .slice(4)
      .every(({ state }) => state === 0),
  )
})

test('while stopped, an output that somebody switches on at the board is switched off again', async () => {
  await stopAll()
  const direct = await fetch(new URL('/relay', stand.sim.device('one').address), {
    method: 'POST',
    body: '{"channel":2,"state":1}',
  })
  assert.equal(direct.status, 200)
  assert.deepEqual(relaysOf('one'), [0, 0, 1, 0])
  await safe('one')
})

test('a stop whose announcement is lost is obeyed all the same, and a silent board does not cost the worker its links', async () => {
  await switchOn('one')
  await stand.sim.device('two').setFault({ kind: 'silence' })
  // As golemStop writes it, without the message: a subscriber that is just reconnecting does not hear it.
  const record = JSON.stringify({ sinceMs: Date.now(), by: 'test', reason: 'unheard' })
  await stand.redis.call('HSET', '{golem:test}:stop', '*', record)
  await safe('one')
  // Longer than the lease, and the silent board takes longer still.
  await sleep(6_000)
  const { length: before } = stand.sim.device('one').requests()
  await eventually(() => stand.sim.device('one').requests().length > before + 1, {
    what: 'the other board is still being read',
    timeoutMs: 2_000,
  })
  const { condition, message } = (await stand.state()).instruments['one'] ?? {}
  assert.equal(condition, 'ok', message)
  await release()
  await obeys('one')
})

test('clear-queue under load: what waits ends as refused, what runs is unharmed, and nothing is lost', async () => {
  const ids = await fill('one', 20, 1_500)
  const { length: before } = switchings('one')
  assert.equal(before, 1)
  const accepted: string[] = []
  let over = false
  const clients = [2, 3].map(async (relay) => {
    for (let n = 0; !over; n++) {
      const target = { parameter: `relay${relay}`, value: n % 2 === 0 }
      const { status, body } = await stand.command('one', target, { wait: 0 })
      if (status === 202) accepted.push(body.id)
      else assert.equal(status, 429, JSON.stringify(body))
      await sleep(5)
    }
  })
  const admin = { site: 'test', redisUrl: stand.redis.url, by: 'night watch' }
  let refused = await clearQueue(admin)
  assert.ok(refused >= 20, `${refused} refused`)
  for (let round = 0; round < 10; round++) {
    await sleep(50)
    refused += await clearQueue(admin)
  }
  await sleep(200)
  over = true
  await Promise.all(clients)

  const [running, ...waited] = await Promise.all(ids.map((id) => stand.ended(id)))
  assert.equal(running?.outcome, 'done')
  for (const { outcome, code } of waited) assert.deepEqual([outcome, code], ['refused', 'QUEUE_CLEARED'])
  const records: CommandRecord[] = await Promise.all(accepted.map((id) => stand.ended(id, 30_000)))
  const count = (wanted: string): number => records.filter(({ outcome }) => outcome === wanted).length
  assert.equal(count('done') + count('refused'), records.length)
  assert.equal(count('refused') + waited.length, refused)
  assert.ok(count('done') > 0, 'the load went on')
  assert.equal(switchings('one').length, count('done') + 1)
  await obeys('one')
})

test('commands that wait while their worker is dead are refused by a stop, and stay refused when a worker comes', async () => {
  await switchOn('one')
  await owner().kill('SIGKILL')
  const { status, body } = await stand.command('one', { parameter: 'relay1', value: false }, { wait: 0 })
  // The web process may or may not have noticed; what it accepts ends all the same.
  assert.ok(status === 202 || status === 503, JSON.stringify(body))
  const { length: before } = switchings('one')
  await stopAll()
  if (status === 202) assert.equal((await stand.ended(body.id)).code, 'STOPPED')
  assert.equal(switchings('one').length, before)
  await stand.addWorker()
  await safe('one')
})

test('a stop is kept by a worker that is restarted, and by the one that takes over from a dead one', async () => {
  await stopAll()
  await owner().kill('SIGTERM')
  const next = await stand.addWorker()
  await stand.until('one', (state) => state.owner === next.name, 'the next worker owns the board')
  await isRefused('one')
  await next.kill('SIGKILL')
  await release()
  await stopAll()
  // Nobody is there to obey; what somebody switches on now is found by the next owner.
  await fetch(new URL('/relay', stand.sim.device('one').address), {
    method: 'POST',
    body: '{"channel":3,"state":1}',
  })
  const last = await stand.addWorker()
  await safe('one')
  await isRefused('one')
  await release()
  await stand.until('one', (state) => state.condition === 'ok' && state.owner === last.name, 'it is owned')
  await obeys('one')
})
