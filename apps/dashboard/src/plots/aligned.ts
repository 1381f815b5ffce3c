import uPlot from 'uplot'
import { type Columns, type PlotLine, isStepped } from './lines.ts'

export const NO_COLUMNS: Columns = { x: [], mean: [], min: [], max: [] }
/**
 * How a null is joined: it takes the times of other lines beside it along. Otherwise uPlot goes on with the line at the next
 * time of any other one, in the middle of the gap.
 */
const EXPAND = 2 as uPlot.JoinNullMode

/** All lines over one column of times; what a line has no point at is left out, and null breaks it. */
export function dataOf(lines: readonly PlotLine[], all: readonly Columns[]): uPlot.AlignedData {
  const tables = lines.map((line, index): uPlot.AlignedData => {
    const { x, mean, max, min } = all[index] ?? NO_COLUMNS
    if (isStepped(line)) return [x, mean]
    // Single readings are their own highest and lowest: one line is enough for them.
    const none = line.data.bucketMs === 0 ? x.map(() => null) : null
    return [x, mean, none ?? max, none ?? min]
  })
  const modes = tables.map((table) => table.map(() => EXPAND))
  return tables.length === 0 ? [[]] : uPlot.join(tables, modes)
}
