import { setImmediate as otherWork } from 'node:timers/promises'
import type { Cell, Database } from '../database.ts'
import type { EventRow } from '../event-row.ts'
import type { Origin } from './origin.ts'

const PAGE_ROWS = 1_000

/** What can be asked for of each table. */
const FILTERS = {
  event: ['instrument', 'run', 'kind'],
  command: ['instrument', 'run'],
  run_row: ['run'],
}

/** What of the site's log is to be exported. Times in ms since 1970, `to` not included. */
export interface LogSelection {
  /** rows: what a run has measured. */
  what: 'events' | 'commands' | 'rows'
  from: number
  to: number
  instrument?: string
  run?: string
  /** Of events only. */
  kind?: string
  /** Only what comes after this one. */
  after?: { t: number; id: string }
}

/**
 * Events, commands or rows of a run as lines of JSON, oldest first. `what` says what a line is: `export` (the first), `event`, `command` or
 * `row`, and `end` with the number of rows, without which it is not whole. `t` is where a line stands, in ms since 1970: of a note on
 * a past time, that time.
 *
 * @param rowsBefore - rows that came before, where an export goes on; it then has no first line
 */
export async function* exportLog(
  database: Database,
  selection: LogSelection,
  origin: Origin,
  rowsBefore = 0,
): AsyncGenerator<Uint8Array> {
  if (selection.after === undefined) {
    const { from, to } = selection
    yield line({
      what: 'export',
      of: selection.what,
      ...origin,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      timeZone: 'UTC',
    })
  }
  let count = rowsBefore
  for await (const lines of linesOf(database, selection)) {
    count += lines.length
    yield Buffer.from(lines.join(''))
  }
  yield line({ what: 'end', rows: count })
}

function linesOf(database: Database, selection: LogSelection): AsyncGenerator<string[]> {
  switch (selection.what) {
    case 'events':
      return events(database, selection)
    case 'commands':
      return records(database, 'command', 'command', selection)
    case 'rows':
      return records(database, 'run_row', 'row', selection)
  }
}

async function* events(database: Database, selection: LogSelection): AsyncGenerator<string[]> {
  for await (const rows of pages<EventRow>(database, 'event', '*', selection)) {
    yield rows.map((row) => {
      const { id, t, written, kind, level, instrument, by_whom: by, command, run, stage, message, data } = row
      const optional = Object.entries({ instrument, by, command, run, stage }).filter(
        ([, value]) => value !== null,
      )
      const parsed = data === null ? {} : { data: JSON.parse(data) as unknown }
      return textOf({
        what: 'event',
        t,
        id,
        at: new Date(written).toISOString(),
        kind,
        level,
        message,
        ...Object.fromEntries(optional),
        ...parsed,
      })
    })
  }
}

async function* records(
  database: Database,
  table: 'command' | 'run_row',
  what: string,
  selection: LogSelection,
): AsyncGenerator<string[]> {
  type Row = { t: number; id: string; record: string }
  for await (const rows of pages<Row>(database, table, 't, id, record', selection)) {
    yield rows.map(({ t, record }) => textOf({ what, t, ...(JSON.parse(record) as object) }))
  }
}

async function* pages<T extends { t: number; id: string }>(
  database: Database,
  table: 'event' | 'command' | 'run_row',
  columns: string,
  { from, to, instrument, run, kind, after }: LogSelection,
): AsyncGenerator<T[]> {
  const filters = Object.entries({ instrument, run, kind }).filter(
    (filter): filter is [string, string] => filter[1] !== undefined && FILTERS[table].includes(filter[0]),
  )
  const sql = `SELECT ${columns} FROM ${table} WHERE (t, id) > (?, ?) AND t < ?
    ${filters.map(([name]) => `AND ${name} = ?`).join(' ')} ORDER BY t, id LIMIT ${PAGE_ROWS}`
  // No id is an empty text, so the first page begins with the first of its time.
  let [t, id] = after === undefined || after.t < from ? [from, ''] : [after.t, after.id]
  for (;;) {
    const cells: Cell[] = [t, id, to, ...filters.map(([, value]) => value)]
    const found = await database.query<T>(sql, cells)
    const last = found.at(-1)
    if (last === undefined) return
    yield found
    if (found.length < PAGE_ROWS) return
    ;[t, id] = [last.t, last.id]
    await otherWork()
  }
}

function textOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function line(value: object): Uint8Array {
  return Buffer.from(textOf(value))
}
