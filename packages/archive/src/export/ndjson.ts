import { isoClock } from './clock.ts'
import { type Origin, gapInFull, prefaceOf, seriesOf } from './origin.ts'
import type { Selection, Sheet } from './sheet.ts'

const iso = isoClock()

/**
 * A table as lines of JSON. `what` says what a line is: `export` (the first: where it comes from), `gap`, `reading`, and `end`
 * with the number of rows, without which it is not whole.
 *
 * @param rowsBefore - rows that came before, where an export goes on; it then has no first line
 */
export async function* ndjsonOf(
  sheet: Sheet,
  selection: Selection,
  origin: Origin,
  rowsBefore: number,
): AsyncGenerator<string> {
  if (selection.after === undefined) {
    yield line({ what: 'export', ...prefaceOf(origin, selection), series: seriesOf(selection) })
  }
  let count = rowsBefore
  for await (const { gaps, rows } of sheet.pages) {
    const lines = gaps.map(({ series, gap }) => line({ what: 'gap', ...gapInFull(series, gap) }))
    for (const row of rows) {
      const cells = sheet.columns.flatMap(({ name, kind }, index) => {
        const cell = row[index] ?? null
        if (cell === null) return []
        return [[name, kind === 'time' ? iso(Number(cell)) : cell]]
      })
      lines.push(line({ what: 'reading', ...Object.fromEntries(cells) }))
    }
    count += rows.length
    if (lines.length > 0) yield lines.join('')
  }
  yield line({ what: 'end', rows: count })
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
