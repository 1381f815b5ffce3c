import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelFileOf, SHIPPED_MODELS } from '@golem/drivers'
import { runConformance } from '../conformance.ts'
import { isAtLeast } from '../report.ts'
import { mqttRig } from './mqtt.ts'

test('a sensor behind a broker is gold: driver, real client, wire with faults, broker, played device', async () => {
  const maker = mqttRig(modelFileOf('zigbee2mqtt-climate', [SHIPPED_MODELS]).model)
  assert.ok(maker)
  const { level, findings } = await runConformance(maker, { exchanges: 0 })
  assert.ok(isAtLeast(level, 'gold'), JSON.stringify(findings.filter(({ status }) => status === 'failed')))
  const without = findings.filter(({ check }) => check === 'wrong terminator' || check === 'wrong identity')
  assert.deepEqual(
    without.map(({ status }) => status),
    ['does not apply', 'does not apply'],
  )
})

test('models of other transports have no device behind a broker', () => {
  assert.equal(mqttRig(modelFileOf('nmea', [SHIPPED_MODELS]).model), undefined)
})
