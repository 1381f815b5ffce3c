import type { InstrumentDescription } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partsOf, tabsOf } from './groups.ts'

function instrument(
  id: string,
  group: string,
  parameters: Record<string, string | undefined>,
): InstrumentDescription {
  return {
    id,
    group,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, of]) => [name, { label: name, group: of }]),
    ),
    actions: {
      reset: { label: 'Reset', arguments: {} },
      zero: { label: 'Zero', group: 'Gas', arguments: {} },
    },
  } as unknown as InstrumentDescription
}

test('Relays, Sensors and Lamps come first, other groups as they appear, Devices and Log at the end', () => {
  const tabs = tabsOf([
    instrument('a', 'Pumps', { x: undefined, lamp: 'Lamps', y: 'Devices' }),
    instrument('b', 'Pumps', { relay: 'Relays' }),
  ])
  assert.deepEqual(
    tabs.map(({ id }) => id),
    ['Relays', 'Lamps', 'Pumps', 'Gas', 'Devices', 'Log'],
  )
})

test('a group that is called Log does not hide the log', () => {
  const tabs = tabsOf([instrument('a', 'Log', { x: undefined })])
  assert.deepEqual(
    tabs.map(({ id, kind }) => `${id} ${kind}`),
    ['group:Log group', 'Gas group', 'Devices devices', 'Log log'],
  )
})

test('a group shows the parameters and actions of each instrument that belong to it', () => {
  const parts = partsOf(
    [instrument('a', 'Gas', { x: undefined, y: 'Relays' }), instrument('b', 'Relays', { z: undefined })],
    'Relays',
  )
  assert.deepEqual(
    parts.map((part) => [part.instrument.id, part.parameters.map(([name]) => name), part.actions.length]),
    [
      ['a', ['y'], 0],
      ['b', ['z'], 0],
    ],
  )
})
