import type { InstrumentDescription, RunRow, Value, ValueDescription } from '@golem/core'
import type { Shown } from './format.ts'

/** A column of what a run has measured. */
export interface Column {
  /** The name of a variable or of a reading. */
  name: string
  kind: 'variable' | 'reading'
  label: string
  shown: Shown
}

/** Names of the tables, in the order in which they appear. */
export function tablesOf(rows: readonly RunRow[]): string[] {
  return [...new Set(rows.map(({ table }) => table))]
}

/** What can be shown of these rows: variables first, then readings. */
export function columnsOf(rows: readonly RunRow[], instruments: readonly InstrumentDescription[]): Column[] {
  const variables = new Set(rows.flatMap((row) => Object.keys(row.variables)))
  const readings = new Set(rows.flatMap((row) => Object.keys(row.values)))
  return [
    ...[...variables].map((name): Column => ({
      name,
      kind: 'variable',
      label: name,
      shown: { type: 'number' },
    })),
    ...[...readings].map((name): Column => ({ name, kind: 'reading', ...describe(name, instruments) })),
  ]
}

function describe(
  name: string,
  instruments: readonly InstrumentDescription[],
): { label: string; shown: ValueDescription } {
  const at = name.indexOf('.')
  const instrument = instruments.find(({ id }) => id === name.slice(0, at))
  const key = name.slice(at + 1)
  const parameter =
    instrument && Object.hasOwn(instrument.parameters, key) ? instrument.parameters[key] : undefined
  if (!instrument || !parameter) return { label: name, shown: { type: 'number' } }
  return { label: `${instrument.label}: ${parameter.label}`, shown: parameter }
}

export function cellOf(row: RunRow, { kind, name }: Column): Value | undefined {
  const cells = kind === 'variable' ? row.variables : row.values
  return Object.hasOwn(cells, name) ? cells[name] : undefined
}

/** A number that can be drawn; a switch is 0 or 1. */
export function drawable(value: Value | undefined): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export interface Point {
  x: number
  y: number
}

/**
 * Points to be drawn, in the order of the rows.
 *
 * @param over - the column on the horizontal axis; null: the time in ms
 */
export function pointsOf(rows: readonly RunRow[], column: Column, over: Column | null): Point[] {
  return rows.flatMap((row) => {
    const y = drawable(cellOf(row, column))
    const x = over === null ? Date.parse(row.at) : drawable(cellOf(row, over))
    return x === null || y === null ? [] : [{ x, y }]
  })
}

export interface Extent {
  minX: number
  maxX: number
  minY: number
  maxY: number
}

/** null: there is nothing to draw. */
export function extentOfPoints(points: readonly Point[]): Extent | null {
  if (points.length === 0) return null
  const extent = { minX: Infinity, maxX: -Infinity, minY: Infinity, maxY: -Infinity }
  for (const { x, y } of points) {
    extent.minX = Math.min(extent.minX, x)
    extent.maxX = Math.max(extent.maxX, x)
    extent.minY = Math.min(extent.minY, y)
    extent.maxY = Math.max(extent.maxY, y)
  }
  return extent
}

/** The points within a drawing of this size; what does not vary lies in the middle. */
export function place(points: readonly Point[], width: number, height: number): Point[] {
  const extent = extentOfPoints(points)
  if (extent === null) return []
  const { minX, maxX, minY, maxY } = extent
  const share = (value: number, min: number, max: number): number =>
    max > min ? (value - min) / (max - min) : 0.5
  return points.map(({ x, y }) => ({
    x: Math.round(share(x, minX, maxX) * width * 10) / 10,
    y: Math.round((1 - share(y, minY, maxY)) * height * 10) / 10,
  }))
}
