import type { SiteClient, SubmitRequest } from '@golem/queue'
import { clearQueue, initDb, openSiteClient, WorkerClient } from '@golem/queue'
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { type TestRedis, startRedis } from '../kit/redis.ts'

const REQUEST: SubmitRequest = {
  instrument: 'board',
  target: { parameter: 'relay0', value: true },
  by: 'test',
  validForMs: 30_000,
}

async function open(t: TestContext, maxWaiting = 32): Promise<{ redis: TestRedis; client: SiteClient }> {
  const redis = await startRedis()
  const client = openSiteClient({ site: 'test', redisUrl: redis.url, maxWaiting })
  t.after(async () => {
    await client.close()
    await redis.close()
  })
  await eventually(() => client.view.bus.ok, { what: 'Redis is heard' })
  return { redis, client }
}

test('a command is in the ledger and waits, with times by the clock of Redis', async (t) => {
  const { client } = await open(t)
  const { record, created } = await client.submit(REQUEST)
  assert.equal(created, true)
  assert.equal(record.state, 'queued')
  assert.equal(Date.parse(record.validUntil) - Date.parse(record.submittedAt), 30_000)
  assert.deepEqual(await client.getCommand(record.id), record)
  await eventually(() => client.view.queues.get('board')?.waiting === 1, { what: 'the view counts it' })
})

test('the same idempotency key gives the same command, also from three requests at once', async (t) => {
  const { client } = await open(t)
  const keyed = { ...REQUEST, idempotencyKey: 'again' }
  const answers = await Promise.all([client.submit(keyed), client.submit(keyed), client.submit(keyed)])
  assert.equal(new Set(answers.map(({ record }) => record.id)).size, 1)
  assert.equal(answers.filter(({ created }) => created).length, 1)
  assert.equal((await client.listCommands({ limit: 10 })).length, 1)
})

test('an idempotency key used for something else is refused', async (t) => {
  const { client } = await open(t)
  await client.submit({ ...REQUEST, idempotencyKey: 'k' })
  const other = { ...REQUEST, target: { parameter: 'relay0', value: false }, idempotencyKey: 'k' }
  await assert.rejects(client.submit(other), { code: 'KEY_REUSED' })
})

test('no more commands wait than may, also when many come at once', async (t) => {
  const { client } = await open(t, 5)
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => client.submit(REQUEST)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5)
  for (const result of results) {
    if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'QUEUE_FULL')
  }
})

test('a waiting command can be cancelled, once', async (t) => {
  const { client } = await open(t)
  const { record } = await client.submit(REQUEST)
  const cancelled = await client.cancel(record.id, 'anna')
  assert.equal(cancelled.outcome, 'refused')
  assert.equal(cancelled.code, 'COMMAND_CANCELLED')
  assert.match(cancelled.message ?? '', /anna/)
  await assert.rejects(client.cancel(record.id, 'anna'), { code: 'NOT_WAITING' })
  await assert.rejects(client.cancel('nothing', 'anna'), { code: 'UNKNOWN_COMMAND' })
})

test('what waits past its valid-until is refused even when no worker is there', async (t) => {
  const { client } = await open(t)
  const { record } = await client.submit({ ...REQUEST, validForMs: 1 })
  const ended = await eventually(
    async () => {
      const now = await client.getCommand(record.id)
      return now.state === 'ended' ? now : undefined
    },
    { what: 'it is refused' },
  )
  assert.equal(ended.code, 'COMMAND_EXPIRED')
  assert.equal(ended.effect, 'none')
})

test('a stop refuses what waits and what comes, until it is released', async (t) => {
  const { client } = await open(t)
  const { record } = await client.submit(REQUEST)
  await client.stop({ by: 'anna', reason: 'smoke' })
  const refused = await client.waitForOutcome(record.id, 5_000)
  assert.equal(refused.code, 'STOPPED')
  await assert.rejects(client.submit(REQUEST), { code: 'STOPPED', message: /anna.*smoke/ })
  await eventually(() => client.view.stop.site?.by === 'anna', { what: 'the view shows the stop' })
  await client.releaseStop({ by: 'anna' })
  await client.submit(REQUEST)
})

test('the stop of one instrument leaves the others alone', async (t) => {
  const { client } = await open(t)
  await client.stop({ instrument: 'lamp', by: 'a"b', reason: 'hot \\ "lamp"' })
  await client.submit(REQUEST)
  await assert.rejects(client.submit({ ...REQUEST, instrument: 'lamp' }), { code: 'STOPPED' })
  const stop = await client.releaseStop({ instrument: 'lamp', by: 'a' })
  assert.deepEqual(stop, { site: null, instruments: {} })
})

test('the ledger keeps the newest 20,000 commands and those that have not ended', async (t) => {
  const { client, redis } = await open(t)
  const cancelled = await client.submit(REQUEST)
  await client.cancel(cancelled.record.id, 'test')
  const { record: waits } = await client.submit(REQUEST)
  const later = String(Date.now() + 1_000_000)
  const fill = `for n = 1, 20000 do redis.call('ZADD', KEYS[1], ARGV[1] + n, 'later-' .. n) end`
  await redis.call('EVAL', fill, '1', '{golem:test}:commands', later)
  await client.submit(REQUEST)
  await assert.rejects(client.getCommand(cancelled.record.id), { code: 'UNKNOWN_COMMAND' })
  assert.equal((await client.getCommand(waits.id)).state, 'queued')
})

test('clear-queue ends what waits as refused in the ledger', async (t) => {
  const { client, redis } = await open(t)
  const { record } = await client.submit(REQUEST)
  await client.submit({ ...REQUEST, instrument: 'lamp' })
  const options = { site: 'test', redisUrl: redis.url, by: 'me' }
  assert.equal(await clearQueue({ ...options, instruments: ['board'] }), 1)
  const cleared = await client.getCommand(record.id)
  assert.equal(cleared.code, 'QUEUE_CLEARED')
  assert.equal(await clearQueue({ ...options, instruments: ['lamp'] }), 1)
})

test('init-db removes the keys of its own site and nothing else', async (t) => {
  const { client, redis } = await open(t)
  await client.submit(REQUEST)
  await redis.call('SET', 'foreign', 'stays')
  await redis.call('SET', '{golem:test2}:epoch', 'stays')
  assert.ok((await initDb({ site: 'test', redisUrl: redis.url })) > 0)
  assert.deepEqual((await redis.call('KEYS', '{golem:test}:bull:*')).trim(), '')
  assert.deepEqual((await redis.call('KEYS', '{golem:test}:command*')).trim(), '')
  assert.equal(await redis.call('GET', 'foreign'), 'stays')
  assert.equal(await redis.call('GET', '{golem:test2}:epoch'), 'stays')
  await eventually(() => client.view.queues.size === 0, { what: 'the view has begun anew' })
})

test('a command given to a frozen Redis is called unknown soon, refused at once when that is known, and never accepted late', async (t) => {
  const { client, redis } = await open(t)
  redis.freeze()
  await assert.rejects(client.submit(REQUEST), { code: 'HANDOVER_UNKNOWN' })
  await eventually(() => !client.view.bus.ok, { what: 'the silence is noticed' })
  await assert.rejects(client.submit(REQUEST), { code: 'QUEUE_DOWN' })
  redis.resume()
  await eventually(() => client.view.bus.ok, { what: 'Redis is heard again' })
  assert.deepEqual(await client.listCommands({ limit: 10 }), [])
  await client.submit(REQUEST)
})

test('after Redis was killed and started the client goes on by itself', async (t) => {
  const { client, redis } = await open(t)
  const { record } = await client.submit(REQUEST)
  await redis.kill()
  await eventually(() => !client.view.bus.ok, { what: 'the loss is noticed' })
  await assert.rejects(client.getCommand(record.id), { code: 'QUEUE_DOWN' })
  await redis.start()
  await eventually(() => client.view.bus.ok, { what: 'Redis is heard again' })
  assert.equal((await client.getCommand(record.id)).state, 'queued')
})

test('the numbers of a long result are kept apart from the ledger, bit by bit', async (t) => {
  const { redis, client } = await open(t)
  const worker = new WorkerClient({
    site: 'test',
    redisUrl: redis.url,
    worker: 'w',
    leaseMs: 10_000,
    onError: () => undefined,
    onControl: () => undefined,
    onLeaseLost: () => undefined,
    onReady: () => undefined,
  })
  t.after(() => worker.close())
  const { record } = await client.submit(REQUEST)
  await assert.rejects(client.result(record.id), { code: 'NOT_FOUND' })
  const numbers = Array.from({ length: 100_000 }, (_, index) => Math.sin(index) * 1e-9)
  await eventually(() => worker.keepResult(record.id, numbers).then(() => true), { what: 'it is kept' })
  await worker.finish(
    record,
    { outcome: 'done', effect: 'done', resultItems: numbers.length },
    Date.parse(record.submittedAt) + 5,
  )
  const ended = await client.getCommand(record.id)
  assert.equal(ended.resultItems, 100_000)
  assert.equal(ended.result, undefined)
  assert.deepEqual([...(await client.result(record.id))], numbers)
  await redis.call('del', `{golem:test}:result:${record.id}`)
  await assert.rejects(client.result(record.id), { code: 'NOT_FOUND', message: /kept for an hour/ })
})
