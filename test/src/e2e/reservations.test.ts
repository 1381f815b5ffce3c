import type { CommandRecord, ReservationState, SiteEvent } from '@golem/core'
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { RawClient } from '../kit/raw-client.ts'
import { type Answer, type Stand, relayBoard, startStand } from '../kit/stand.ts'
import { startSupplyStand } from '../kit/supply-stand.ts'

const HOUR = 3_600_000
const BOARD = 'board'

let stand: Stand
before(async () => {
  // Two web processes: the two people do not even ask the same one.
  stand = await startStand({ webs: 2, devices: [relayBoard(BOARD)] })
})
after(() => stand.close())
beforeEach(async () => {
  const { current } = await reservation()
  if (current) await giveBack('Root', '?reason=next+test')
  await stand.sim.device(BOARD).setFault(null)
  await stand.until(BOARD, ({ condition }) => condition === 'ok', 'the board answers')
  await eventually(
    async () => {
      for (const n of [0, 1]) await command('Root', { parameter: `relay${n}`, value: false })
      return relays() === '[0,0,0,0]'
    },
    { what: 'everything is off' },
  )
  stand.sim.device(BOARD).resetCounters()
})

const WEB_OF: Record<string, number> = { Ann: 0, Bob: 1, Root: 0 }
const as = (name: string): { headers: Record<string, string>; web: number } => ({
  headers: { 'x-golem-user': name },
  web: WEB_OF[name] ?? 0,
})

const PATH = `/api/instruments/${BOARD}/reservation`
const reserve = (name: string, body: object): Promise<Answer<ReservationState & { detail?: string }>> =>
  stand.api(PATH, { method: 'PUT', body, ...as(name) })
const giveBack = (name: string, query = ''): Promise<Answer<ReservationState>> =>
  stand.api(`${PATH}${query}`, { method: 'DELETE', ...as(name) })
const reservation = async (): Promise<ReservationState> => (await stand.api<ReservationState>(PATH)).body

/** Gives a command under a name. @param wait - for its outcome, in s */
async function command(
  name: string,
  body: object,
  wait = 10,
): Promise<Answer<CommandRecord & { detail?: string }>> {
  const { headers, web } = as(name)
  return stand.api(`/api/instruments/${BOARD}/commands`, {
    method: 'POST',
    body,
    headers: { ...headers, ...(wait > 0 ? { prefer: `wait=${wait}` } : {}) },
    web,
    timeoutMs: wait * 1000 + 15_000,
  })
}

const relays = (): string => JSON.stringify(stand.sim.device(BOARD).state()['relays'])
/** How often the board was told to switch a relay so. */
const switched = (channel: number, state: number): number =>
  stand.sim
    .device(BOARD)
    .requests()
    .filter(({ method, path, body }) => {
      if (method !== 'POST' || path !== '/relay') return false
      const told = JSON.parse(body) as { channel: number; state: number }
      return told.channel === channel && told.state === state
    }).length

const ON = { parameter: 'relay0', value: true }

async function told(kind: string): Promise<string> {
  const { body } = await stand.api<SiteEvent[]>(`/api/events?kind=${kind}&limit=100`)
  return body.map(({ message }) => message).join('\n')
}

/** Holds the next polls up, so that a command that has begun has to wait for its turn on the link. */
async function slowPoll(ms: number): Promise<void> {
  const device = stand.sim.device(BOARD)
  await device.setFault({ kind: 'delay', ms, times: 1, match: { method: 'GET' } })
  await eventually(() => device.fault() === null, { what: 'a slow poll is under way', everyMs: 5 })
}

test('what one has reserved the other can look at and stop, but not command, until it is given back', async () => {
  const { status, body } = await reserve('Ann', { forMs: HOUR, note: 'growth curve' })
  assert.equal(status, 200)
  assert.equal(body.current?.holder.name, 'Ann (local)')
  assert.equal((await command('Ann', ON)).body.outcome, 'done')
  const refused = await command('Bob', { parameter: 'relay0', value: false })
  assert.equal(refused.status, 409)
  assert.equal(refused.body.code, 'INSTRUMENT_RESERVED')
  assert.match(
    refused.body.detail ?? '',
    /board is reserved by Ann \(local\) until .* UTC \(growth curve\)\. Wait in line .*ask Ann.*admin/,
  )
  for (const web of [0, 1]) {
    await eventually(
      async () =>
        (await stand.state(web)).instruments[BOARD]?.reservation?.current?.holder.name === 'Ann (local)',
      { what: `web process ${web} shows who has it` },
    )
  }
  assert.equal(relays(), '[1,0,0,0]')
  const stop = await stand.api('/api/stop', { method: 'POST', body: { reason: 'test' }, ...as('Bob') })
  assert.equal(stop.status, 200)
  await eventually(() => relays() === '[0,0,0,0]', { what: 'the stop is obeyed' })
  await stand.api('/api/stop/release', { method: 'POST', body: {} })
  assert.equal((await giveBack('Ann')).status, 200)
  assert.equal((await command('Bob', ON)).body.outcome, 'done')
})

test('a command that waits in the queue when the instrument is handed over is refused, and never sent', async () => {
  await reserve('Ann', { forMs: HOUR })
  const device = stand.sim.device(BOARD)
  await device.setFault({ kind: 'delay', ms: 1_500, times: 1, match: { method: 'POST' } })
  const running = await command('Ann', { parameter: 'relay1', value: true }, 0)
  await eventually(() => switched(1, 1) === 1, { what: 'the board is busy' })
  const waiting = await command('Ann', ON, 0)
  assert.equal(waiting.status, 202)
  assert.equal((await reserve('Ann', { to: 'Bob' })).status, 200)
  const record = await stand.ended(waiting.body.id)
  assert.equal(record.code, 'INSTRUMENT_RESERVED', JSON.stringify(record))
  assert.equal(record.outcome, 'refused')
  assert.match(record.message ?? '', /number \d+\) has ended.* reserved by Bob/)
  assert.equal((await stand.ended(running.body.id)).outcome, 'done')
  assert.equal(switched(0, 1), 0)
  assert.equal((await command('Bob', ON)).body.outcome, 'done')
})

test('one that has begun and waits for its turn on the link when the instrument changes hands is not sent', async () => {
  await reserve('Ann', { forMs: HOUR })
  await slowPoll(1_500)
  const { body } = await command('Ann', ON, 0)
  await eventually(async () => (await stand.record(body.id)).state === 'running', { what: 'it has begun' })
  await reserve('Ann', { to: 'Bob' })
  const record = await stand.ended(body.id)
  assert.deepEqual([record.outcome, record.effect, record.code], ['refused', 'none', 'INSTRUMENT_RESERVED'])
  assert.equal(switched(0, 1), 0)
})

test('one that was given while nobody had the instrument is not sent when somebody has it by then', async () => {
  await slowPoll(1_500)
  const { body } = await command('Ann', ON, 0)
  await eventually(async () => (await stand.record(body.id)).state === 'running', { what: 'it has begun' })
  await reserve('Bob', { forMs: HOUR })
  const record = await stand.ended(body.id)
  assert.deepEqual([record.outcome, record.code], ['refused', 'INSTRUMENT_RESERVED'])
  assert.equal(switched(0, 1), 0)
})

test('a reservation that ends while its command waits for the link takes the command with it', async () => {
  await reserve('Ann', { forMs: 1_000 })
  await slowPoll(2_500)
  const { body } = await command('Ann', ON, 0)
  const record = await stand.ended(body.id)
  assert.deepEqual([record.outcome, record.code], ['refused', 'INSTRUMENT_RESERVED'])
  assert.equal(switched(0, 1), 0)
})

test('a command under the number of an earlier reservation is refused, under the present one it is done', async () => {
  const first = (await reserve('Ann', { forMs: HOUR })).body.current?.fence ?? 0
  await giveBack('Ann')
  const second = (await reserve('Ann', { forMs: HOUR })).body.current?.fence ?? 0
  assert.ok(second > first)
  assert.equal((await command('Ann', { ...ON, reservation: first })).status, 409)
  const done = await command('Ann', { ...ON, reservation: second })
  assert.equal(done.body.outcome, 'done')
  assert.equal(done.body.reservation, second)
  assert.equal((await command('Bob', { ...ON, reservation: second })).status, 409)
  await reserve('Ann', { share: ['Bob'] })
  assert.equal((await command('Bob', { ...ON, reservation: second })).body.outcome, 'done')
})

test('outputs hold at the end of a reservation unless it says safe; giving back changes nothing', async () => {
  await reserve('Ann', { forMs: HOUR })
  assert.equal((await command('Ann', ON)).body.outcome, 'done')
  await reserve('Ann', { forMs: 1_000 })
  await eventually(async () => (await reservation()).current === null, { what: 'it is over' })
  await reserve('Ann', { forMs: HOUR, onExpiry: 'safe' })
  await giveBack('Ann')
  await stand.until(BOARD, ({ reservation: known }) => known?.current === null, 'all know that it is free')
  assert.equal(relays(), '[1,0,0,0]')
  await reserve('Ann', { forMs: 1_000, onExpiry: 'safe' })
  assert.equal((await reserve('Bob', { forMs: HOUR, wait: true })).status, 202)
  await eventually(() => relays() === '[0,0,0,0]', { what: 'outputs are safe' })
  await eventually(async () => (await reservation()).current?.holder.name === 'Bob (local)', {
    what: 'the next in line has it',
  })
  await eventually(
    async () => /the reservation of Ann \(local\) has ended.*relay0 = false/.test(await told('safe')),
    { what: 'the log tells it' },
  )
  // Once: what the next one switches on stays on.
  assert.equal((await command('Bob', ON)).body.outcome, 'done')
  const polls = stand.sim.device(BOARD).counters()['GET /info'] ?? 0
  await eventually(() => (stand.sim.device(BOARD).counters()['GET /info'] ?? 0) > polls + 5, {
    what: 'it has been polled some more',
  })
  assert.equal(relays(), '[1,0,0,0]')
})

test('a reservation that ends while the worker is dead is obeyed by the next one, before any command', async () => {
  await reserve('Ann', { forMs: HOUR, onExpiry: 'safe' })
  for (const n of [0, 1]) await command('Ann', { parameter: `relay${n}`, value: true })
  await stand.workers.at(-1)?.kill('SIGKILL')
  await reserve('Ann', { forMs: 1_000 })
  await reserve('Bob', { forMs: HOUR, wait: true })
  await eventually(async () => (await reservation()).current?.holder.name === 'Bob (local)', {
    what: 'the next in line has it',
  })
  assert.equal(relays(), '[1,1,0,0]')
  stand.sim.device(BOARD).resetCounters()
  await stand.addWorker()
  await eventually(() => relays() === '[0,0,0,0]', { what: 'outputs are safe' })
  await stand.until(BOARD, ({ condition }) => condition === 'ok', 'the board answers')
  assert.equal((await command('Bob', ON)).body.outcome, 'done')
  assert.equal(relays(), '[1,0,0,0]')
  assert.equal(switched(1, 0), 1)
})

test('a board that is away when the reservation ends is made safe when it comes back', async () => {
  await reserve('Ann', { forMs: HOUR, onExpiry: 'safe' })
  await command('Ann', ON)
  await stand.sim.device(BOARD).setFault({ kind: 'refuse' })
  await stand.until(BOARD, ({ condition }) => condition !== 'ok', 'the board is missed')
  await reserve('Ann', { forMs: 1_000 })
  await eventually(async () => (await told('safe')).includes('NOT'), { what: 'it was tried' })
  assert.equal(relays(), '[1,0,0,0]')
  await stand.sim.device(BOARD).setFault(null)
  await eventually(() => relays() === '[0,0,0,0]', { what: 'outputs are safe', timeoutMs: 20_000 })
})

test('an admin ends a reservation with a reason, which the log and the state tell', async () => {
  const { body } = await reserve('Ann', { forMs: HOUR })
  assert.equal((await giveBack('Root', '?reason=x&fence=1')).status, 409)
  assert.equal((await giveBack('Root')).status, 400)
  const ended = await giveBack('Root', `?reason=gone+home&fence=${body.current?.fence}`)
  assert.equal(ended.body.current, null)
  assert.deepEqual([ended.body.ended?.how, ended.body.ended?.by], ['forced', 'Root (local)'])
  assert.match(await told('reservation'), /reservation of Ann \(local\) ended by Root \(local\): gone home/)
  assert.equal((await command('Ann', { ...ON, reservation: body.current?.fence })).status, 409)
})

test('a Redis that is killed and started again still knows who has it, and the worker still asks', async () => {
  const before = (await reserve('Ann', { forMs: HOUR })).body.current
  await stand.redis.kill()
  await eventually(async () => (await command('Ann', ON, 0)).status === 503, { what: 'Redis is missed' })
  await stand.redis.start()
  await eventually(async () => (await command('Bob', ON)).status === 409, {
    what: 'Bob is refused again',
    timeoutMs: 20_000,
  })
  await eventually(async () => (await reservation()).current?.fence === before?.fence, {
    what: 'the other web process knows it too',
    timeoutMs: 20_000,
  })
  await eventually(async () => (await command('Ann', ON)).body.outcome === 'done', {
    what: 'Ann commands again',
    timeoutMs: 20_000,
  })
})

test('foreign programs at the gateway may look at what is reserved, and change it only when it is shared with them', async () => {
  const bench = await startSupplyStand()
  const path = '/api/instruments/supply/reservation'
  try {
    const put = (body: object): Promise<Answer<ReservationState>> =>
      bench.stand.api(path, { method: 'PUT', body, headers: { 'x-golem-user': 'Ann' } })
    assert.equal((await put({ forMs: HOUR })).status, 200)
    // The worker hears of it by a message; what it refuses shows that it has.
    await eventually(
      async () => {
        const client = await RawClient.to(bench.port)
        client.send('VOLT 9\n')
        await eventually(() => client.closed, { what: 'a change closes the connection', timeoutMs: 2_000 })
        return true
      },
      { what: 'the gateway keeps to the reservation', timeoutMs: 10_000 },
    )
    const voltage = bench.supply.state.volt
    const reader = await RawClient.to(bench.port)
    assert.match(await reader.ask('*IDN?'), /^GOLEM,SUPPLY/)
    reader.send('VOLT 8\n')
    await eventually(() => reader.closed, { what: 'its change is refused' })
    assert.equal(bench.supply.state.volt, voltage)
    const { body } = await bench.stand.api<CommandRecord[]>('/api/commands?instrument=supply&limit=10')
    const refused = body.find(({ exchange }) => exchange === 'VOLT 8')
    assert.equal(refused?.code, 'INSTRUMENT_RESERVED', JSON.stringify(body))
    assert.match(refused?.message ?? '', /reserved by Ann/)
    await put({ share: ['gateway 127.0.0.1'] })
    await eventually(
      async () => {
        const client = await RawClient.to(bench.port)
        client.send('VOLT 7\n')
        const answer = await client.ask('VOLT?')
        client.close()
        return answer === '7'
      },
      { what: 'it is done when it is shared' },
    )
    assert.equal(bench.supply.state.volt, 7)
  } finally {
    await bench.close()
  }
})
