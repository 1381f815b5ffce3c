import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestRedis, startRedis } from './redis.ts'

describe('a private Redis', () => {
  let redis: TestRedis
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.close())

  test('keeps what was written when it is killed and started again', async () => {
    await redis.call('set', 'lamp', 'on')
    await redis.restart()
    assert.equal(await redis.call('get', 'lamp'), 'on')
  })

  test('loses what was written after the mark, and nothing else', async () => {
    await redis.call('set', 'before', '1')
    await redis.mark()
    await redis.call('set', 'after', '1')
    await redis.killAndRollBack()
    assert.equal(await redis.call('get', 'before'), '1')
    assert.equal(await redis.call('get', 'after'), '')
  })

  test('answers again after it was frozen', async () => {
    redis.freeze()
    const answer = redis.call('ping')
    redis.resume()
    assert.equal(await answer, 'PONG')
  })
})
