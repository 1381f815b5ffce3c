import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText, models } from './testing.ts'
import { worstCases } from './worst-case.ts'

const SITE = `site: test
lease: 10 s
instruments:
  - { id: oven, model: heater, address: http://oven, onOrphaned: { safeAfter: 5 s }, parameters: { fan: { maxOn: 10 min } } }
  - { id: pump, model: heater, address: http://pump, host: pi-2 }
interlocks:
  - { name: hot, watch: { reading: oven.temperature, above: 90, for: 1 s }, trip: { oven.power: 0, pump.power: 0 } }
`

test('for each output: how long it may stay in a state that nobody wants', () => {
  const site = loadText(SITE, { models })
  const [oven, pump] = site.instruments
  assert.ok(oven && pump)
  assert.deepEqual(worstCases(site, oven, 'fan', { safe: false }), [
    'Redis lost: safe after 5.1 s.',
    'Its worker dies: safe after 12.0 s, if another worker is running; otherwise when one is started.',
    'maxOn: safe after 10 min, while a worker runs on its machine.',
  ])
  assert.deepEqual(worstCases(site, pump, 'power', { safe: 0 }), [
    'Redis lost: it stays as it is until Redis is back.',
    'Its worker dies: it stays as it is; another worker on pi-2 takes over after 12.0 s, if there is one.',
    'Interlock "hot": 2.1 s after its cause; 4.1 s after what it watches is lost, 4.1 s after Redis is.',
  ])
  assert.match(
    worstCases(site, oven, 'power', { safe: 0 }).join(),
    /"hot": 2\.1 s after its cause; 4\.1 s after what it watches is lost\.$/,
  )
  const rearmed = { ...pump, parameters: { power: { rules: { rearmMs: 20_000 } } } }
  assert.deepEqual(worstCases(site, rearmed, 'power', { safe: 0 }).slice(0, 2), [
    'Redis lost: it is re-armed for as long as its worker may, and off after 30.0 s by itself.',
    'Its worker dies, or its link is lost: off after 20.0 s by itself, unless another worker on pi-2 takes over before (after 12.0 s).',
  ])
  assert.match(worstCases(site, pump, 'mode', {}).join(), /^It has no safe value/)
})
