import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelFileOf, SHIPPED_MODELS } from '@golem/drivers'
import { Bench } from '../bench.ts'
import type { RigMaker } from '../rig.ts'
import { modbusRig } from './modbus.ts'

const { model } = modelFileOf('modbus-temperature-controller', [SHIPPED_MODELS])
assert.ok(model)

/** A bench on it, identified. */
async function withBench(maker: RigMaker | undefined, use: (bench: Bench) => Promise<void>): Promise<void> {
  assert.ok(maker)
  const bench = await Bench.start(maker)
  try {
    const { error } = await bench.poll()
    assert.equal(error, null)
    await use(bench)
    assert.deepEqual(bench.wire.errors, [])
  } finally {
    await bench.close()
  }
}

for (const line of ['tcp', 'rtu-tcp', 'rtu'] as const) {
  test(`${line}: is read and written, and a reboot loses what was set`, () =>
    withBench(modbusRig(model, line), async (bench) => {
      assert.equal((await bench.write('setpoint', 42.5)).error, null)
      assert.equal((await bench.poll()).readings['setpoint'], 42.5)
      await bench.rig.reboot?.()
      assert.equal((await bench.poll()).readings['setpoint'], 25)
    }))

  test(`${line}: another instrument is taken for one, nothing is written to it`, () =>
    withBench(modbusRig(model, line), async (bench) => {
      await bench.wire.setFaults([{ kind: 'wrongIdentity' }])
      bench.wire.hangUp()
      let code: string | undefined
      // The first one may find its connection just ended.
      for (let tries = 0; tries < 5 && code !== 'WRONG_INSTRUMENT'; tries += 1) {
        code = (await bench.write('setpoint', 42.5)).error?.code
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.equal(code, 'WRONG_INSTRUMENT')
      assert.ok(bench.wire.arrived.filter((each) => each.fault === 'wrongIdentity').length > 0)
      await bench.wire.setFaults([])
      assert.equal((await bench.poll()).readings['setpoint'], 25)
    }))

  test(`${line}: a frame that is wrong in one thing and right in all else is no reading`, () =>
    withBench(modbusRig(model, line), async (bench) => {
      const cases = modbusRig(model, line)?.more ?? []
      const names = ['wrong unit', 'wrong function', 'wrong length']
      assert.deepEqual(
        cases.map(({ name }) => name),
        line === 'tcp' ? [...names, 'wrong transaction'] : names,
      )
      for (const { name, fault, codes } of cases) {
        await bench.wire.setFaults([fault(500)])
        const { error, readings } = await bench.poll()
        assert.deepEqual(readings, {}, name)
        assert.ok(error && codes.includes(error.code), `${name}: ${error?.code}`)
        await bench.wire.setFaults([])
        let tries = 0
        while ((await bench.poll()).error && tries < 5) tries += 1
        assert.ok(tries < 3, `${name}: well again after ${tries} polls`)
      }
    }))

  test(`${line}: an exception is its no`, () =>
    withBench(modbusRig(model, line), async (bench) => {
      const { refusal } = bench.rig
      assert.ok(refusal && !Buffer.isBuffer(refusal.answer))
      await bench.wire.setFaults([
        { kind: 'terminator', spoil: refusal.answer, match: refusal.match, times: 1 },
      ])
      const { error } = await bench.write('setpoint', 42.5)
      assert.equal(error?.code, 'INSTRUMENT_REFUSED')
      assert.ok(error.message.includes(refusal.words))
    }))
}

test('on a serial line it says why it can not be half open; other models have no such rig', () => {
  assert.match(modbusRig(model, 'rtu')?.without?.['half-open connection'] ?? '', /no connection/)
  assert.equal(modbusRig(model, 'tcp')?.without, undefined)
  const { model: lines } = modelFileOf('keysight-34461a', [SHIPPED_MODELS])
  assert.ok(lines)
  assert.equal(modbusRig(lines, 'tcp'), undefined)
})
