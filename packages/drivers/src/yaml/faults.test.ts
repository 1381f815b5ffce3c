import assert from 'node:assert/strict'
import { test } from 'node:test'
import { head, readText } from './testing.ts'

/** Lines below the head, which has five: what is written, and in which line which fault is found. */
const FAULTS: readonly [what: string, body: string, line: number, message: RegExp][] = [
  ['nothing to do', '', 1, /neither parameters nor actions/],
  ['an unknown key', 'parameter: {}', 6, /"parameter" is not known here. Did you mean "parameters"/],
  ['an unknown placeholder', param('write: "X {values}"'), 10, /nothing to put into \{values\}/],
  ['no placeholder', param('write: "X 1"'), 10, /no \{value\}/],
  ['half a bracket', param('write: "X {value"'), 10, /no placeholder/],
  ['nothing fills it', param('unit: V'), 7, /neither be read nor written/],
  ["a pattern that can't be read", param('read: { ask: "X?", pattern: "(" }'), 10, /can't be read/],
  ['a costly pattern', param('read: { ask: "X?", pattern: "(x+)+" }'), 10, /very long/],
  [
    'a choice without choices',
    'parameters:\n  a: { label: A, type: choice, read: "X?" }',
    7,
    /needs "choices"/,
  ],
  ['a map of a number', param('read: "X?"\n    map: { a: 1 }'), 11, /of type number has no "map"/],
  [
    'a map that lacks off',
    'parameters:\n  a: { label: A, type: boolean, read: X, map: { on: 1 } }',
    7,
    /needs "off"/,
  ],
  [
    'a word for two values',
    'parameters:\n  a: { label: A, type: choice, read: X, map: { x: 1, y: 1 } }',
    7,
    /"x" already/,
  ],
  ['limits the wrong way round', param('read: "X?"\n    min: 5\n    max: 1'), 11, /above max/],
  ['a safe value outside the limits', param('write: "X {value}"\n    max: 1\n    safe: 2'), 12, /at most 1/],
  ['a safe value of what is not written', param('read: "X?"\n    safe: 2'), 11, /can only be read/],
  ['read back without a read', param('write: "X {value}"\n    readBack: true'), 11, /can't be read back/],
  [
    'a timed write without its time',
    param('write: "X {value}"\n    safe: 0\n    timed: { send: "X {value}", min: 1 s, max: 9 s }'),
    12,
    /no \{seconds\}/,
  ],
  [
    'a timed write of what has no safe value',
    param('write: "X {value}"\n    timed: { send: "X {value},{seconds}", min: 1 s, max: 9 s }'),
    11,
    /say what it goes back to/,
  ],
  ['a scale of 0', param('read: "X?"\n    scale: 0'), 11, /can't be 0/],
  ['a time without unit', 'link: { replyTimeout: 2 }\n' + param('read: X'), 6, /time with its unit/],
  [
    'an unknown field',
    param('read: X') + '\nreads:\n  g: { ask: Y, separator: ",", fields: [b] }',
    12,
    /no parameter "b"/,
  ],
  [
    'a group that fills nothing',
    param('read: X') + '\nreads:\n  g: { ask: Y, fields: [null] }',
    12,
    /fills no parameter/,
  ],
  [
    'a parameter filled twice',
    param('read: X') + '\nreads:\n  g: { ask: Y, fields: [a] }',
    10,
    /filled by "g" already/,
  ],
  [
    'a group and its pattern',
    param('unit: V') + '\nreads:\n  g: { ask: Y, pattern: "(?<b>x)" }',
    12,
    /no parameter "b"/,
  ],
  [
    'joining what has no question',
    param('write: "X {value}"') + '\nreads:\n  g: { join: [a, b] }',
    12,
    /question of its own/,
  ],
  ['a step that does nothing', param('read: X') + '\nstart:\n  - {}', 12, /does nothing/],
  [
    'a step that does two things',
    param('read: X') + '\nstart:\n  - { send: A, wait: 1 s }',
    12,
    /make it 2 steps/,
  ],
  ['a check without errors', param('read: X') + '\nstart:\n  - { check: true }', 12, /no "errors"/],
  ['refused without expect', param('write: { send: "X {value}", refused: E }'), 10, /needs "expect"/],
  [
    'errors shown nowhere',
    param('read: X') + '\nerrors: { ask: E, parameter: b }',
    11,
    /no parameter of type text/,
  ],
  [
    'errors without a code',
    param('read: X') + '\nerrors: { ask: E, pattern: x }',
    11,
    /needs a group "code"/,
  ],
  [
    'an argument that is not used',
    action('arguments: { x: { label: X, type: number } }\n    steps: [GO]'),
    9,
    /used nowhere/,
  ],
  ['an argument that is not there', action('steps: ["GO {x}"]'), 9, /nothing to put into \{x\}/],
  [
    'an argument with a wrong default',
    action('arguments: { x: { label: X, type: number, default: no } }\n    steps: ["{x}"]'),
    9,
    /takes a number/,
  ],
  ['an action that does nothing', action('note: x'), 7, /does nothing/],
  ['a correction with unknown names', action('result: { type: array, ask: D, minus: [y] }'), 9, /name "y"/],
  [
    'a block that is no array',
    action('result: { type: number, ask: D, block: { type: uint8 } }'),
    9,
    /Only an array/,
  ],
  ['an uptime that is not there', param('read: X') + '\nuptime: b', 11, /no parameter "b"/],
  [
    'a simulated command of another form',
    param('read: X') + '\nsimulation:\n  rules:\n    - { scpi: "OUTP[:X" }',
    13,
    /no SCPI command/,
  ],
  [
    'a simulated answer of nothing',
    param('read: X') + '\nsimulation:\n  rules:\n    - { scpi: "X?", reply: "{y}" }',
    13,
    /no \{y\}/,
  ],
  [
    'a simulated state that is not there',
    param('read: X') + '\nsimulation:\n  rules:\n    - { scpi: "X?", set: { y: 1 } }',
    13,
    /no variable "y"/,
  ],
]

function param(rest: string): string {
  return `parameters:\n  a:\n    label: A\n    type: number\n    ${rest}`
}

function action(rest: string): string {
  return `actions:\n  go:\n    label: Go\n    ${rest}`
}

for (const [what, body, line, message] of FAULTS) {
  test(`${what} is told with its line`, () => {
    const { model, faults } = readText(head('line') + body)
    assert.equal(model, null)
    const found = faults.map((fault) => `${fault.line}: ${fault.message}`).join('\n')
    assert.ok(
      faults.some((fault) => fault.line === line && message.test(fault.message)),
      `line ${line} ${message} not in:\n${found}`,
    )
  })
}

test('all faults are told at once', () => {
  const { faults } = readText(
    head('line') +
      param('write: "X {v}"\n    safe: 2\n    max: 1') +
      '\nerrors: { ask: E, parameter: zz }\nuptime: b',
  )
  assert.deepEqual(
    faults.map(({ line }) => line).sort((a, b) => a - b),
    [10, 10, 11, 13, 14],
  )
})

test('a file that is no model at all is told so', () => {
  for (const text of ['', '- a\n', 'a: [', head('carrier-pigeon'), 'model: 5\ntransport: line\n']) {
    const { model, faults } = readText(text)
    assert.equal(model, null)
    assert.ok(faults.length > 0, JSON.stringify(text))
  }
})
