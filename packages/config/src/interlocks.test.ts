import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf, loadText, models } from './testing.ts'

const INSTRUMENTS = `site: test
instruments:
  - { id: oven, model: heater, address: http://oven, parameters: { fan: { maxOn: 1 min } } }
  - { id: gauge-1, model: gauge, address: tcp://gauge:5025, pollEvery: 2 s }
`
const site = (interlocks: string): string => `${INSTRUMENTS}interlocks:\n${interlocks}`
const messages = (interlocks: string): string[] =>
  faultsOf(site(interlocks), { models }).map(({ line, path, message }) => `${line} ${path}: ${message}`)

test('an interlock as the worker takes it, with what is left out', () => {
  const { interlocks } = loadText(
    site(`
  - name: pressure
    watch: { reading: gauge-1.pressure, above: 5, for: 500 ms, hysteresis: 1, maxAge: 3 s }
    refuse: [oven.mode = fast, oven.reset]
    trip: { oven.power: 0 }
    guidance: Open the valve.
  - name: cold
    watch:
      all:
        - { reading: oven.temperature, below: 10 }
        - { reading: oven.fan, equals: true }
    refuse: [oven.target]
    allow: [oven.blink]
`),
    { models },
  )
  assert.deepEqual(interlocks, [
    {
      name: 'pressure',
      watch: {
        all: false,
        readings: [
          {
            is: 'above',
            limit: 5,
            hysteresis: 1,
            instrument: 'gauge-1',
            parameter: 'pressure',
            forMs: 500,
            maxAgeMs: 3_000,
          },
        ],
      },
      refuse: [
        { instrument: 'oven', name: 'mode', value: 'fast' },
        { instrument: 'oven', name: 'reset' },
      ],
      trip: [{ instrument: 'oven', name: 'power', value: 0 }],
      allow: [],
      stale: 'trip',
      latch: true,
      guidance: 'Open the valve.',
    },
    {
      name: 'cold',
      watch: {
        all: true,
        readings: [
          {
            is: 'below',
            limit: 10,
            hysteresis: 0,
            instrument: 'oven',
            parameter: 'temperature',
            forMs: 0,
            maxAgeMs: 3_000,
          },
          { is: 'equals', value: true, instrument: 'oven', parameter: 'fan', forMs: 0, maxAgeMs: 3_000 },
        ],
      },
      refuse: [{ instrument: 'oven', name: 'target' }],
      trip: [],
      allow: [{ instrument: 'oven', name: 'blink' }],
      stale: 'refuse',
      latch: false,
    },
  ])
})

test('what is wrong is told with its line and what to do', () => {
  const cases: [string, RegExp][] = [
    [
      '  - { name: a, watch: { reading: gage-1.pressure, above: 1 }, refuse: [oven.power] }',
      /no instrument "gage-1".*gauge-1/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.presure, above: 1 }, refuse: [oven.power] }',
      /no parameter "presure".*pressure/,
    ],
    ['  - { name: a, watch: { reading: oven.target, above: 1 }, refuse: [oven.power] }', /can't be read/],
    ['  - { name: a, watch: { reading: oven.fan, above: 1 }, refuse: [oven.power] }', /is no number/],
    ['  - { name: a, watch: { reading: oven.mode, equals: quick }, refuse: [oven.power] }', /slow, fast/],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure }, refuse: [oven.power] }',
      /one of "above", "below"/,
    ],
    ['  - { name: a, watch: {}, refuse: [oven.power] }', /Write one reading with its limit/],
    ['  - { name: a, watch: { reading: gauge-1.pressure, above: 1 } }', /It does nothing/],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1 }, refuse: [oven.temperature] }',
      /can only be read/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1 }, refuse: [oven.power], latch: true }',
      /about "trip"/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1 }, trip: { oven.power: 200 } }',
      /0 to 100 %/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1 }, trip: { oven.fan: true } }',
      /"maxOn".*would fight/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1, maxAge: 1 s }, trip: { oven.power: 0 } }',
      /Make maxAge longer/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1, for: 2 h }, trip: { oven.power: 0 } }',
      /out of bounds/,
    ],
    [
      '  - { name: a, watch: { reading: gauge-1.pressure, above: 1 }, refuse: [oven.power], allow: [oven.jump] }',
      /no action "jump"/,
    ],
  ]
  for (const [text, wanted] of cases) {
    const found = messages(text)
    assert.equal(found.length, 1, `${text}\n${found.join('\n')}`)
    assert.match(found[0] ?? '', wanted)
    assert.match(found[0] ?? '', /^6 interlocks\[0\]/)
  }
})

test('two interlocks neither share a name nor pull one output two ways', () => {
  const rule = (name: string, value: number): string =>
    `  - { name: ${name}, watch: { reading: gauge-1.pressure, above: 1 }, trip: { oven.power: ${value} } }\n`
  assert.deepEqual(messages(rule('a', 0) + rule('b', 0)), [])
  assert.match(messages(rule('a', 0) + rule('b', 5)).join(), /^7 interlocks\[1\].*would fight/)
  assert.match(messages(rule('a', 0) + rule('a', 0)).join(), /is called "a" already/)
})

test('what a gateway lets pass nobody judges: it has to be read-only', () => {
  const text = (more: string): string => `site: test
instruments:
  - { id: oven, model: heater, address: http://oven }
  - { id: pump, model: heater, address: http://pump${more} }
interlocks:
  - { name: a, watch: { reading: oven.temperature, above: 1 }, trip: { pump.power: 0 } }`
  assert.deepEqual(faultsOf(text(''), { models }), [])
  const told = (gateway: string): string =>
    faultsOf(text(`, gateway: ${gateway}`))
      .map(({ message }) => message)
      .join()
  assert.match(told('{ port: 5000 }'), /can't be judged.*readOnly/)
  assert.doesNotMatch(told('{ port: 5000, readOnly: true }'), /judged/)
})
