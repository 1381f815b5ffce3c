import type { ScheduleConfig } from '@golem/config'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recipeOf, stage } from '../engine/testing.ts'
import { faultsOfSchedules } from './check-schedules.ts'

const AIR = recipeOf(
  stage(
    '- wait: $time',
    'parameters: { time: { type: duration, label: Time, max: 1 h } }\ninstruments: { board: { default: relays, label: Board } }',
  ),
  'air.yaml',
)

function faultsOf(given: Partial<ScheduleConfig>): string[] {
  const schedule: ScheduleConfig = {
    id: 'airing',
    label: 'Airing',
    recipe: 'air',
    parameters: { time: '5 min' },
    instruments: {},
    when: { kind: 'every', everyMs: 600_000, offsetMs: 0 },
    missed: 'skip',
    withinMs: 60_000,
    onOverlap: 'skip',
    enabled: true,
    place: { line: 7, column: 5 },
    ...given,
  }
  return faultsOfSchedules([schedule], {
    file: 'site.yaml',
    recipes: new Map([['air', AIR]]),
    others: ['broken'],
    descriptions: new Map(),
  }).map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`)
}

test('what a schedule gives its recipe is looked at', () => {
  assert.deepEqual(faultsOf({}), [])
  assert.deepEqual(faultsOf({ recipe: 'broken' }), [], 'its own faults are told elsewhere')
  assert.deepEqual(faultsOf({ recipe: 'aire' }), [
    'site.yaml:7:5 There is no recipe "aire". Did you mean "air"?',
  ])
  assert.match(faultsOf({ parameters: {} }).join(), /^site\.yaml:7:5 The recipe needs a value for "time"/)
  assert.match(faultsOf({ parameters: { time: '2 h' } }).join(), /time/)
  assert.match(faultsOf({ parameters: { time: 5, speed: 1 } }).join(), /no parameter "speed"/)
  assert.match(faultsOf({ instruments: { bord: 'relays' } }).join(), /no role.*"bord".*board/)
})
