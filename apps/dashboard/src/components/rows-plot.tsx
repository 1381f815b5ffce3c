import type { RunRow } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatNumber, formatTime } from '../format.ts'
import { cellOf, type Column, drawable, extentOfPoints, place, pointsOf } from '../rows.ts'
import { language, now, t } from '../store.ts'

const WIDTH = 720
const HEIGHT = 160
/** More points than this are drawn as a line only. */
const MOST_DOTS = 200

interface RowsPlotProps {
  rows: readonly RunRow[]
  columns: readonly Column[]
}

/** One column over the time or over another column. For the eye only: the table has the numbers. */
export function RowsPlot({ rows, columns }: RowsPlotProps) {
  const drawn = columns.filter((column) => rows.some((row) => drawable(cellOf(row, column)) !== null))
  const readings = drawn.filter(({ kind }) => kind === 'reading')
  const [what, setWhat] = useState('')
  const [over, setOver] = useState<string | null>(null)
  const column = readings.find(({ name }) => name === what) ?? readings[0]
  if (column === undefined || rows.length < 2) return null
  // A scan is looked at over what it steps.
  const axis = over ?? drawn.find(({ kind }) => kind === 'variable')?.name ?? ''
  const other = drawn.find(({ name }) => name === axis && name !== column.name) ?? null
  const points = pointsOf(rows, column, other)
  const extent = extentOfPoints(points)
  if (extent === null) return null
  const placed = place(points, WIDTH, HEIGHT)
  const shown = (value: number, { shown: { decimals, unit } }: Column): string =>
    [formatNumber(value, decimals, language.value), unit].filter(Boolean).join(' ')
  const shownX = (value: number): string =>
    other === null
      ? formatTime(new Date(value).toISOString(), now.value, language.value)
      : shown(value, other)
  return (
    <div class="rows-plot" data-part="plot">
      <p class="axes">
        <Axis label={t('rowsPlot')} columns={readings} value={column.name} onChange={setWhat} />
        <Axis
          label={t('rowsOver')}
          columns={drawn.filter(({ name }) => name !== column.name)}
          value={other?.name ?? ''}
          first={t('time')}
          onChange={setOver}
        />
      </p>
      <span class="list-plot" aria-hidden="true">
        <span class="most">{shown(extent.maxY, column)}</span>
        <span class="least">{shown(extent.minY, column)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" focusable="false">
          <path
            d={placed.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')}
            vector-effect="non-scaling-stroke"
          />
          {placed.length <= MOST_DOTS &&
            placed.map(({ x, y }, index) => (
              // A line of no length with round ends is a dot that the stretching leaves round.
              <path key={index} class="dot" d={`M${x} ${y}h0`} vector-effect="non-scaling-stroke" />
            ))}
        </svg>
        <span class="first">{shownX(extent.minX)}</span>
        <span class="last-of">{shownX(extent.maxX)}</span>
      </span>
    </div>
  )
}

interface AxisProps {
  label: string
  columns: readonly Column[]
  value: string
  /** A choice before the columns. */
  first?: string
  onChange: (name: string) => void
}

function Axis({ label, columns, value, first, onChange }: AxisProps) {
  return (
    <label class="inline">
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {first !== undefined && <option value="">{first}</option>}
        {columns.map(({ kind, name, label: words }) => (
          <option key={`${kind} ${name}`} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}
