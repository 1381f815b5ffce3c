import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstrumentDescription } from '@golem/core'
import { recipeOf, stage } from '../engine/testing.ts'
import type { Recipe } from '../recipe.ts'
import { checkRecipe, link } from './index.ts'

const instrument = (id: string): InstrumentDescription => ({
  id,
  label: id,
  group: 'Devices',
  kind: 'oven',
  model: 'oven',
  host: null,
  address: 'sim:oven',
  pollEveryMs: 1000,
  onStop: 'hold',
  parameters: {
    power: { label: 'Power', type: 'integer', unit: '%', min: 0, max: 100, readable: true, writable: true },
    on: { label: 'On', type: 'boolean', readable: true, writable: true },
    mode: { label: 'Mode', type: 'choice', choices: ['slow', 'fast'], readable: true, writable: true },
    temperature: { label: 'Temperature', type: 'number', unit: '°C', readable: true, writable: false },
    target: { label: 'Target', type: 'number', readable: false, writable: true },
  },
  actions: {
    blink: { label: 'Blink', arguments: { times: { label: 'Times', type: 'integer', min: 1, max: 9 } } },
  },
})
const descriptions = new Map(['oven', 'fridge'].map((id) => [id, instrument(id)]))

const REST = `parameters:
  p: { type: number, label: P, default: 50, min: 0, max: 100 }
  big: { type: number, label: Big, default: 50, max: 200 }
  wrong: { type: number, label: Wrong, default: 150 }
  word: { type: text, label: Word, default: fast }
  speed: { type: choice, label: Speed, choices: [slow, warp], default: slow }
instruments:
  heater: { default: oven }
  gone: { default: ovn }`

const faultsOf = (steps: string): string[] =>
  checkRecipe(recipeOf(stage(steps, REST)), descriptions).map(({ message }) => message)

test('what fits has no fault', () => {
  assert.deepEqual(
    faultsOf(`- set: { oven.power: 5, heater.power: $p, fridge.on: true, oven.mode: $word, oven.target: 1000 }
- do: { action: oven.blink, arguments: { times: 3 } }
- ramp: { parameter: oven.power, to: 100, over: 1 min, every: 1 s }
- until: { all: [{ reading: oven.temperature, above: 30 }, { reading: oven.mode, equals: fast }], timeout: 1 s }
- measure: { readings: [oven.temperature, oven.on] }
- forEach: { name: v, in: [0, 50, 100], steps: [set: { oven.power: $v }] }
- control: { kind: pid, reading: oven.temperature, output: oven.power, setpoint: 5, kp: 1, min: 0, max: 100, every: 1 s, for: 1 h }
- control: { kind: hysteresis, reading: oven.temperature, output: oven.on, low: 1, high: 2, for: 1 h }`),
    [],
  )
})

const CASES: [steps: string, message: RegExp][] = [
  ['- set: { ofen.power: 5 }', /no instrument or role "ofen". Did you mean "oven"\?/],
  ['- set: { gone.power: 5 }', /no instrument "ovn" for the role "gone". Did you mean "oven"\?/],
  ['- set: { oven.powr: 5 }', /oven has no parameter "powr". Did you mean "power"\?/],
  ['- set: { oven.power: 101 }', /oven.power takes 0 to 100 %, not 101/],
  ['- set: { oven.power: 5.5 }', /whole number/],
  ['- set: { oven.on: 1 }', /true or false/],
  ['- set: { oven.mode: quick }', /one of slow, fast/],
  ['- set: { oven.temperature: 5 }', /oven.temperature can only be read/],
  ['- set: { oven.power: $big }', /\$big may be 200, but oven.power takes at most 100/],
  ['- set: { oven.power: $wrong }', /0 to 100 %, not 150 \(\$wrong\)/],
  ['- set: { oven.power: $word }', /takes a value of type integer, and \$word is text/],
  ['- set: { oven.mode: $speed }', /\$speed may be warp; oven.mode takes slow, fast/],
  ['- forEach: { name: v, in: [0, 150], steps: [set: { oven.power: $v }] }', /not 150 \(\$v\)/],
  ['- forEach: { name: v, in: { from: 0, to: 150, step: 50 }, steps: [set: { oven.power: $v }] }', /150/],
  ['- do: { action: oven.blnk }', /no action "blnk". Did you mean "blink"\?/],
  ['- do: { action: oven.blink }', /needs the argument "times"/],
  ['- do: { action: oven.blink, arguments: { times: 10 } }', /1 to 9, not 10/],
  ['- do: { action: oven.blink, arguments: { times: 1, colour: red } }', /no argument "colour"/],
  ['- ramp: { parameter: oven.power, to: 120, over: 1 s, every: 1 s }', /not 120/],
  ['- ramp: { parameter: oven.mode, from: 0, to: 1, over: 1 s, every: 1 s }', /oven.mode is no number/],
  ['- ramp: { parameter: oven.target, to: 1, over: 1 s, every: 1 s }', /oven.target can't be read/],
  ['- until: { reading: oven.target, above: 1, timeout: 1 s }', /can't be read/],
  [
    '- until: { reading: oven.mode, above: 1, timeout: 1 s }',
    /no number \(choice\): compare it with "equals"/,
  ],
  ['- until: { reading: oven.mode, equals: quick, timeout: 1 s }', /one of slow, fast/],
  [
    '- if: { condition: { any: [{ reading: oven.tmperature, above: 1 }] }, then: [wait: 1 s] }',
    /"temperature"/,
  ],
  ['- repeat: { until: { reading: oven.nothing, above: 1 }, steps: [wait: 1 s] }', /no parameter "nothing"/],
  ['- measure: { readings: [oven.target] }', /can't be read/],
  ['- parallel: [{ steps: [wait: 1 s] }, { steps: [set: { oven.power: -1 }] }]', /not -1/],
  [
    '- control: { kind: hysteresis, reading: oven.mode, output: oven.on, low: 1, high: 2, for: 1 s }',
    /can't be controlled/,
  ],
  [
    '- control: { kind: hysteresis, reading: oven.temperature, output: oven.power, low: 1, high: 2, for: 1 s }',
    /not true/,
  ],
  [
    '- control: { kind: pid, reading: oven.temperature, output: oven.power, setpoint: 5, kp: 1, min: 0, max: 120, every: 1 s, for: 1 h }',
    /not 120/,
  ],
]

for (const [steps, message] of CASES) {
  test(`against the instruments: ${steps.slice(2, 80)}`, () => {
    const faults = faultsOf(steps)
    assert.ok(
      faults.some((fault) => message.test(fault)),
      faults.join('\n') || 'no fault',
    )
  })
}

test('a fault has file, line and column, also one of finally, and roles may be bound otherwise', () => {
  const recipe = recipeOf(
    'label: T\ninstruments: { a: { default: oven } }\nstages: [{ name: x, steps: [wait: 1 s] }]\nfinally:\n  - wait: 1 s\n  - set: { a.powr: 1 }\n',
    'dir/t.yaml',
  )
  const [fault] = checkRecipe(recipe, descriptions)
  assert.deepEqual([fault?.file, fault?.line, fault?.column], ['dir/t.yaml', 6, 5])
  assert.match(
    checkRecipe(recipe, descriptions, { a: 'nothing' })[0]?.message ?? '',
    /"nothing" for the role "a"/,
  )
})

const linked = (recipe: Recipe, others: Record<string, string>, bindings = {}) =>
  link(recipe, {
    recipes: new Map(Object.entries(others).map(([id, text]) => [id, recipeOf(text, `${id}.yaml`)])),
    bindings,
    descriptions,
  })

const WARM =
  'label: Warm\nparameters: { p: { type: number, label: P, max: 100 }, t: { type: duration, label: T, default: 5 s } }\ninstruments: { heater: { default: oven } }\nstages: [{ name: on, steps: [{ set: { heater.power: $p } }, { wait: $t }, { until: { reading: fridge.temperature, above: 1, timeout: 1 s } }] }]\nfinally: [set: { heater.power: 0 }]'

test('a program knows what it commands and what it looks at, those of what it calls included', () => {
  const { program } = linked(recipeOf(stage('- call: { recipe: warm, with: { p: 5, t: 1 min } }')), {
    warm: WARM,
  })
  assert.deepEqual(program?.commands, ['oven'])
  assert.deepEqual(program?.reads, ['fridge.temperature'])
  const call = program?.steps[0]
  assert.deepEqual(call?.verb === 'call' && call.with, { p: 5, t: 60_000 })
  const bound = linked(
    recipeOf(
      stage(
        '- call: { recipe: warm, with: { p: 5 }, instruments: { heater: mine } }',
        'instruments: { mine: { default: oven } }',
      ),
    ),
    { warm: WARM },
    { mine: 'fridge' },
  )
  assert.deepEqual(bound.program?.commands, ['fridge'])
})

test('what can not be called is said at the call', () => {
  const messages = (steps: string, others: Record<string, string>, bindings = {}): string[] =>
    linked(recipeOf(stage(steps), 'test.yaml'), others, bindings).faults.map(
      ({ file, line, message }) => `${file}:${line} ${message}`,
    )
  const others = { warm: WARM }
  assert.match(messages('- call: { recipe: wram }', others)[0] ?? '', /^test.yaml:6 .*Did you mean "warm"\?/)
  assert.match(messages('- call: { recipe: warm }', others)[0] ?? '', /needs a value for "p"/)
  assert.match(messages('- call: { recipe: warm, with: { p: 500 } }', others)[0] ?? '', /at most 100/)
  assert.match(
    messages('- call: { recipe: warm, with: { q: 5, p: 1 } }', others)[0] ?? '',
    /no parameter "q"/,
  )
  assert.match(
    messages('- call: { recipe: warm, with: { p: 1 }, instruments: { fan: oven } }', others)[0] ?? '',
    /no role "fan"/,
  )
  assert.match(
    messages('- call: { recipe: warm, with: { p: 1 }, instruments: { heater: ovn } }', others).join(),
    /Did you mean "oven"/,
  )
  assert.match(messages('- wait: 1 s', others, { role: 'oven' })[0] ?? '', /no role to bind/)
  const circle = {
    a: stage('- call: { recipe: b }'),
    b: stage('- call: { recipe: a }'),
  }
  assert.match(
    messages('- call: { recipe: a }', circle)[0] ?? '',
    /in a circle: test calls a calls b calls a/,
  )
  const chain = Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [
      `r${n}`,
      stage(n === 11 ? '- wait: 1 s' : `- call: { recipe: r${n + 1} }`),
    ]),
  )
  assert.match(messages('- call: { recipe: r0 }', chain)[0] ?? '', /more than 8 deep/)
  const bomb = Object.fromEntries(
    Array.from({ length: 7 }, (_, n) => [
      `r${n}`,
      stage(
        n === 6
          ? '- wait: 1 s'
          : Array(10)
              .fill(`- call: { recipe: r${n + 1} }`)
              .join('\n'),
      ),
    ]),
  )
  assert.match(messages('- call: { recipe: r0 }', bomb)[0] ?? '', /more than 2000 steps/)
})

test('what takes whole numbers is given whole numbers', () => {
  const { program } = linked(
    recipeOf(stage('- ramp: { parameter: oven.power, to: 100, over: 1 min, every: 1 s }')),
    {},
  )
  const [ramp] = program?.steps ?? []
  assert.equal(ramp?.verb === 'ramp' && ramp.integer, true)
})
