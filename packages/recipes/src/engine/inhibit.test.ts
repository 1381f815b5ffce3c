import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstrumentDescription, ParameterDescription } from '@golem/core'
import { checkRecipe } from '../language/check.ts'
import { readRecipeText } from '../language/index.ts'
import { Play, programOf, recipeOf } from './testing.ts'

const TEXT = `label: Heat
instruments: { lamp: { default: lamp-1 } }
inhibitAlarms: [lamp.level]
stages:
  - name: heat
    inhibitAlarms: [lamp.temperature.high, lamp.lost]
    steps: [{ wait: 10 s }]
  - name: cool
    steps: [{ wait: 10 s }]
finally:
  - wait: 5 s
`

const inhibits = (run: Play): string => run.status.inhibits.join(' ')

test('a run inhibits what its recipe and its stage say, until the stage or the run is over', () => {
  const run = new Play(programOf(TEXT))
  assert.equal(inhibits(run), '', 'it has not begun')
  run.start()
  assert.equal(inhibits(run), 'lamp-1.level lamp-1.lost lamp-1.temperature.high')
  run.ask('pause')
  assert.equal(inhibits(run), 'lamp-1.level lamp-1.lost lamp-1.temperature.high', 'it stands where it stood')
  run.ask('resume')
  run.for(12_000)
  assert.equal(inhibits(run), 'lamp-1.level')
  run.for(10_000)
  assert.equal(run.status.state, 'stopping')
  assert.equal(inhibits(run), 'lamp-1.level', 'what is done at the end belongs to it')
  run.toEnd()
  assert.equal(inhibits(run), '')
})

test('stop leaves the stage, an abort and a kill end it at once', () => {
  const stopped = new Play(programOf(TEXT)).start()
  stopped.ask('stop')
  assert.equal(inhibits(stopped), 'lamp-1.level')
  for (const how of ['abort', 'kill'] as const) {
    const run = new Play(programOf(TEXT.replace('wait: 10 s', 'set: { lamp.level: 1 }')), {
      outcome: () => undefined,
    }).start()
    assert.notEqual(inhibits(run), '')
    run.ask(how)
    assert.equal(inhibits(run), '', how)
  }
})

test('a recipe that is called inhibits what it says for as long as it is under way, at the instruments it is given', () => {
  const program = programOf(
    `label: Outer\nstages:\n  - name: all\n    steps:\n      - wait: 1 s\n      - call: { recipe: heat, instruments: { lamp: lamp-2 } }\n      - wait: 1 s\n`,
    { heat: TEXT },
  )
  const run = new Play(program).start().toEnd()
  assert.deepEqual(run.sent, [
    '1 inhibits lamp-2.level, lamp-2.lost, lamp-2.temperature.high',
    '11 inhibits lamp-2.level',
    '26 inhibits nothing',
  ])
})

test('names that are no alarms are faults, with their place', () => {
  const number = { label: 'T', type: 'number', readable: true, writable: false } as const
  const parameters: Record<string, ParameterDescription> = { temperature: number, 'flow.high': number }
  const lamp = { id: 'lamp-1', parameters, actions: {} } as unknown as InstrumentDescription
  const faults = (names: string): string[] => {
    const recipe = recipeOf(TEXT.replace('[lamp.level]', `[${names}]`))
    return checkRecipe(recipe, new Map([['lamp-1', lamp]])).map(
      ({ line, column, message }) => `${line}:${column} ${message}`,
    )
  }
  assert.deepEqual(faults('lamp.temperature, lamp.temperature.lowLow, lamp.flow.high, lamp-1.lost'), [])
  const [unknown, ...more] = faults('lamp.temperatur.high')
  assert.deepEqual(more, [])
  assert.match(unknown ?? '', /^3:17 lamp\.temperatur\.high is no alarm: .*Did you mean "temperature"\?/)
  assert.match(faults('interlock.heat')[0] ?? '', /There is no instrument or role "interlock"/)
  assert.match(faults('lamp.temperature.hot')[0] ?? '', /is no alarm/)
  assert.match(
    readRecipeText('a.yaml', TEXT.replace('[lamp.level]', '[lamp]')).faults[0]?.message ?? '',
    /"lamp", which does not fit. Wanted: an alarm: instrument\.parameter\.kind/,
  )
})
