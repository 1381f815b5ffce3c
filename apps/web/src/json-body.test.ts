import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeeperThan } from './json-body.ts'

test('depth counts brackets outside of texts only', () => {
  assert.equal(isDeeperThan('{"a":[{"b":1}]}', 3), false)
  assert.equal(isDeeperThan('{"a":[{"b":1}]}', 2), true)
  assert.equal(isDeeperThan('{"a":"[[[[[[\\"[[[["}', 1), false)
  assert.equal(isDeeperThan('[],[],[],[]', 1), false)
  assert.equal(isDeeperThan('['.repeat(60_000), 16), true)
})
