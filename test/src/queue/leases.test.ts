import type { WorkerRecord } from '@golem/core'
import { WorkerClient } from '@golem/queue'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { type TestRedis, startRedis } from '../kit/redis.ts'

const LINK = 'http:board:80'
/** Short, so that the tests are; every wait is for a condition, not for a time. */
const LEASE_MS = 1_000

interface Rig {
  redis: TestRedis
  worker: (id: string) => { client: WorkerClient; lost: string[]; heard: unknown[] }
}

async function rig(t: TestContext): Promise<Rig> {
  const redis = await startRedis()
  const clients: WorkerClient[] = []
  t.after(async () => {
    for (const client of clients) client.close()
    await redis.close()
  })
  return {
    redis,
    worker(id) {
      const lost: string[] = []
      const heard: unknown[] = []
      const client = new WorkerClient({
        site: 'test',
        redisUrl: redis.url,
        worker: id,
        leaseMs: LEASE_MS,
        onError: () => undefined,
        onControl: (message) => heard.push(message),
        onLeaseLost: (link) => lost.push(link),
        onReady: () => undefined,
      })
      clients.push(client)
      return { client, lost, heard }
    },
  }
}

const acquire = (client: WorkerClient, known = 0): Promise<number | undefined> =>
  eventually(async () => ({ fence: await client.leases.acquire(LINK, known) }), {
    what: 'Redis answers',
  }).then(({ fence }) => fence)

test('of two workers that want a link, one gets it', async (t) => {
  const { worker } = await rig(t)
  const [a, b] = [worker('a'), worker('b')]
  const fences = await Promise.all([acquire(a.client), acquire(b.client)])
  assert.equal(fences.filter((fence) => fence !== undefined).length, 1)
  assert.notEqual(a.client.leases.holds(LINK), b.client.leases.holds(LINK))
})

test('a lease that is renewed stays; a released one can be taken at once, with a higher fencing number', async (t) => {
  const { worker } = await rig(t)
  const [a, b] = [worker('a'), worker('b')]
  const first = await acquire(a.client)
  for (let n = 0; n < 5; n += 1) {
    await sleep(LEASE_MS / 4)
    await a.client.leases.renew()
  }
  assert.equal(a.client.leases.holds(LINK), true)
  assert.equal(await b.client.leases.acquire(LINK, 0), undefined)
  await a.client.leases.release(LINK)
  const second = await acquire(b.client)
  assert.ok((second ?? 0) > (first ?? 0))
  await eventually(() => b.heard.some((message) => JSON.stringify(message).includes('released')), {
    what: 'the others hear of the release',
  })
})

test('a lease is over for its holder before it is over in Redis', async (t) => {
  const { worker, redis } = await rig(t)
  const { client } = worker('a')
  await acquire(client)
  await eventually(() => !client.leases.holds(LINK), { what: 'the holder gives up', everyMs: 1 })
  assert.equal(await redis.call('EXISTS', `{golem:test}:lease:${LINK}`), '1')
  assert.throws(() => client.leases.guard(LINK), { code: 'LEASE_LOST' })
})

test('a holder that was frozen past its lease is told so and holds nothing, even if nobody took it', async (t) => {
  const { worker } = await rig(t)
  const { client, lost } = worker('a')
  await acquire(client)
  await sleep(LEASE_MS + 50)
  await client.leases.renew()
  assert.deepEqual(lost, [LINK])
  assert.equal(client.leases.holds(LINK), false)
})

test('while Redis is frozen the lease runs out at its holder', async (t) => {
  const { worker, redis } = await rig(t)
  const { client, lost } = worker('a')
  await acquire(client)
  redis.freeze()
  await assert.rejects(client.leases.renew())
  assert.deepEqual(lost, [LINK])
  redis.resume()
})

test('a Redis that has lost its fencing numbers does not give out an old one again', async (t) => {
  const { worker, redis } = await rig(t)
  const { client } = worker('a')
  await acquire(client)
  await redis.call('DEL', '{golem:test}:fences', `{golem:test}:lease:${LINK}`)
  assert.equal(
    await worker('b')
      .client.leases.acquire(LINK, 7)
      .catch(() => acquire(worker('c').client, 7)),
    8,
  )
})

test('a worker learns that another one goes by its name, and leaves the other its place', async (t) => {
  const { worker } = await rig(t)
  const [first, second] = [worker('twin'), worker('twin')]
  const record = (host: string): WorkerRecord => ({
    id: 'twin',
    host,
    pid: process.pid,
    version: '0',
    node: process.version,
    startedAt: new Date().toISOString(),
    lastSeen: new Date(first.client.clock.now()).toISOString(),
    links: [],
    rssMb: 0,
    cpuPercent: 0,
    loopLagMs: 0,
  })
  const beat = (client: WorkerClient, host: string): Promise<WorkerRecord | null> =>
    eventually(async () => ({ other: await client.beat(record(host)) }), { what: 'Redis answers' }).then(
      ({ other }) => other,
    )
  assert.equal(await beat(first.client, 'pi-1'), null)
  assert.equal((await beat(second.client, 'pi-2'))?.host, 'pi-1')
  assert.deepEqual(
    (await first.client.workers()).map(({ host }) => host),
    ['pi-1'],
  )
  assert.equal(await beat(first.client, 'pi-1'), null)
})
