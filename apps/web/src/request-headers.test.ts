import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idempotencyKey, waitSeconds } from './request-headers.ts'

test('Prefer: wait is understood among other preferences and capped', () => {
  assert.equal(waitSeconds(undefined), null)
  assert.equal(waitSeconds('respond-async'), null)
  assert.equal(waitSeconds('wait=10'), 10)
  assert.equal(waitSeconds('respond-async, Wait = "5"; x=y'), 5)
  assert.equal(waitSeconds('wait=100000'), 60)
  assert.equal(waitSeconds('waiter=3'), null)
})

test('a wait that is no whole number is refused by name', () => {
  for (const bad of [
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=soon',
    `wait=${'9'.repeat(20)}`,
    'x'.repeat(300),
  ]) {
    assert.throws(() => waitSeconds(bad), { field: 'header.prefer' }, bad)
  }
})

test('an idempotency key is short visible ASCII', () => {
  assert.equal(idempotencyKey(undefined), undefined)
  assert.equal(idempotencyKey('8f0c-1'), '8f0c-1')
  for (const bad of ['', 'a b', 'ключ', 'x'.repeat(201), ['a', 'b']]) {
    assert.throws(() => idempotencyKey(bad), { field: 'header.idempotency-key' })
  }
})
