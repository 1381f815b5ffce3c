import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeInstrument } from './describe.ts'
import { faultsOf, heater, loadText, models } from './testing.ts'

const site = (parameters: string, more = ''): string =>
  `site: test\ninstruments:\n  - id: oven\n    model: heater\n    address: http://oven\n${more}    parameters:\n      ${parameters}\n`

test('the rules of an output, as the worker takes them and as they are published', () => {
  const { instruments } = loadText(
    site(
      'fan: { maxOn: 30 min, minOn: 10 s, minOff: 1 min }\n      power: { slew: { perSecond: 2 }, count: { onTime: { limit: 1000 h, warnAt: 900 h }, cycles: {}, atLimit: refuse } }',
    ),
    { models },
  )
  const [oven] = instruments
  assert.ok(oven)
  const { parameters, actions } = describeInstrument(oven, heater, heater.create({}))
  assert.deepEqual(parameters['fan']?.rules, { maxOnMs: 1_800_000, minOnMs: 10_000, minOffMs: 60_000 })
  assert.deepEqual(parameters['power']?.rules, {
    slew: { perSecond: 2, step: 2 },
    count: { onTime: { limitMs: 3_600_000_000, warnAtMs: 3_240_000_000 }, cycles: {}, atLimit: 'refuse' },
  })
  assert.equal(parameters['mode']?.rules, undefined)
  assert.deepEqual(actions['resetCounters']?.arguments['output']?.choices, ['power'])
  assert.equal(actions['resetCounters']?.role, 'admin')
})

const CASES: [title: string, text: string, at: string, message: RegExp][] = [
  ['a time too short', site('fan: { maxOn: 10 ms }'), 'parameters.fan.maxOn', /1 s to/],
  [
    'longer at least than at most',
    site('fan: { minOn: 2 min, maxOn: 1 min }'),
    'parameters.fan.minOn',
    /stay on for 2 min, and may for 1 min/,
  ],
  ['a sensor', site('temperature: { maxOn: 1 min }'), 'parameters.temperature.maxOn', /only be read/],
  ['slew of a relay', site('fan: { slew: { perSecond: 1 } }'), 'parameters.fan.slew', /no number/],
  ['no safe value', site('mode: { minOff: 1 min }'), 'parameters.mode.minOff', /has none. Write "safe"/],
  [
    'a dead-man switch that the model has not',
    site('fan: { rearm: 20 s }'),
    'parameters.fan.rearm',
    /no command that switches fan on for a time.*"maxOn" is kept by the worker/,
  ],
  ['a time it does not take', site('power: { rearm: 2 min }'), 'parameters.power.rearm', /2 s to 1 min/],
  [
    'another safe value than it goes to',
    site('power: { rearm: 20 s, safe: 5 }'),
    'parameters.power.rearm',
    /power goes back to 0 by itself, and not to the "safe" that stands here/,
  ],
  ['safe: null', site('fan: { safe: null, maxOn: 1 min }'), 'parameters.fan.maxOn', /never off/],
  ['slew from nowhere', site('target: { slew: { perSecond: 1 } }'), 'parameters.target.slew', /from where/],
  ['no slew', site('power: { slew: { perSecond: 0 } }'), 'parameters.power.slew.perSecond', /above 0/],
  ['nothing to count', site('fan: { count: {} }'), 'parameters.fan.count', /Say what is counted/],
  [
    'a warning that comes too late',
    site('fan: { count: { cycles: { limit: 5, warnAt: 5 } } }'),
    'parameters.fan.count.cycles.warnAt',
    /less than "limit"/,
  ],
  [
    'nothing to refuse at',
    site('fan: { count: { cycles: {}, atLimit: refuse } }'),
    'parameters.fan.count.atLimit',
    /no limit/,
  ],
  [
    'clients of a gateway that write what they like',
    site('power: { minOff: 1 min }', '    gateway: { port: 5025 }\n'),
    'parameters.power.minOff',
    /could not be kept. Write "readOnly: true"/,
  ],
]

for (const [title, text, at, message] of CASES) {
  test(`is a fault: ${title}`, () => {
    const faults = faultsOf(text, { models })
    const fault = faults.find(({ path }) => path === `instruments[0].${at}`)
    assert.ok(fault, JSON.stringify(faults))
    assert.match(fault.message, message)
  })
}

test('an output on a line over TCP has a machine, so that maxOn can be kept while Redis is away', () => {
  const line = (host: string): string =>
    `site: test\ninstruments:\n  - { id: valve, model: valve, address: "tcp://a:1", ${host}parameters: { open: { maxOn: 1 min, safe: 0 } } }\n`
  assert.match(faultsOf(line(''))[0]?.message ?? '', /Write "host"/)
  assert.deepEqual(faultsOf(line('host: pi, ')), [])
})
