import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeInstrument } from './describe.ts'
import { faultsOf, heater, loadText, models } from './testing.ts'

function describe(rest: string, env = {}): ReturnType<typeof describeInstrument> {
  const text = `site: lab\ninstruments:\n  - id: oven\n    model: heater\n    address: http://10.0.0.5\n${rest}`
  const [config] = loadText(text, { models, env }).instruments
  return describeInstrument(config!, heater, heater.create(config!.options))
}

test('without overrides the description is what the driver says, as plain data', () => {
  const description = describe('')
  assert.deepEqual(description, {
    id: 'oven',
    label: 'oven',
    group: 'Devices',
    kind: 'heater',
    model: 'heater',
    host: null,
    address: 'http://10.0.0.5',
    pollEveryMs: 1000,
    onStop: 'hold',
    parameters: {
      power: {
        label: 'Power',
        type: 'number',
        unit: '%',
        min: 0,
        max: 100,
        step: 1,
        safe: 0,
        readable: true,
        writable: true,
      },
      fan: { label: 'Fan', group: 'Relays', type: 'boolean', safe: false, readable: true, writable: true },
      mode: { label: 'Mode', type: 'choice', choices: ['slow', 'fast'], readable: true, writable: true },
      temperature: {
        label: 'Temperature',
        type: 'number',
        unit: '°C',
        decimals: 1,
        readable: true,
        writable: false,
      },
      target: { label: 'Target', type: 'number', readable: false, writable: true },
    },
    actions: {
      reset: { label: 'Reset', arguments: {}, confirm: true },
      blink: { label: 'Blink', arguments: { times: { label: 'Times', type: 'integer', default: 3 } } },
    },
  })
  assert.deepEqual(JSON.parse(JSON.stringify(description)), description)
})

test("the site's words, limits and safe values replace the model's", () => {
  const { parameters, actions } = describe(
    `    parameters:
      power: { label: Heat, group: Heaters, min: 10, max: 60, safe: 10, note: Careful., decimals: 2 }
      fan: { safe: null }
      temperature: { unit: degC, decimals: 0 }
    actions: { reset: { label: Restart, group: Devices } }
`,
  )
  assert.deepEqual(parameters['power'], {
    label: 'Heat',
    group: 'Heaters',
    type: 'number',
    unit: '%',
    min: 10,
    max: 60,
    step: 1,
    decimals: 2,
    note: 'Careful.',
    safe: 10,
    readable: true,
    writable: true,
  })
  assert.ok(!('safe' in parameters['fan']!))
  assert.equal(parameters['temperature']?.unit, 'degC')
  assert.equal(parameters['temperature']?.decimals, 0)
  assert.deepEqual(actions['reset'], { label: 'Restart', group: 'Devices', arguments: {}, confirm: true })
})

test('what is hidden is not published', () => {
  const { parameters, actions } = describe(
    '    parameters: { power: { hidden: true } }\n    actions: { blink: { hidden: true } }\n',
  )
  assert.deepEqual(Object.keys(parameters), ['fan', 'mode', 'temperature', 'target'])
  assert.deepEqual(Object.keys(actions), ['reset'])
})

test('credentials and options are never published', () => {
  const description = describe(
    '    auth: { user: somebody, passwordEnv: P }\n    options: { channels: 4242 }\n',
    { P: 'hunter2' },
  )
  assert.doesNotMatch(JSON.stringify(description), /hunter2|somebody|4242/)
})

test('of the limits of model and site the narrower ones hold, even for a site that was not checked', () => {
  const [config] = loadText(
    'site: lab\ninstruments: [{ id: a, model: heater, address: http://a, parameters: { power: { min: -5, max: 500 } } }]\n',
  ).instruments
  const { power } = describeInstrument(config!, heater, heater.create({})).parameters
  assert.deepEqual([power?.min, power?.max], [0, 100])
})

test("in a group that the site names, the model's groups are headings; what the site itself puts elsewhere is there", () => {
  const { group, parameters, actions } = describe(
    `    group: Bench
    parameters:
      mode: { group: Relays }
`,
  )
  assert.equal(group, 'Bench')
  const { fan, mode, power } = parameters
  assert.deepEqual([fan?.group, fan?.section], [undefined, 'Relays'])
  assert.deepEqual([mode?.group, mode?.section], ['Relays', undefined])
  assert.deepEqual([power?.group, power?.section], [undefined, undefined])
  assert.equal('section' in (actions['reset'] ?? {}), false)
  assert.equal(describe('    group: Devices\n').parameters['fan']?.group, 'Relays')
})

test("the site's limits hold for an action's arguments, those of a parameter for the argument of its name", () => {
  const blink = (rest: string) => describe(rest).actions['blink']?.arguments['times']
  assert.deepEqual(blink(''), { label: 'Times', type: 'integer', default: 3 })
  assert.deepEqual(blink('    actions: { blink: { arguments: { times: { min: 1, max: 5 } } } }\n'), {
    label: 'Times',
    type: 'integer',
    default: 3,
    min: 1,
    max: 5,
  })
  // A usual value that is too much here is none.
  assert.deepEqual(blink('    actions: { blink: { arguments: { times: { max: 2 } } } }\n'), {
    label: 'Times',
    type: 'integer',
    max: 2,
  })
  const heater2 = {
    ...heater,
    create: () => ({
      ...heater.create({}),
      actions: {
        heat: {
          label: 'Heat',
          arguments: { power: { label: 'Power', type: 'number' as const, min: 0, max: 100 } },
          run: () => Promise.resolve(),
        },
      },
    }),
  }
  const text = (rest: string) =>
    `site: lab\ninstruments:\n  - id: oven\n    model: heater\n    address: http://10.0.0.5\n${rest}`
  const power = (rest: string) => {
    const [config] = loadText(text(rest), { models: new Map([['heater', heater2]]) }).instruments
    return describeInstrument(config!, heater2, heater2.create()).actions['heat']?.arguments['power']
  }
  assert.deepEqual(power('    parameters: { power: { max: 60 } }\n'), {
    label: 'Power',
    type: 'number',
    min: 0,
    max: 60,
  })
  const both = `    parameters: { power: { max: 60 } }\n    actions: { heat: { arguments: { power: { max: 70 } } } }\n`
  assert.equal(power(both)?.max, 60)
})

test('limits of arguments that are not there, are no numbers or are wider than the model are faults', () => {
  const fault = (rest: string): string =>
    faultsOf(
      `site: lab\ninstruments:\n  - id: oven\n    model: heater\n    address: http://10.0.0.5\n${rest}`,
      {
        models,
      },
    )
      .map(({ message }) => message)
      .join(' | ')
  const said = (text: string): string => fault(`    actions: { blink: { arguments: ${text} } }\n`)
  assert.match(said('{ time: { max: 2 } }'), /no argument "time".*times/)
  assert.match(said('{ times: { min: 5, max: 2 } }'), /min \(5\) is above max \(2\)/)
  assert.equal(said('{ times: { max: 2 } }'), '')
})
