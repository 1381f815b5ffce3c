import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './eventually.ts'

test('the first truthy value is given back, and what is thrown before counts as not yet', async () => {
  let calls = 0
  const value = await eventually(
    () => {
      calls++
      if (calls === 1) throw new Error('too early')
      return calls === 3 ? 'here' : undefined
    },
    { what: 'it is here', everyMs: 1 },
  )
  assert.equal(value, 'here')
  assert.equal(calls, 3)
})

test('the message says what did not happen and what was seen last', async () => {
  await assert.rejects(
    eventually(() => Promise.reject(new Error('still dark')), {
      what: 'the lamp is on',
      timeoutMs: 5,
      everyMs: 1,
    }),
    /not happen within 5 ms that the lamp is on\. The last attempt gave: still dark/,
  )
})
