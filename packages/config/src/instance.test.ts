import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { applyCalibration, newestOf } from '@golem/calibration'
import { calibrationSchema } from './calibrations-schema.ts'
import { loadSite } from './load-site.ts'
import { siteSchema } from './site-schema.ts'

const INSTANCE = new URL('../../../instance/', import.meta.url)
const load = (name: string): ReturnType<typeof loadSite> =>
  loadSite(fileURLToPath(new URL(name, INSTANCE)), { env: {} })

const SHIPPED = ['demo.yaml', 'clay-golem.yaml', 'site.example.yaml']

test('every site file that ships loads, and names the schema for editors in its first line', () => {
  for (const name of SHIPPED) {
    assert.doesNotThrow(() => load(name), name)
    const [first] = readFileSync(new URL(name, INSTANCE), 'utf8').split('\n')
    assert.equal(first, '# yaml-language-server: $schema=site.schema.json')
  }
  const there = readdirSync(INSTANCE).filter((name) => name.endsWith('.yaml') && name !== 'site.yaml')
  assert.deepEqual(there.sort(), [...SHIPPED].sort())
})

test('the schemas for editors are up to date (npm run schema --workspace @golem/config)', () => {
  assert.deepEqual(JSON.parse(readFileSync(new URL('site.schema.json', INSTANCE), 'utf8')), siteSchema)
  const calibration = readFileSync(new URL('calibration.schema.json', INSTANCE), 'utf8')
  assert.deepEqual(JSON.parse(calibration), calibrationSchema)
})

const DEVICES =
  `SBA5_CO2_sensor Lamp_0 Relay_0 Relay_1 Relay_2 Relay_3 exp_ext_temp exp_ext_hum exp_int_temp exp_int_hum
  exp_roots_temp Exp_vent_left Exp_vent_right Exp_valve_left Exp_valve_right CO2_air_pump CO2_valve Exp_lamp Control_lamp
  Control_vent_left Control_vent_right Control_valve_left Control_valve_right control_int_temp control_int_hum
  control_roots_temp`.split(/\s+/)

test("both stands have clay_golem's 26 devices, and differ in their addresses, the demo's bench and its alarms only", () => {
  const [whole, real] = [load('demo.yaml'), load('clay-golem.yaml')]
  const demo = { instruments: whole.instruments.filter(({ group }) => group !== 'Bench') }
  const labels = demo.instruments.flatMap(({ parameters }) =>
    Object.values(parameters).flatMap(({ label, hidden }) => (label !== undefined && !hidden ? [label] : [])),
  )
  // A lamp has red, white and driver temperature, each behind the name of the lamp.
  assert.deepEqual(new Set(labels.map((label) => label.replace(/ .*$/, ''))), new Set(DEVICES))
  assert.equal(DEVICES.length, 26)
  const withoutAddress = ({ instruments }: Pick<typeof whole, 'instruments'>): unknown[] =>
    instruments.map((instrument) => {
      const parameters = Object.entries(instrument.parameters).map(([name, parameter]) => [
        name,
        { ...parameter, alarms: [] },
      ])
      return { ...instrument, address: '', endpoint: null, link: '', parameters }
    })
  assert.deepEqual(withoutAddress(real), withoutAddress(demo))
  assert.deepEqual(
    demo.instruments.map(({ address }) => address),
    ['relay-1', 'relay-2', 'relay-3', 'relay-5', 'lamp-0', 'lamp-1', 'lamp-2', 'sba5'].map(
      (name) => `sim:${name}`,
    ),
  )
})

test("the demo shows clay_golem's PPFD of its experiment lamp, and the CO2 uptake", () => {
  const { calibrations, derived, instruments } = load('demo.yaml')
  const lamp = instruments.find(({ id }) => id === 'exp-lamp')
  assert.deepEqual(lamp?.calibrations?.['ppfd'], {
    from: ['red', 'white'],
    use: 'lamp-ppfd',
    writable: false,
  })
  const ppfd = newestOf(calibrations).get('lamp-ppfd')
  assert.ok(ppfd)
  const value = applyCalibration(ppfd, [40, 40])
  assert.ok(typeof value === 'number' && Math.abs(value - 454.9641) < 1e-4)
  const { derivation, from, factor } = derived[0]?.parameters['co2Uptake'] ?? {}
  assert.deepEqual(from, [{ instrument: 'co2', parameter: 'co2' }])
  assert.deepEqual([derivation?.kind, factor], ['rate', -1])
})
