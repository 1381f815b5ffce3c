import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, loadText, models } from './testing.ts'

const INSTRUMENT =
  '{ id: oven, model: heater, address: http://oven, parameters: { power: { archive: RULE } } }'
const site = (archive: string, rule = '{}'): string =>
  `site: test\n${archive}\ninstruments:\n  - ${INSTRUMENT.replace('RULE', rule)}\n`
const faults = (text: string): string =>
  faultsOf(text, { models })
    .map(({ line, message }) => `${line}: ${message}`)
    .join('\n')
const DAY_MS = 86_400_000

test('without a word there is an archive in the instance folder, and nothing is forgotten', () => {
  const { archive, instanceDir } = loadText('site: test\ninstruments: []\n')
  assert.deepEqual(archive, {
    place: `${instanceDir}/archive/test.sqlite`,
    stream: 500_000,
    keep: { raw: null, minute: null, hour: null, events: null },
  })
  assert.equal(loadText(site('archive: false')).archive, null)
})

test('its place, what may wait, and how long what is kept', () => {
  const text = 'archive: { place: lab.sqlite, stream: 20000, keep: { raw: 90 d, minute: 2 y, events: 36 h } }'
  const { archive, instanceDir } = loadText(site(text))
  assert.deepEqual(archive, {
    place: `${instanceDir}/lab.sqlite`,
    stream: 20_000,
    keep: { raw: 90 * DAY_MS, minute: 730.5 * DAY_MS, hour: null, events: 1.5 * DAY_MS },
  })
  const server = loadText(site('archive: { place: "postgres://golem@db/lab" }'))
  assert.equal(server.archive?.place, 'postgres://golem@db/lab')
  const env = { GOLEM_ARCHIVE: 'postgres://golem:secret@db/lab' }
  assert.equal(loadText(site(text), { env }).archive?.place, env.GOLEM_ARCHIVE)
})

test('of a parameter: a dead-band and a heartbeat, or nothing at all', () => {
  const ruleOf = (rule: string): unknown =>
    loadText(site('', rule)).instruments[0]?.parameters['power']?.archive
  assert.deepEqual(ruleOf('{}'), { deadband: 0, heartbeatMs: 60_000 })
  assert.deepEqual(ruleOf('{ deadband: 0.5, heartbeat: 1 h }'), { deadband: 0.5, heartbeatMs: 3_600_000 })
  assert.equal(ruleOf('false'), false)
})

test('what is wrong is told with its line', () => {
  assert.match(faults(site('archive: true')), /^2: .*a table, or false/)
  assert.match(faults(site('archive: { keep: { raw: 90 days } }')), /^2: /)
  assert.match(faults(site('archive: { stream: 10 }')), /^2: .*1000/)
  assert.match(faults(site('archive: { place: "postgres://golem:secret@db/lab" }')), /^2: .*GOLEM_ARCHIVE/)
  assert.match(faults(site('', '{ deadband: -1 }')), /^4: /)
  assert.match(faults(site('', '{ heartbeat: 100 ms }')), /^4: .*1 s to 24 h/)
})
