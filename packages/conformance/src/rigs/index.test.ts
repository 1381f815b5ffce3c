import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError, type Model } from '@golem/core'
import { builtIn, modelFileOf, SHIPPED_MODELS } from '@golem/drivers'
import { Bench } from '../bench.ts'
import { rigFor, type Way } from './index.ts'

function modelOf(id: string): Model {
  const model = builtIn.find((each) => each.id === id) ?? modelFileOf(id, [SHIPPED_MODELS]).model
  assert.ok(model, id)
  return model
}

const WAYS: readonly Way[] = ['tcp', 'serial', 'usbtmc', 'rtu-tcp']

for (const [id, ways] of [
  ['siglent-spd', ['tcp', 'serial', 'usbtmc']],
  ['nmea', ['tcp', 'serial']],
  ['sba5', ['tcp', 'serial']],
  ['modbus-temperature-controller', ['tcp', 'serial', 'rtu-tcp']],
  ['esp32-relay', ['tcp']],
  ['tasmota-plug', ['tcp']],
  ['tc420', []],
] as const) {
  test(`${id}: is reached in these ways and no other: ${ways.join(', ') || 'its own bus'}`, async () => {
    const model = modelOf(id)
    for (const way of WAYS) {
      if (!(ways as readonly Way[]).includes(way)) {
        assert.throws(
          () => rigFor(model, way),
          (error) =>
            error instanceof GolemError && error.message.startsWith(`${id} can't be tried over ${way}: `),
        )
        continue
      }
      const bench = await Bench.start(rigFor(model, way))
      try {
        const { error } = await bench.poll()
        assert.equal(error, null, `${way}: ${error?.message}`)
      } finally {
        await bench.close()
      }
    }
    assert.equal(rigFor(model).model.id, id)
  })
}
