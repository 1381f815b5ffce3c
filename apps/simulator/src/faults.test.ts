import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAULT_KINDS, parseFault } from './faults.ts'

test('every kind of fault is taken, with its options', () => {
  for (const kind of FAULT_KINDS) assert.deepEqual(parseFault({ kind }), { kind })
  const full = { kind: 'delay', ms: 5, times: 2, act: false, match: { method: 'POST', path: '/relay' } }
  assert.deepEqual(parseFault(full), full)
})

const MISTAKES: [given: unknown, message: RegExp][] = [
  [null, /a fault is an object/],
  [[], /a fault is an object/],
  [{}, /"kind" has to be one of delay, late, /],
  [{ kind: 'explode' }, /"kind" has to be one of/],
  [{ kind: 'delay', millis: 5 }, /no "millis"/],
  [{ kind: 'delay', ms: '5' }, /"ms" is a number/],
  [{ kind: 'delay', ms: -1 }, /"ms" is 0 to/],
  [{ kind: 'hugeReply', bytes: 1e12 }, /"bytes" is 1 to/],
  [{ kind: 'silence', act: 1 }, /"act" is true or false/],
  [{ kind: 'wrongValue', fields: 'co2' }, /"fields" is a list/],
  [{ kind: 'silence', match: 'POST' }, /"match" is an object/],
  [{ kind: 'silence', match: { body: 'x' } }, /"match" is an object/],
  [{ kind: 'refuse', times: 2 }, /can't be limited/],
]

for (const [given, message] of MISTAKES) {
  test(`the fault ${JSON.stringify(given)} is refused`, () => {
    assert.throws(
      () => parseFault(given),
      (error: Error & { code?: string }) => error.code === 'INVALID_REQUEST' && message.test(error.message),
    )
  })
}
