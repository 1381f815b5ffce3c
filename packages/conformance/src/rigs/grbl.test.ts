import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@golem/core'
import { builtIn } from '@golem/drivers'
import { Bench } from '../bench.ts'
import { grblRig } from './grbl.ts'

const model = builtIn.find(({ id }) => id === 'grbl')
assert.ok(model)

for (const place of ['tcp', 'serial'] as const) {
  test(`${place}: it moves after somebody has looked where it stands, and a stop is real-time bytes`, async () => {
    const maker = grblRig(model, place)
    assert.ok(maker)
    const bench = await Bench.start(maker)
    try {
      const first = await bench.poll()
      assert.equal(first.error, null)
      assert.ok(isFault(first.readings['x'] ?? 0), 'nobody has looked yet')
      assert.equal((await bench.write('x', 12)).error, null)
      assert.equal((await bench.poll()).readings['x'], 12)
      assert.equal((await bench.write('feedOverride', 120)).error, null)
      assert.equal(bench.rig.truth?.()['feedOverride'], 120)

      const moving = bench.write('x', 2)
      const isLine = (key: string): boolean => key.startsWith('G21')
      while (bench.wire.arrived.filter(({ key }) => isLine(key)).length < 2) {
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      const stop = await bench.stop()
      assert.deepEqual([stop.error, stop.missed], [null, []])
      assert.notEqual((await moving).error, null)
      const keys = bench.wire.arrived.map(({ key }) => key)
      assert.ok(keys.indexOf('0x18') > keys.indexOf('!'), keys.join(' '))

      await bench.rig.reboot?.()
      assert.equal(bench.rig.truth?.()['feedOverride'], 100)
      assert.deepEqual(bench.wire.errors, [])
    } finally {
      await bench.close()
    }
  })
}

test('a real-time byte that comes into a line is acted on at once, and the line is carried out whole', async () => {
  const maker = grblRig(model, 'tcp')
  assert.ok(maker)
  const bench = await Bench.start(maker)
  try {
    let said = ''
    const far = bench.wire.attach({
      write: (bytes) => (said += bytes.toString('latin1')),
      hangUp: () => undefined,
    })
    far.receive(Buffer.from('$J=G91X1'))
    far.receive(Buffer.from('?F3000\n'))
    while (!said.includes('ok')) await new Promise((resolve) => setTimeout(resolve, 2))
    assert.match(said, /^<Idle\|.*>\r\nok\r\n/)
    far.close()
  } finally {
    await bench.close()
  }
})

test('other models have no such rig', () => {
  for (const other of builtIn) if (other !== model) assert.equal(grblRig(other, 'tcp'), undefined)
})
