import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstrumentDescription } from '@golem/core'
import { stage } from '../engine/testing.ts'
import { describeRecipe, readRecipeText } from './index.ts'

const TEXT = stage(
  '- set: { board.relay: true }\n- set: { board.rely: true }',
  'instruments: { board: { default: exp-board, label: The board } }',
)

function board(id: string): InstrumentDescription {
  const relay = { label: 'Relay', type: 'boolean', group: '', readable: true, writable: true } as const
  const rest = { label: id, group: '', kind: 'board', model: 'm', host: null, address: 'sim:x' }
  return { id, ...rest, parameters: { relay }, actions: {} } as unknown as InstrumentDescription
}

function describe(...instruments: InstrumentDescription[]) {
  return describeRecipe(
    readRecipeText('air.yaml', TEXT),
    new Map(),
    new Map(instruments.map((one) => [one.id, one])),
  )
}

test('a role whose usual instrument is not there is no fault of the recipe: a run has to name one', () => {
  const { roles, faults } = describe(board('other'))
  assert.deepEqual(roles, { board: { label: 'The board', default: null } })
  assert.deepEqual(faults, [])
})

test('what a role is asked for is checked against the instrument that it usually is', () => {
  const { roles, faults } = describe(board('exp-board'))
  assert.deepEqual(roles, { board: { label: 'The board', default: 'exp-board' } })
  assert.equal(faults.length, 1)
  assert.match(faults[0] ?? '', /air\.yaml:7.*no parameter "rely"\. Did you mean "relay"/)
})
