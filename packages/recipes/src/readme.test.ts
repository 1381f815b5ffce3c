import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { InstrumentDescription, ParameterDescription, Value } from '@golem/core'
import { Play, recipeOf, stage } from './engine/testing.ts'
import { link, listsIn } from './language/index.ts'
import type { Recipe } from './recipe.ts'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

interface Example {
  line: number
  yaml: string
  /** What the page says comes of it. */
  says: string[]
}

const examples: Example[] = [...README.matchAll(/```yaml\n(.*?)```\n\n(?:```text\n(.*?)```)?/gs)].map(
  (found) => ({
    line: README.slice(0, found.index).split('\n').length,
    yaml: found[1] ?? '',
    says: (found[2] ?? '').trim().split('\n'),
  }),
)

const parameter = (type: ParameterDescription['type'], more = {}): ParameterDescription => ({
  label: type,
  type,
  readable: true,
  writable: true,
  ...more,
})
const sensor = { writable: false }
const percent = parameter('number', { min: 0, max: 100, unit: '%' })
const relays = Object.fromEntries([0, 1, 2, 3].map((n) => [`relay${n}`, parameter('boolean')]))
const board = { ...relays, internalTemperature: parameter('number', sensor) }

const describe = (
  id: string,
  parameters: InstrumentDescription['parameters'],
  actions: InstrumentDescription['actions'] = {},
): [string, InstrumentDescription] => [
  id,
  {
    id,
    label: id,
    group: 'Devices',
    kind: id,
    model: id,
    host: null,
    address: `sim:${id}`,
    pollEveryMs: 1000,
    onStop: 'hold',
    parameters,
    actions,
  },
]

const descriptions = new Map([
  describe('exp-board', board),
  describe('control-board', board),
  describe('exp-lamp', { white: percent, red: percent }),
  describe('co2', { co2: parameter('number', sensor) }),
  describe('oven', { power: percent, temperature: parameter('number', sensor) }),
  describe(
    'doser',
    { mode: parameter('choice', { choices: ['slow', 'fast'] }) },
    { dose: { label: 'Dose', arguments: { volume: { label: 'Volume', type: 'number', max: 10 } } } },
  ),
])

/** CO2 falls by 2 ppm a second, from 800; the oven warms by what it is given and leaks. */
function readings(): Record<string, (ms: number, run: Play) => Value> {
  let temperature = 20
  return {
    'co2.co2': (ms) => Math.max(400, 800 - (2 * ms) / 1000),
    'exp-board.internalTemperature': () => 24,
    'exp-lamp.white': (_ms, { outputs }) => outputs['exp-lamp.white'] ?? 0,
    'oven.temperature': (_ms, { outputs }) => {
      temperature += Number(outputs['oven.power'] ?? 0) * 0.005 - (temperature - 20) * 0.005
      return temperature
    },
  }
}

const asRecipe = ({ yaml }: Example): Recipe =>
  yaml.startsWith('- ')
    ? recipeOf(stage(yaml.trimEnd()))
    : recipeOf(yaml, `${/label: (.*)/.exec(yaml)?.[1]?.toLowerCase().replaceAll(' ', '-') ?? ''}.yaml`)

const whole = examples.filter(({ yaml }) => !yaml.startsWith('- ')).map(asRecipe)
const recipes = new Map(whole.map((recipe) => [recipe.id, recipe]))

for (const example of examples) {
  test(`the example in line ${example.line} of README.md does what the page says`, () => {
    const { program, faults } = link(asRecipe(example), { recipes, descriptions })
    assert.deepEqual(faults, [])
    assert.ok(program)
    const run = new Play(program, { at: '2026-03-01T10:00:00Z', readings: readings() }).start().toEnd()
    const [end = '', after] = (example.says.pop() ?? '').split(' after ')
    const [how, rows] = end.split(' with ')
    assert.equal(run.status.end, how)
    if (example.says.length > 0) assert.deepEqual(run.sent, example.says)
    if (after !== undefined) assert.equal(`${run.ms / 1000} s`, after)
    if (rows !== undefined) assert.equal(`${run.rows.length} rows`, rows)
  })
}

test('the PID example comes to its setpoint', () => {
  const example = examples.find(({ yaml }) => yaml.includes('kind: pid'))
  assert.ok(example)
  const { program } = link(asRecipe(example), { recipes, descriptions })
  assert.ok(program)
  const run = new Play(program, { readings: readings() }).start().toEnd()
  assert.ok(Math.abs(Number(run.readings['oven.temperature']?.value) - 40) < 1)
})

test('every verb has an example', () => {
  const used = new Set<string>()
  for (const recipe of examples.map(asRecipe)) {
    for (const step of recipe.steps) {
      used.add(step.verb)
      assert.ok(listsIn(step).every((list) => list.every((index) => index < recipe.steps.length)))
    }
  }
  const headings = [...README.matchAll(/^### (\w+)$/gm)].map(([, verb]) => verb ?? '')
  assert.deepEqual([...used].sort(), headings.sort())
})
