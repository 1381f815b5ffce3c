import type { Holder } from '@golem/core'
import { type SiteClient, WorkerClient, openSiteClient } from '@golem/queue'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { type TestRedis, startRedis } from '../kit/redis.ts'

const ANN: Holder = { kind: 'person', name: 'Ann' }
const BOB: Holder = { kind: 'person', name: 'Боб "the bold"' }
const RUN: Holder = { kind: 'run', name: 'r-1' }
const HOUR = 3_600_000
const ID = 'lamp'

interface Rig {
  redis: TestRedis
  /** Two, as two web processes have them; the first one is `client`. */
  clients: [SiteClient, SiteClient]
  client: SiteClient
  worker: WorkerClient
}

async function rig(t: TestContext): Promise<Rig> {
  const redis = await startRedis()
  const open = (): SiteClient => openSiteClient({ site: 'test', redisUrl: redis.url, maxWaiting: 32 })
  const clients: [SiteClient, SiteClient] = [open(), open()]
  const worker = new WorkerClient({
    site: 'test',
    redisUrl: redis.url,
    worker: 'w',
    leaseMs: 60_000,
    onError: () => undefined,
    onControl: () => undefined,
    onLeaseLost: () => undefined,
    onReady: () => undefined,
  })
  t.after(async () => {
    worker.close()
    await Promise.all(clients.map((client) => client.close()))
    await redis.close()
  })
  for (const client of clients) await eventually(() => client.view.bus.ok, { what: 'Redis is heard' })
  await eventually(() => worker.leases.acquire('link', 0), { what: 'the worker has the link' })
  return { redis, clients, client: clients[0], worker }
}

const submit = (client: SiteClient, by: string, reservation?: number) =>
  client.submit({
    instrument: ID,
    target: { parameter: 'white', value: 1 },
    by,
    validForMs: 30_000,
    ...(reservation === undefined ? {} : { reservation }),
  })

const RESERVED = { code: 'INSTRUMENT_RESERVED' }

/** Makes an hour of waiting unnecessary: takes time off what stands in Redis. */
const age = (redis: TestRedis, ms: number): Promise<string> =>
  redis.call(
    'EVAL',
    `local s = cjson.decode(redis.call('HGET', KEYS[1], '${ID}'))
     local c = s.current
     if c then
       for _, name in ipairs({'since', 'until', 'quietUntil', 'idleSince'}) do if c[name] then c[name] = c[name] - ${ms} end end
     end
     for _, b in ipairs(s.bookings) do b.from = b.from - ${ms} b['until'] = b['until'] - ${ms} end
     redis.call('HSET', KEYS[1], '${ID}', cjson.encode(s))
     return 1`,
    '1',
    '{golem:test}:reservations',
  )

const messages = async (client: SiteClient): Promise<string> =>
  (await client.events({ limit: 50, kind: 'reservation' })).events.map(({ message }) => message).join('\n')

test('of two who reserve at once, over two clients, one gets it, and the other is told who and until when', async (t) => {
  const { clients } = await rig(t)
  for (let round = 0; round < 20; round += 1) {
    const instrument = `lamp-${round}`
    const results = await Promise.allSettled(
      [ANN, BOB].map((holder, n) =>
        clients[n === 0 ? 0 : 1].reservations.reserve({
          instrument,
          holder,
          forMs: HOUR,
          note: 'growth curve',
        }),
      ),
    )
    const refused = results.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 1)
    const { code, message } = (refused[0] as PromiseRejectedResult).reason as {
      code: string
      message: string
    }
    assert.equal(code, 'INSTRUMENT_RESERVED')
    assert.match(message, /is reserved by (Ann|Боб "the bold") until .* UTC \(growth curve\)/)
    assert.match(message, /Wait in line .* ask (Ann|Боб) ?.*admin/)
  }
})

test('only its holder and those it is shared with may command it, at once for all clients', async (t) => {
  const { clients, client } = await rig(t)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  await submit(client, 'Ann')
  await assert.rejects(submit(clients[1], BOB.name), RESERVED)
  await assert.rejects(submit(client, 'run r-1'), RESERVED)
  await client.reservations.reserve({
    instrument: ID,
    holder: ANN,
    share: [BOB.name, 'run r-1', 'gateway 192.0.2.7'],
  })
  await submit(clients[1], BOB.name)
  await submit(client, 'run r-1')
  await submit(client, 'gateway 192.0.2.7:50123')
  await assert.rejects(submit(client, 'gateway 192.0.2.70:50123'), RESERVED)
  await client.reservations.reserve({ instrument: ID, holder: ANN, share: [] })
  await assert.rejects(submit(client, BOB.name), RESERVED)
  await client.reservations.giveBack({ instrument: ID, holder: ANN })
  await submit(client, BOB.name)
})

test('a command is refused when the reservation it was given under has ended, also when its name may again', async (t) => {
  const { client, worker } = await rig(t)
  const first = await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  const fence = first.current?.fence ?? 0
  const { record } = await submit(client, 'Ann', fence)
  assert.equal(record.reservation, fence)
  const { record: unnumbered } = await submit(client, 'Ann')
  await client.reservations.giveBack({ instrument: ID, holder: ANN })
  await assert.rejects(submit(client, 'Ann', fence), { message: /number \d+\) has ended/ })
  const second = await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  assert.ok((second.current?.fence ?? 0) > fence)
  for (const { id } of [record, unnumbered]) {
    const begin = await worker.begin(id, ID, 'link', 0)
    assert.equal(begin.answer, 'fence')
  }
  await assert.rejects(submit(client, 'Ann', fence), RESERVED)
  const { record: good } = await submit(client, 'Ann', second.current?.fence)
  assert.equal((await worker.begin(good.id, ID, 'link', 0)).answer, 'ok')
})

test('a command given while nobody held it is refused at execution when somebody else holds it by then', async (t) => {
  const { client, worker } = await rig(t)
  const { record: anns } = await submit(client, 'Ann')
  const { record: bobs } = await submit(client, BOB.name)
  await client.reservations.reserve({ instrument: ID, holder: BOB, forMs: HOUR })
  const refused = await worker.begin(anns.id, ID, 'link', 0)
  assert.equal(refused.answer, 'reserved')
  assert.equal((await worker.begin(bobs.id, ID, 'link', 0)).answer, 'ok')
})

test('renewing keeps the number; handing over makes a new one and ends what the giver had waiting', async (t) => {
  const { client, worker } = await rig(t)
  const { current } = await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  const renewed = await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: 2 * HOUR })
  assert.equal(renewed.current?.fence, current?.fence)
  assert.ok(Date.parse(renewed.current?.until ?? '') - Date.parse(current?.until ?? '') > HOUR / 2)
  const { record } = await submit(client, 'Ann')
  await assert.rejects(client.reservations.handOver({ instrument: ID, holder: BOB, to: BOB }), {
    code: 'NOT_ALLOWED',
  })
  const handed = await client.reservations.handOver({ instrument: ID, holder: ANN, to: BOB })
  assert.ok((handed.current?.fence ?? 0) > (current?.fence ?? 0))
  assert.equal(handed.current?.until, renewed.current?.until)
  assert.equal((await worker.begin(record.id, ID, 'link', 0)).answer, 'fence')
  await assert.rejects(submit(client, 'Ann'), RESERVED)
  await submit(client, BOB.name)
})

test('who waits in line gets it when it is given back, when its time is over and when an admin ends it, in order', async (t) => {
  const { client, redis } = await rig(t)
  const people = ['Ann', 'Bea', 'Cleo', 'Dora'].map((name) => ({ kind: 'person', name }) as const)
  for (const holder of people) {
    await client.reservations.reserve({ instrument: ID, holder, forMs: HOUR, wait: true })
  }
  // Asking again does not move anybody to the end.
  await client.reservations.reserve({
    instrument: ID,
    holder: { kind: 'person', name: 'Bea' },
    wait: true,
    forMs: HOUR,
  })
  const holder = async (): Promise<string | undefined> =>
    (await client.reservations.of(ID)).current?.holder.name
  assert.equal(await holder(), 'Ann')
  await client.reservations.giveBack({ instrument: ID, holder: ANN })
  assert.equal(await holder(), 'Bea')
  await age(redis, HOUR)
  assert.equal(await holder(), 'Cleo')
  const admin: Holder = { kind: 'person', name: 'Root' }
  const end = { instrument: ID, holder: admin }
  await assert.rejects(client.reservations.giveBack(end), { code: 'NOT_ALLOWED' })
  await assert.rejects(client.reservations.giveBack({ ...end, admin: true }), { code: 'INVALID_REQUEST' })
  await assert.rejects(client.reservations.giveBack({ ...end, admin: true, reason: 'x', fence: 1 }), RESERVED)
  const left = await client.reservations.giveBack({ ...end, admin: true, reason: 'smells burnt' })
  assert.deepEqual(left.ended?.how, 'forced')
  assert.equal(left.ended?.reason, 'smells burnt')
  assert.equal(left.current?.holder.name, 'Dora')
  assert.match(await messages(client), /reservation of Cleo ended by Root: smells burnt/)
  assert.match(await messages(client), /reserved by Dora for 1 h: was next in line/)
})

test('one who leaves the line is passed over', async (t) => {
  const { client } = await rig(t)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  await client.reservations.reserve({ instrument: ID, holder: BOB, wait: true, forMs: HOUR })
  const left = await client.reservations.giveBack({ instrument: ID, holder: BOB, waiting: true })
  assert.deepEqual(left.waiting, [])
  const free = await client.reservations.giveBack({ instrument: ID, holder: ANN })
  assert.equal(free.current, null)
})

test('its end comes by itself, the view shows it, and the next one is told', async (t) => {
  const { client } = await rig(t)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: 400 })
  await client.reservations.reserve({ instrument: ID, holder: BOB, forMs: HOUR, wait: true })
  await eventually(() => client.view.reservations.get(ID)?.current?.holder.name === BOB.name, {
    what: 'Bob has it',
  })
  assert.equal(client.view.reservations.get(ID)?.ended?.how, 'expired')
  assert.match(await messages(client), /reservation of Ann has ended: its time is over.*outputs hold/)
})

test('a booking is kept free: nobody else reserves or renews into it, and it begins by itself', async (t) => {
  const { client, redis } = await rig(t)
  const now = client.view.now()
  const booked = { instrument: ID, holder: BOB, from: now + HOUR, until: now + 2 * HOUR, note: 'night run' }
  const { bookings } = await client.reservations.book(booked)
  assert.equal(bookings.length, 1)
  const overlapping = { ...booked, holder: ANN, from: now + 1.5 * HOUR, until: now + 3 * HOUR }
  await assert.rejects(client.reservations.book(overlapping), { message: /booked by Боб "the bold" from/ })
  await assert.rejects(
    client.reservations.reserve({ instrument: ID, holder: ANN, forMs: 2 * HOUR }),
    RESERVED,
  )
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR / 2 })
  await assert.rejects(client.reservations.reserve({ instrument: ID, holder: ANN, forMs: 2 * HOUR }), {
    message: /booked by Боб/,
  })
  // Next to each other is not into each other.
  await client.reservations.reserve({ instrument: ID, holder: ANN, until: now + HOUR })
  await client.reservations.book({ ...booked, holder: ANN, from: now + 2 * HOUR, until: now + 3 * HOUR })
  const order = (await client.reservations.of(ID)).bookings.map(({ holder }) => holder.name)
  assert.deepEqual(order, [BOB.name, 'Ann'])
  await age(redis, HOUR + 1_000)
  const begun = await client.reservations.of(ID)
  assert.equal(begun.current?.holder.name, BOB.name)
  assert.equal(begun.current?.note, 'night run')
  await assert.rejects(submit(client, 'Ann'), RESERVED)
  await assert.rejects(client.reservations.giveBack({ instrument: ID, holder: BOB, booking: 'none' }), {
    code: 'NOT_FOUND',
  })
  await assert.rejects(
    client.reservations.giveBack({ instrument: ID, holder: BOB, booking: begun.bookings[0]?.id ?? '' }),
    { code: 'NOT_ALLOWED' },
  )
  await client.reservations.giveBack({ instrument: ID, holder: ANN, booking: begun.bookings[0]?.id ?? '' })
})

test('who is next in line has it until the next booking at most', async (t) => {
  const { client } = await rig(t)
  const now = client.view.now()
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  await client.reservations.book({ instrument: ID, holder: RUN, from: now + 2 * HOUR, until: now + 3 * HOUR })
  await client.reservations.reserve({ instrument: ID, holder: BOB, forMs: 10 * HOUR, wait: true })
  const { current } = await client.reservations.giveBack({ instrument: ID, holder: ANN })
  assert.equal(current?.holder.name, BOB.name)
  assert.equal(Date.parse(current?.until ?? ''), now + 2 * HOUR)
})

test('a booking that follows on what its holder has goes on under the same number', async (t) => {
  const { client, redis } = await rig(t)
  const now = client.view.now()
  const { current } = await client.reservations.reserve({
    instrument: ID,
    holder: ANN,
    until: now + HOUR + 500,
  })
  await client.reservations.book({ instrument: ID, holder: ANN, from: now + HOUR, until: now + 5 * HOUR })
  await age(redis, HOUR)
  const later = await client.reservations.of(ID)
  assert.equal(later.current?.fence, current?.fence)
  assert.deepEqual(later.bookings, [])
  assert.ok(Date.parse(later.current?.until ?? '') - client.view.now() > 3 * HOUR)
})

test('a run reserves several, all or none, renews up to a booking, and gives them back', async (t) => {
  const { client } = await rig(t)
  const both = { instruments: [ID, 'pump'], holder: RUN, forMs: 60_000, onExpiry: 'safe' } as const
  await client.reservations.reserve({ instrument: 'pump', holder: ANN, forMs: HOUR })
  await assert.rejects(client.reservations.reserveTogether(both), { message: /pump is reserved by Ann/ })
  assert.equal((await client.reservations.of(ID)).current, null)
  await client.reservations.giveBack({ instrument: 'pump', holder: ANN })
  const fences = await client.reservations.reserveTogether(both)
  assert.deepEqual(Object.keys(fences), [ID, 'pump'])
  await submit(client, 'run r-1', fences[ID])
  await assert.rejects(submit(client, 'run r-1', (fences[ID] ?? 0) - 1), RESERVED)
  // What it has already it keeps under the same numbers.
  assert.deepEqual(await client.reservations.reserveTogether(both), fences)
  const from = client.view.now() + 90_000
  await client.reservations.book({ instrument: ID, holder: BOB, from, until: from + HOUR })
  await client.reservations.giveBack({
    instrument: 'pump',
    holder: { kind: 'person', name: 'Root' },
    admin: true,
    reason: 'test',
  })
  const renewed = await client.reservations.renewTogether({ fences, holder: RUN, forMs: HOUR })
  assert.deepEqual(renewed, { [ID]: from, pump: null })
  await assert.rejects(client.reservations.reserveTogether({ ...both, forMs: HOUR }), {
    message: /booked by Боб/,
  })
  await client.reservations.releaseTogether({ fences, holder: RUN })
  assert.equal((await client.reservations.of(ID)).current, null)
})

test('of runs that want overlapping sets at once each instrument has one holder, and none is held by who did not get all', async (t) => {
  const { clients } = await rig(t)
  const sets = [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['a', 'b', 'c'],
  ]
  for (let round = 0; round < 10; round += 1) {
    const got = await Promise.allSettled(
      sets.map((names, n) =>
        clients[n === 0 ? 0 : 1].reservations.reserveTogether({
          instruments: names.map((name) => `${name}-${round}`),
          holder: { kind: 'run', name: `r-${n}` },
          forMs: HOUR,
        }),
      ),
    )
    assert.equal(got.filter(({ status }) => status === 'fulfilled').length, 1)
    const winner = got.findIndex(({ status }) => status === 'fulfilled')
    for (const name of ['a', 'b', 'c']) {
      const current = (await clients[0].reservations.of(`${name}-${round}`)).current
      assert.equal(current?.holder.name, sets[winner]?.includes(name) ? `r-${winner}` : undefined)
    }
  }
})

test('an end with the policy safe is remembered until a worker has made the outputs safe; giving back is none', async (t) => {
  const { client, worker, redis } = await rig(t)
  const safely = { instrument: ID, holder: ANN, forMs: HOUR, onExpiry: 'safe' } as const
  const known = async () => (await worker.reservations([ID])).get(ID)
  await client.reservations.reserve(safely)
  await client.reservations.giveBack({ instrument: ID, holder: ANN })
  assert.equal((await known())?.unsafe, null)
  const { current } = await client.reservations.reserve(safely)
  await age(redis, HOUR)
  const unsafe = (await known())?.unsafe
  assert.deepEqual(unsafe, { fence: current?.fence, name: 'Ann' })
  // Nothing begins before it has been tried.
  const { record } = await submit(client, BOB.name)
  assert.equal((await worker.begin(record.id, ID, 'link', 0)).answer, 'unsafe')
  await worker.madeSafe(ID, 1)
  assert.equal((await worker.begin(record.id, ID, 'link', 0)).answer, 'unsafe')
  await worker.madeSafe(ID, unsafe?.fence ?? 0)
  assert.equal((await known())?.unsafe, null)
  assert.equal((await worker.begin(record.id, ID, 'link', 0)).answer, 'ok')
})

test('one who sends no command for an hour is shown as idle, unless they declared a quiet period', async (t) => {
  const { client, redis } = await rig(t)
  const idle = async (): Promise<string | undefined> => (await client.reservations.of(ID)).current?.idleSince
  const quiet = { instrument: ID, holder: ANN, forMs: 10 * HOUR, quietUntil: client.view.now() + 3 * HOUR }
  const { current } = await client.reservations.reserve(quiet)
  assert.equal(Date.parse(current?.quietUntil ?? ''), quiet.quietUntil)
  await assert.rejects(submit(client, BOB.name), { message: /No answer is to be expected before/ })
  await redis.call('DEL', '{golem:test}:reservations-used')
  await age(redis, 2 * HOUR)
  assert.equal(await idle(), undefined)
  await age(redis, 3 * HOUR)
  assert.ok(await idle())
  assert.match(await messages(client), /Ann, who has sent no command for .* and declared no quiet period/)
  await submit(client, 'Ann')
  assert.equal(await idle(), undefined)
})

test('numbers do not go backwards when Redis has lost everything', async (t) => {
  const { client, redis } = await rig(t)
  const { current } = await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  await redis.call('DEL', '{golem:test}:reservations')
  const { current: next } = await client.reservations.reserve({ instrument: ID, holder: BOB, forMs: HOUR })
  assert.ok((next?.fence ?? 0) > (current?.fence ?? 0))
})

test('what is over, or ends before it begins, is refused', async (t) => {
  const { client } = await rig(t)
  const now = client.view.now()
  const past = { instrument: ID, holder: ANN, until: now - 1_000 }
  await assert.rejects(client.reservations.reserve(past), { code: 'INVALID_REQUEST' })
  await assert.rejects(client.reservations.book({ ...past, from: now - 2_000 }), { code: 'INVALID_REQUEST' })
  await assert.rejects(client.reservations.handOver({ instrument: ID, holder: ANN, to: BOB }), {
    code: 'INVALID_REQUEST',
  })
  assert.equal((await client.reservations.of(ID)).current, null)
})

test('the line and the bookings have an end', async (t) => {
  const { client } = await rig(t)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  const waits = (n: number) =>
    client.reservations.reserve({
      instrument: ID,
      holder: { kind: 'person', name: `p${n}` },
      forMs: HOUR,
      wait: true,
    })
  for (let n = 0; n < 50; n += 1) await waits(n)
  await assert.rejects(waits(50), { code: 'QUEUE_FULL' })
})

test('a waiting command of the holder is cancelled by nobody else', async (t) => {
  const { client } = await rig(t)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR, share: ['Eve'] })
  const { record } = await submit(client, 'Ann')
  await assert.rejects(client.cancel(record.id, BOB.name), RESERVED)
  const { record: second } = await submit(client, 'Ann')
  assert.equal((await client.cancel(second.id, 'Eve')).code, 'COMMAND_CANCELLED')
  assert.equal((await client.cancel(record.id, 'Ann')).code, 'COMMAND_CANCELLED')
  // One's own command may be cancelled also when somebody else has the instrument by then.
  await client.reservations.giveBack({ instrument: ID, holder: ANN })
  const { record: third } = await submit(client, BOB.name)
  await client.reservations.reserve({ instrument: ID, holder: ANN, forMs: HOUR })
  assert.equal((await client.cancel(third.id, BOB.name)).code, 'COMMAND_CANCELLED')
})
