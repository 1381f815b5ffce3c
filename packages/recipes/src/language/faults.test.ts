import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { link, readRecipeText } from './index.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

const HEAD =
  'label: Test\nparameters:\n  n: { type: number, label: N, default: 1 }\n  t: { type: duration, label: T, default: 1 s }\n  w: { type: text, label: W, default: a }\n'
const steps = (text: string): string => `${HEAD}stages:\n  - name: all\n    steps:\n      ${text}\n`

/** What is wrong, the file (the mark » stands where the fault is to be found) and the message. */
const CASES: [title: string, marked: string, message: RegExp][] = [
  ['broken YAML', 'label: [\n»', /not YAML/],
  ['a list instead of a table', '»- label: x\n', /no table with "label"/],
  ['an empty file', '»', /no table/],
  [
    'an unknown key',
    `${HEAD}»stage: []\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /Did you mean "stages"\?/,
  ],
  ['no stages', `»${HEAD}`, /"stages" is missing/],
  [
    'a stage without steps',
    `${HEAD}stages: [{ name: a, steps: »[] }]`,
    /list is empty or too short. Wanted: steps/,
  ],
  [
    'too many steps',
    steps(`- parallel: [steps: »[${'{ wait: 1 s }, '.repeat(501)}]]`),
    /more than 500 entries/,
  ],
  ['a time without end', steps('- wait: »999999999999999999 h'), /longer than 87600 h/],
  [
    'a time without end as a default',
    'label: x\nparameters: { t: { type: duration, label: T, default: »1000000 h } }\nstages: [{ name: a, steps: [wait: $t] }]',
    /87600 h|315360000000/,
  ],
  ['an unknown verb', steps('- »waits: 1 s'), /Did you mean "wait"\?/],
  ['two verbs', steps('- »wait: 1 s\n        note: x'), /does one thing, this one has wait and note/],
  ['no verb', steps('- »name: x'), /does nothing. It needs one of set, do,/],
  ['a time without unit', steps('- wait: »"5"'), /a time with its unit/],
  ['a number where a time belongs', steps('- wait: »5'), /Wanted/],
  [
    'a variable that is none',
    steps('- wait: »$tt'),
    /no parameter or variable "tt" here. Did you mean "t"\?/,
  ],
  ['a number for a time', steps('- wait: »$n'), /A time belongs here, and \$n is a number/],
  [
    'a text for a number',
    steps('- repeat: { times: »$w, steps: [wait: 1 s] }'),
    /A number belongs here, and \$w is a text/,
  ],
  ['a name inside a text', steps('- note: »$n is it'), /a name stands alone/],
  ['a reference without a dot', steps('- set: { »lamp: 1 }'), /as instrument.name/],
  ['an action without a dot', steps('- do: { action: »lamp }'), /an action, as instrument.name/],
  [
    'until without a timeout',
    steps('- »until: { reading: a.b, above: 1 }'),
    /Add "timeout: 5 min", or "timeout: none"/,
  ],
  [
    'two timeouts',
    steps('- until: { reading: a.b, above: 1, timeout: 1 s }\n        »timeout: 1 s'),
    /two timeouts/,
  ],
  ['no comparison', steps('- »until: { reading: a.b, timeout: 1 s }'), /compared in one way/],
  [
    'two comparisons',
    steps('- »until: { reading: a.b, above: 1, equals: 2, timeout: 1 s }'),
    /compared in one way/,
  ],
  [
    'an empty interval',
    steps('- until: { reading: a.b, above: »2, below: 1, timeout: 1 s }'),
    /Nothing is above 2 and below 1/,
  ],
  [
    'limits the wrong way round',
    steps('- until: { reading: a.b, between: »[2, 1], timeout: 1 s }'),
    /lower end \(2\) comes first/,
  ],
  [
    'a reading and all',
    steps('- »until: { reading: a.b, all: [{ reading: a.c, above: 1 }], above: 1, timeout: 1 s }'),
    /one of "reading", "all" and "any"/,
  ],
  [
    'a limit at all',
    steps('- until: { all: [{ reading: a.c, above: 1 }], »above: 1, timeout: 1 s }'),
    /goes with a "reading"/,
  ],
  [
    'a fault deep in a condition',
    steps('- until: { all: [{ any: [{ reading: a.c, above: »$x }] }], timeout: 1 s }'),
    /"x"/,
  ],
  ['a loop without end', steps('- »repeat: { steps: [wait: 1 s] }'), /When does this end/],
  [
    'a loop with two ends',
    steps('- »repeat: { times: 1, for: 1 s, steps: [wait: 1 s] }'),
    /ends in several ways \(times, for\)/,
  ],
  ['a loop that never waits', steps('- »repeat: { forever: true, steps: [note: x] }'), /never waits/],
  ['half a round', steps('- repeat: { times: »1.5, steps: [wait: 1 s] }'), /whole number, not 1.5/],
  ['no steps of a loop', steps('- repeat: »{ times: 1 }'), /"steps" is missing/],
  [
    'a variable that is there already',
    steps('- forEach: { name: »n, in: [1], steps: [wait: 1 s] }'),
    /There is a "n" already/,
  ],
  [
    'a variable outside its loop',
    steps('- forEach: { name: v, in: [1], steps: [wait: 1 s] }\n      - set: { a.x: »$v }'),
    /no parameter or variable "v"/,
  ],
  [
    'a range that goes nowhere',
    steps('- forEach: { name: v, in: { from: 1, to: 5, step: »-1 }, steps: [wait: 1 s] }'),
    /does not get to 5/,
  ],
  [
    'steps of nothing',
    steps('- forEach: { name: v, in: { from: 1, to: 5, step: »0 }, steps: [wait: 1 s] }'),
    /steps of 0/,
  ],
  ['half a ramp', steps('- ramp: »{ parameter: a.x, to: 1, every: 1 s }'), /"over" is missing/],
  ['no samples', steps('- measure: { readings: [a.b], samples: »0 }'), /at least 1/],
  [
    'a controller of no kind',
    steps('- control: { kind: »fuzzy, reading: a.b, output: a.c, forever: true }'),
    /hysteresis or pid/,
  ],
  [
    'half a hysteresis',
    steps('- »control: { kind: hysteresis, reading: a.b, output: a.c, low: 1, forever: true }'),
    /needs "high"/,
  ],
  [
    'a key of another kind',
    steps(
      '- control: { kind: hysteresis, reading: a.b, output: a.c, low: 1, high: 2, »kp: 1, forever: true }',
    ),
    /"kp" does not go with kind: hysteresis/,
  ],
  [
    'limits exchanged',
    steps('- control: { kind: hysteresis, reading: a.b, output: a.c, low: 3, high: »2, forever: true }'),
    /"high" has to be above "low"/,
  ],
  [
    'a negative gain',
    steps(
      '- control: { kind: pid, reading: a.b, output: a.c, setpoint: 1, kp: »-1, min: 0, max: 1, every: 1 s, forever: true }',
    ),
    /at least 0/,
  ],
  [
    'a controller without end',
    steps('- »control: { kind: hysteresis, reading: a.b, output: a.c, low: 1, high: 2 }'),
    /When does this end/,
  ],
  ['patience of a wait', steps('- wait: 1 s\n        »patience: 1 s'), /goes with "set" and "do" only/],
  [
    'a policy that is none',
    steps('- wait: 1 s\n        onRestart: »again'),
    /resume, hold \(pause\), safe \(abort\) or ask/,
  ],
  [
    'a finally without end',
    `${steps('- wait: 1 s')}finally:\n  - »repeat: { forever: true, every: 1 s, steps: [note: x] }`,
    /has to end by itself/,
  ],
  [
    'a finally that may wait for ever',
    `${steps('- wait: 1 s')}finally:\n  - »until: { reading: a.b, above: 1, timeout: none }`,
    /has to end by itself/,
  ],
  [
    'a default outside its limits',
    `label: T\nparameters: { n: { type: number, label: N, max: 5, default: »6 } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /at most 5/,
  ],
  [
    'a default of the wrong type',
    `label: T\nparameters: { n: { type: boolean, label: N, default: »6 } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /true or false/,
  ],
  [
    'a limit of a text',
    `label: T\nparameters: { n: { type: text, label: N, »max: 6 } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /A text has no "max"/,
  ],
  [
    'a time in numbers',
    `label: T\nparameters: { n: { type: duration, label: N, max: »6 } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /"max" of a duration is a time/,
  ],
  [
    'a choice without choices',
    `label: T\nparameters: { »n: { type: choice, label: N } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /needs "choices"/,
  ],
  [
    'a parameter that is no name',
    `label: T\nparameters: { »a-b: { type: text, label: N } }\nstages: [{ name: a, steps: [wait: 1 s] }]`,
    /a letter, then letters/,
  ],
]

for (const [title, marked, message] of CASES) {
  test(`${title} is found where it stands`, () => {
    const [before = ''] = marked.split('»')
    const lines = before.split('\n')
    const { recipe, faults } = readRecipeText('test.yaml', marked.replace('»', ''))
    assert.equal(recipe, null)
    assert.deepEqual(
      faults.map(({ line, column, message: what }) => ({ line, column, right: message.test(what) || what })),
      [{ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, right: true }],
    )
  })
}

test('all faults are found at once, in the order of the file', () => {
  const { faults } = readRecipeText(
    'test.yaml',
    steps(
      '- wait: $x\n      - wate: 1 s\n      - set: { a.b: $y }\n      - until: { reading: a.b, above: 1 }',
    ),
  )
  assert.deepEqual(
    faults.map(({ line }) => line),
    [9, 10, 11, 12],
  )
})

test("a file's name has to be an id; a text that begins with $$ is a text", () => {
  const { faults } = readRecipeText('My recipe.yaml', steps('- wait: 1 s'))
  assert.match(faults[0]?.message ?? '', /file's name is the recipe's id/)
  const { recipe } = readRecipeText('test.yaml', steps('- note: $$5'))
  assert.deepEqual(recipe?.steps[0]?.verb === 'note' && recipe.steps[0].text, '$5')
})

test('what is far too deep, or an attack, is a fault and no crash', () => {
  const deep = `- repeat: { times: 1, steps: [`.repeat(30) + 'note: x' + '] }'.repeat(30)
  for (const text of [
    steps(deep.replaceAll('- repeat', '{ repeat').replace('{ repeat', '- repeat')),
    `label: ${'['.repeat(5000)}${']'.repeat(5000)}`,
    `label: ${'[[[['.repeat(40)}${']]]]'.repeat(40)}`,
    'a: &a [x,x]\nb: &b [*a,*a,*a]\nlabel: *b\n',
    `label: ${'x'.repeat(10_000)}\nstages: 5`,
    steps('- set: { __proto__.x: 1, constructor.y: $constructor }'),
  ]) {
    const { recipe, faults } = readRecipeText('test.yaml', text)
    assert.equal(recipe, null)
    assert.ok(faults.length > 0)
  }
})

test('whatever becomes of a recipe by slips of the hand, its faults have places, and what has none can be linked', () => {
  const [, whole = ''] = /```yaml\n(.*?)```/s.exec(README) ?? []
  const text = `${whole}  - until: { any: [{ reading: co2.co2, below: 5, for: $time }], timeout: 5 min }
  - forEach: { name: v, in: [1, 2], steps: [{ ramp: { parameter: a.b, to: $v, over: 1 s, every: 1 s } }] }
  - control: { kind: pid, reading: a.t, output: a.p, setpoint: 1, kp: 1, min: 0, max: 1, every: 1 s, for: 1 min }
`
  assert.deepEqual(readRecipeText('x.yaml', text).faults, [])
  let seed = 7
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return seed % below
  }
  let right = 0
  for (let round = 0; round < 500; round++) {
    const at = random(text.length)
    const end = at + random(12)
    const other = random(text.length)
    const slip =
      ['', '$', ': ', '[', '- ', '5', 'null', text.slice(other, other + random(30))][random(8)] ?? ''
    const { recipe, faults } = readRecipeText('x.yaml', text.slice(0, at) + slip + text.slice(end))
    assert.equal(recipe === null, faults.length > 0)
    for (const { line, column, message } of faults) {
      assert.ok(line >= 1 && column >= 1 && /[.?]$/.test(message), message)
    }
    if (!recipe) continue
    right++
    link(recipe, { recipes: new Map() })
  }
  assert.ok(right > 30)
})
