import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAtLeast, rigFor, runConformance } from '@golem/conformance'
import { loadModels } from '@golem/drivers'
import { makeTempDir } from './temp.ts'

/**
 * Every model that golem ships, by the file conformance-GROUP.test.ts that tries it. Written down, not asked for: one that
 * gets lost would else be missed by nobody.
 */
export const SHIPPED = {
  boards: ['esp32-relay', 'esphome', 'pwm-lamp'],
  brokers: ['esphome-mqtt', 'tasmota-plug', 'zigbee2mqtt-climate', 'zigbee2mqtt-plug'],
  supplies: ['keithley-2400', 'rigol-dp800', 'siglent-spd'],
  meters: ['keysight-34461a', 'rigol-dg1000z', 'rigol-ds1000z'],
  controllers: ['lakeshore-335', 'modbus-temperature-controller', 'nmea'],
  devices: ['grbl', 'sba5', 'tc420'],
} as const

/** Nearly all of the time is waiting for time-outs: all checks of a model at the same time. */
const CHECKS_AT_ONCE = 64

/** Makes the tests of a group: each of its models is at least gold, without the many exchanges that platinum takes. */
export async function eachIsGold(group: keyof typeof SHIPPED): Promise<void> {
  const empty = makeTempDir()
  after(() => empty.remove())
  const { models } = await loadModels(empty.path)
  describe('every shipped model is at least gold', { concurrency: true }, () => {
    for (const id of SHIPPED[group]) {
      test(id, async () => {
        const model = models.get(id)
        assert.ok(model, `${id} is not there any more`)
        const report = await runConformance(rigFor(model), { exchanges: 0, concurrency: CHECKS_AT_ONCE })
        assert.ok(
          isAtLeast(report.level, 'gold'),
          `${id} is ${report.level ?? 'not even bronze'}: ${JSON.stringify(report.next, null, 2)}`,
        )
      })
    }
  })
}
