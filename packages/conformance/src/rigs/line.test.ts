import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelFileOf, SHIPPED_MODELS } from '@golem/drivers'
import { Bench } from '../bench.ts'
import type { Place } from './line.ts'
import { yamlLineRig } from './yaml-line.ts'

const { model } = modelFileOf('siglent-spd', [SHIPPED_MODELS])
assert.ok(model)
const MISSING: Readonly<Record<Place, readonly string[]>> = {
  tcp: [],
  serial: ['half-open connection'],
  usbtmc: ['slow drip', 'half-open connection'],
}

for (const place of ['tcp', 'serial', 'usbtmc'] as const) {
  test(`${place}: an instrument of lines is read, written, spoilt, pulled out, and another one`, async () => {
    const maker = yamlLineRig(model, place)
    assert.ok(maker)
    assert.deepEqual(Object.keys(maker.without ?? {}), MISSING[place])
    const bench = await Bench.start(maker)
    const recovered = async (): Promise<boolean> => {
      for (let tries = 0; tries < 4; tries += 1) if (!(await bench.poll()).error) return true
      return false
    }
    try {
      assert.equal((await bench.poll()).error, null)
      assert.equal((await bench.write('voltage1', 3.3)).error, null)
      assert.equal((await bench.poll()).readings['voltage1'], 3.3)
      for (const kind of ['cut', 'refuse', 'garbage', 'wrongIdentity'] as const) {
        await bench.wire.setFaults([{ kind, bytes: '#!\n', where: 'instead' }])
        if (kind === 'wrongIdentity') bench.wire.hangUp()
        const { error, readings } = await bench.poll()
        assert.notEqual(error, null, kind)
        assert.deepEqual(readings, {}, kind)
        await bench.wire.setFaults([])
        assert.ok(await recovered(), kind)
        assert.equal((await bench.poll()).readings['voltage1'], 3.3, kind)
      }
      // Another driver finds the same instrument, also where the port is one program's only.
      assert.equal(bench.rig.another?.kind, 'tcp')
      await bench.rig.reboot?.()
      await recovered()
      assert.notEqual((await bench.poll()).readings['voltage1'], 3.3)
      assert.deepEqual(bench.wire.errors, [])
    } finally {
      await bench.close()
    }
  })
}
