import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtIn } from '@golem/drivers'
import { Bench } from '../bench.ts'
import { seededFaults } from '../soak-faults.ts'
import { tc420Rig } from './tc420.ts'

const model = builtIn.find(({ id }) => id === 'tc420')
assert.ok(model)
const maker = tc420Rig(model)
assert.ok(maker)

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = await Bench.start(maker as NonNullable<typeof maker>)
  try {
    assert.equal((await bench.poll()).error, null)
    await use(bench)
    assert.deepEqual(bench.wire.errors, [])
  } finally {
    await bench.close()
  }
}

/** Polls until one is good, a few times. */
async function recovered(bench: Bench): Promise<boolean> {
  for (let tries = 0; tries < 3; tries += 1) if (!(await bench.poll()).error) return true
  return false
}

test('its light is what is written; without power it is dark until the next poll', () =>
  withBench(async (bench) => {
    assert.equal((await bench.write('channel2', 70)).error, null)
    assert.equal(bench.rig.truth?.()['channel2'], 70)
    await bench.rig.reboot?.()
    assert.deepEqual(bench.rig.truth?.(), {})
    assert.ok(await recovered(bench))
    assert.equal(bench.rig.truth?.()['channel2'], 70)
  }))

test('reports that are stray, short, doubled, spoilt or missing are no success', () =>
  withBench(async (bench) => {
    assert.equal((await bench.write('channel1', 30)).error, null)
    for (const kind of [
      'garbage',
      'terminator',
      'silence',
      'drop',
      'cut',
      'refuse',
      'wrongIdentity',
    ] as const) {
      await bench.wire.setFaults([{ kind }])
      const { error } = await bench.write('channel1', 60)
      assert.notEqual(error, null, kind)
      await bench.wire.setFaults([])
      assert.ok(await recovered(bench), kind)
      // What was not acknowledged is not what it holds.
      assert.equal((await bench.poll()).readings['channel1'], 30, kind)
      assert.equal(bench.rig.truth?.()['channel1'], 30, kind)
    }
    await bench.wire.setFaults([{ kind: 'duplicate' }])
    await bench.write('channel1', 60)
    await bench.wire.setFaults([])
    assert.ok(await recovered(bench))
    assert.equal((await bench.poll()).readings['channel1'], bench.rig.truth?.()['channel1'])
  }))

test('it refuses by repeating the request', () =>
  withBench(async (bench) => {
    const { refusal } = bench.rig
    assert.ok(refusal && !Buffer.isBuffer(refusal.answer))
    await bench.wire.setFaults([
      { kind: 'terminator', spoil: refusal.answer, match: refusal.match, times: 1 },
    ])
    assert.equal((await bench.write('channel1', 30)).error?.code, 'INSTRUMENT_REFUSED')
  }))

test('what has no meaning on USB is named with its reason', () => {
  assert.deepEqual(Object.keys(maker.without ?? {}), ['slow drip', 'half-open connection'])
  const kinds = (without?: typeof maker.without): string[] =>
    seededFaults(1000, without).map(({ kind }) => kind)
  assert.deepEqual(
    kinds().filter((kind) => !kinds(maker.without).includes(kind)),
    ['halfOpen'],
  )
})
