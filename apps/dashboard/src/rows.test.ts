import type { InstrumentDescription, RunRow } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsOf, extentOfPoints, place, pointsOf, tablesOf } from './rows.ts'

const row = (id: number, change: Partial<RunRow> = {}): RunRow => ({
  id: String(id),
  table: 'scan',
  at: new Date(id * 1000).toISOString(),
  values: { 'meter.volt': id * 2 },
  samples: 1,
  variables: { step: id },
  ...change,
})
const METER = {
  id: 'meter',
  label: 'Meter',
  parameters: { volt: { label: 'Voltage', type: 'number', unit: 'V' } },
} as unknown as InstrumentDescription

test('columns have the names of the site; what it does not know keeps its own', () => {
  const rows = [row(1), row(2, { values: { 'gone.x': 1, 'meter.toString': 2 } })]
  assert.deepEqual(
    columnsOf(rows, [METER]).map(({ kind, label, shown }) => [kind, label, shown.unit]),
    [
      ['variable', 'step', undefined],
      ['reading', 'Meter: Voltage', 'V'],
      ['reading', 'gone.x', undefined],
      ['reading', 'meter.toString', undefined],
    ],
  )
  assert.deepEqual(tablesOf([row(1), row(2, { table: 'after' }), row(3)]), ['scan', 'after'])
})

test('points are drawn over the time or a variable; what is no number is left out', () => {
  const rows = [row(1), row(2, { values: { 'meter.volt': 'overload' } }), row(3)]
  const [step, volt] = columnsOf(rows, [METER])
  assert.ok(step && volt)
  assert.deepEqual(pointsOf(rows, volt, step), [
    { x: 1, y: 2 },
    { x: 3, y: 6 },
  ])
  assert.deepEqual(pointsOf(rows, volt, null)[1], { x: 3000, y: 6 })
})

test('points fill the drawing; what does not vary lies in its middle', () => {
  assert.deepEqual(
    place(
      [
        { x: 1, y: 2 },
        { x: 3, y: 6 },
      ],
      100,
      40,
    ),
    [
      { x: 0, y: 40 },
      { x: 100, y: 0 },
    ],
  )
  assert.deepEqual(place([{ x: 1, y: 5 }], 100, 40), [{ x: 50, y: 20 }])
  assert.equal(extentOfPoints([]), null)
})
