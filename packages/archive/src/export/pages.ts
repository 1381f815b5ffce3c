import type { Gap, GapReason } from '@golem/core'
import { setImmediate as otherWork } from 'node:timers/promises'
import type { Cell, Database } from '../database.ts'
import type { Every } from './sheet.ts'

/** Rows of one question: a few ms, after which others have their turn. */
const PAGE_ROWS = 5_000
/** The same where many series are read side by side. */
const NARROW_PAGE_ROWS = 500

type SampleRow = { t: number; v: number | null; x: string | null }
type RollupRow = { t: number; lo: number; hi: number; total: number; n: number }

/** What is asked of one series. Times in ms since 1970; `to` is not included. */
export interface Span {
  series: number
  from: number
  to: number
}

/**
 * The readings of a series as rows, page by page, by their key: no question lasts, and none holds the database.
 *
 * @param how - `narrow`: many series are read side by side; `name`: stands behind the time in each row
 * @returns rows `[time, number, text]`; of minutes and hours `[time, mean, least, greatest, count]`
 */
export async function* pagesOf(
  database: Database,
  { series, from, to }: Span,
  every: Every,
  { narrow = false, name }: { narrow?: boolean; name?: string } = {},
): AsyncGenerator<Cell[][]> {
  const most = narrow ? NARROW_PAGE_ROWS : PAGE_ROWS
  const columns = every === 'exact' ? 't, v, x' : 't, lo, hi, total, n'
  const table = every === 'exact' ? 'sample' : every
  const sql = `SELECT ${columns} FROM ${table} WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT ${most}`
  for (let next = from; next < to;) {
    const found = await database.query<SampleRow | RollupRow>(sql, [series, next, to])
    const last = found.at(-1)
    if (last === undefined) return
    yield found.map(name === undefined ? cellsOf : (row) => namedCellsOf(row, name))
    if (found.length < most) return
    next = last.t + 1
    // SQLite answers without a pause: polls and commands of the same process are not to wait for a whole file.
    await otherWork()
  }
}

function cellsOf(row: SampleRow | RollupRow): Cell[] {
  return 'n' in row ? [row.t, row.total / row.n, row.lo, row.hi, row.n] : [row.t, row.v, row.x]
}

function namedCellsOf(row: SampleRow | RollupRow, name: string): Cell[] {
  return 'n' in row ? [row.t, name, row.total / row.n, row.lo, row.hi, row.n] : [row.t, name, row.v, row.x]
}

/** The gaps of a series that touch a span, as they began, page by page. */
export async function* gapPagesOf(database: Database, { series, from, to }: Span): AsyncGenerator<Gap[]> {
  const sql = `SELECT t, until, reason, message FROM gap
    WHERE series = ? AND t >= ? AND t < ? AND (until IS NULL OR until > ?) ORDER BY t LIMIT ${NARROW_PAGE_ROWS}`
  for (let next = Number.MIN_SAFE_INTEGER; ;) {
    const found = await database.query<{
      t: number
      until: number | null
      reason: GapReason
      message: string
    }>(sql, [series, next, to, from])
    const last = found.at(-1)
    if (last === undefined) return
    yield found.map(({ t, until, reason, message }) => ({
      from: new Date(t).toISOString(),
      to: until === null ? null : new Date(until).toISOString(),
      reason,
      message,
    }))
    if (found.length < NARROW_PAGE_ROWS) return
    next = last.t + 1
    await otherWork()
  }
}
