import type { Database } from '../database.ts'
import { gapPagesOf, pagesOf } from './pages.ts'
import type { Column, Page, Selection, Sheet } from './sheet.ts'

const EXACT: readonly Column[] = [
  { name: 'time', kind: 'time' },
  { name: 'series', kind: 'text' },
  { name: 'value', kind: 'number' },
  { name: 'text', kind: 'text' },
]
const GATHERED: readonly Column[] = [
  { name: 'time', kind: 'time' },
  { name: 'series', kind: 'text' },
  { name: 'mean', kind: 'number' },
  { name: 'min', kind: 'number' },
  { name: 'max', kind: 'number' },
  { name: 'count', kind: 'number' },
]

/** A row for each reading: one series after the other, each with its gaps before it. */
export function longSheet(database: Database, selection: Selection): Sheet {
  return {
    columns: selection.every === 'exact' ? EXACT : GATHERED,
    pages: longPages(database, selection),
  }
}

async function* longPages(database: Database, selection: Selection): AsyncGenerator<Page> {
  const { series: all, from, to, every, after } = selection
  // A position names a series that is there: whoever makes it has looked.
  const first = after?.series === undefined ? 0 : all.findIndex(({ name }) => name === after.series)
  for (const [index, series] of all.entries()) {
    if (index < first) continue
    const { id, name } = series
    const goesOn = after !== undefined && index === first
    if (!goesOn) {
      for await (const gaps of gapPagesOf(database, { series: id, from, to })) {
        yield { gaps: gaps.map((gap) => ({ series: name, gap })), rows: [] }
      }
    }
    const begin = goesOn ? Math.max(from, after.t + 1) : from
    for await (const rows of pagesOf(database, { series: id, from: begin, to }, every, { name })) {
      yield { gaps: [], rows }
    }
  }
}
