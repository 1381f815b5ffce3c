import type { Cell, Database } from '../database.ts'
import { gapPagesOf, pagesOf } from './pages.ts'
import type { Column, Page, Selection, Sheet } from './sheet.ts'

/** Rows that are handed on together. */
const PAGE_ROWS = 500

/**
 * A row for each time at which any of the series has a reading, with a column for each of them; empty where it has none. Of
 * minutes and hours it is the mean. All gaps come first.
 */
export function wideSheet(database: Database, selection: Selection): Sheet {
  const columns = selection.series.map(({ name, type }): Column => ({
    name,
    kind: isNumber(type) ? 'number' : 'text',
  }))
  return { columns: [{ name: 'time', kind: 'time' }, ...columns], pages: widePages(database, selection) }
}

function isNumber(type: string): boolean {
  return type !== 'text' && type !== 'choice'
}

async function* widePages(database: Database, selection: Selection): AsyncGenerator<Page> {
  const { series, from, to, every, after } = selection
  const begin = after === undefined ? from : Math.max(from, after.t + 1)
  if (after === undefined) {
    for (const { id, name } of series) {
      for await (const gaps of gapPagesOf(database, { series: id, from, to })) {
        yield { gaps: gaps.map((gap) => ({ series: name, gap })), rows: [] }
      }
    }
  }
  const heads = series.map(
    ({ id }) => new Head(pagesOf(database, { series: id, from: begin, to }, every, { narrow: true })),
  )
  for (const head of heads) await head.advance()
  let rows: Cell[][] = []
  for (;;) {
    const t = Math.min(...heads.map((head) => head.time))
    if (t === Infinity) break
    const row: Cell[] = [t]
    for (const head of heads) {
      if (head.time !== t) row.push(null)
      else {
        row.push(head.value)
        if (!head.step()) await head.advance()
      }
    }
    rows.push(row)
    if (rows.length < PAGE_ROWS) continue
    yield { gaps: [], rows }
    rows = []
  }
  if (rows.length > 0) yield { gaps: [], rows }
}

/** The next reading of one of the series that are read side by side. */
class Head {
  /** Infinity: there are no more. */
  time = Infinity
  value: Cell = null
  readonly #pages: AsyncGenerator<Cell[][]>
  #page: Cell[][] = []
  #next = 0

  constructor(pages: AsyncGenerator<Cell[][]>) {
    this.#pages = pages
  }

  /** Goes to the next reading of this page. @returns false: there are no more on it */
  step(): boolean {
    const row = this.#page[this.#next]
    if (row === undefined) return false
    this.#next += 1
    this.time = Number(row[0])
    // A number, or else the text beside it.
    this.value = row[1] ?? row[2] ?? null
    return true
  }

  /** Goes to the first reading of the next page. */
  async advance(): Promise<void> {
    const { value, done } = await this.#pages.next()
    this.#page = done === true ? [] : value
    this.#next = 0
    if (!this.step()) this.time = Infinity
  }
}
