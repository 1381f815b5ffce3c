import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ClockTrust } from './clock-trust.ts'

const STEADY = { fault: null, jumpMs: 0, isKnown: true }
const START = Date.parse('2026-05-01T08:00:00Z')

async function clocks(
  t: TestContext,
  synchronised: boolean | null,
  policy: 'synchronised' | 'any' = 'synchronised',
) {
  const at = { site: START, own: START, monotonic: 5_000 }
  const trust = new ClockTrust(policy, {
    site: () => at.site,
    own: () => at.own,
    monotonic: () => at.monotonic,
    synchronised: async () => synchronised,
  })
  t.after(() => trust.end())
  const before = trust.look().fault
  trust.begin()
  await turn()
  const pass = (ms: number): void => {
    at.site += ms
    at.own += ms
    at.monotonic += ms
  }
  return { at, trust, pass, before }
}

test('a clock that is synchronised, or of which nobody knows, is trusted; not before that is asked', async (t) => {
  for (const known of [true, null]) {
    const { trust, before } = await clocks(t, known)
    assert.match(before ?? '', /not known yet/)
    assert.deepEqual(trust.look(), STEADY)
  }
})

test('a clock that is not synchronised is not trusted, unless any will do', async (t) => {
  const { trust } = await clocks(t, false)
  assert.match(trust.look().fault ?? '', /not synchronised.*clock: any/)
  const any = await clocks(t, false, 'any')
  assert.equal(any.before, null)
  assert.equal(any.trust.look().fault, null)
})

test('a clock that was never set is not trusted', async (t) => {
  const { at, trust } = await clocks(t, null, 'any')
  at.site = 12_000
  assert.match(trust.look().fault ?? '', /shows 1970-01-01T00:00:12.000Z/)
})

test('a jump against the monotonic clock is told, and the clock trusted when it has gone on evenly', async (t) => {
  for (const [by, words] of [
    [3_600_000, 'forward by 1 h'],
    [-3_600_000, 'back by 1 h'],
  ] as const) {
    const { at, trust, pass } = await clocks(t, null)
    pass(60_000)
    assert.deepEqual(trust.look(), STEADY)
    at.site += by
    const { fault, jumpMs } = trust.look()
    assert.match(fault ?? '', new RegExp(`The clock was set ${words}`))
    assert.equal(jumpMs, by)
    pass(9_000)
    assert.notEqual(trust.look().fault, null)
    pass(2_000)
    assert.deepEqual(trust.look(), STEADY)
  }
})

test('small corrections are no jumps', async (t) => {
  const { at, trust, pass } = await clocks(t, null)
  for (let n = 0; n < 10; n += 1) {
    pass(1_000)
    at.site += 500
    assert.deepEqual(trust.look(), STEADY)
  }
})

test("Redis' machine may not be far from one that is synchronised", async (t) => {
  const { at, trust, pass } = await clocks(t, true)
  at.own += 180_000
  pass(1_000)
  assert.match(trust.look().fault ?? '', /3 min away/)
})
