import type { InstrumentDescription } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partsOf, type Section, tabOf, tabsOf } from './groups.ts'

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

test('Relays, Sensors and Lamps come first, other groups as they appear, the tabs of the page at the end', () => {
  const tabs = tabsOf([
    instrument('a', 'Pumps', { x: undefined, lamp: 'Lamps', y: 'Devices' }),
    instrument('b', 'Pumps', { relay: 'Relays' }),
  ])
  assert.deepEqual(
    tabs.map(({ id }) => id),
    ['Relays', 'Lamps', 'Pumps', 'Gas', 'Plots', 'Runs', 'Schedules', 'Alarms', 'Devices', 'Log'],
  )
})

test('a group that is called as a tab of the page does not hide that', () => {
  const tabs = tabsOf([instrument('a', 'Log', { x: undefined, y: 'Runs' })])
  assert.deepEqual(
    tabs.map(({ id, kind }) => `${id} ${kind}`),
    [
      'group:Log group',
      'group:Runs group',
      'Gas group',
      'Plots plots',
      'Runs runs',
      'Schedules schedules',
      'Alarms alarms',
      'Devices devices',
      'Log log',
    ],
  )
})

test('one begins with the first group, and without instruments where it says that there are none', () => {
  const tabs = tabsOf([instrument('a', 'Pumps', { x: undefined })])
  assert.equal(tabOf(tabs, '')?.id, 'Pumps')
  assert.equal(tabOf(tabs, 'Runs')?.id, 'Runs')
  assert.equal(tabOf(tabsOf([]), 'nonsense')?.id, 'Devices')
})

test('a group shows the parameters and actions of each instrument that belong to it', () => {
  const parts = partsOf(
    [instrument('a', 'Gas', { x: undefined, y: 'Relays' }), instrument('b', 'Relays', { z: undefined })],
    'Relays',
  )
  assert.deepEqual(
    parts.map(({ instrument: { id }, sections }) => [id, sections.map(namesOf)]),
    [
      ['a', [' y']],
      ['b', [' z reset()']],
    ],
  )
})

test('headings stand as they appear, before what has none; an action stands under its heading', () => {
  const supply = {
    ...instrument('supply', 'Bench', {}),
    parameters: {
      on1: { label: 'On', section: 'Channel 1' },
      on2: { label: 'On', section: 'Channel 2' },
      volt1: { label: 'Voltage', section: 'Channel 1' },
      error: { label: 'Error' },
    },
    actions: { trip: { label: 'Trip', section: 'Channel 2' }, off: { label: 'Off', section: 'All' } },
  } as unknown as InstrumentDescription
  assert.deepEqual(
    partsOf([supply], 'Bench').map(({ sections }) => sections.map(namesOf)),
    [['Channel 1 on1 volt1', 'Channel 2 on2 trip()', 'All off()', ' error']],
  )
})

function namesOf({ heading, parameters, actions }: Section): string {
  return [heading, ...parameters.map(([name]) => name), ...actions.map(([name]) => `${name}()`)].join(' ')
}
