import {
  type CommandRecord,
  ENTRY_COMMANDS,
  type EventDetails,
  type EventFilter,
  type LogLevel,
  type TimelineEntry,
  type TimelinePlace,
  commandsOf,
  isoTime,
  levelsFrom,
} from '@golem/core'
import { setImmediate as othersFirst } from 'node:timers/promises'
import type { Cell, Database, Transaction } from './database.ts'
import type { EventRow } from './event-row.ts'

/** As many entries are looked through at once: some 10 ms of work. */
const SLICE = 10_000
/** After that no more is looked through for one page, in ms: it is the next page's. */
const SEARCH_MS = 1_500
/** Ids that are asked for in one statement. */
const IDS = 500

type Reader = Pick<Transaction, 'query'>

/** A page of the timeline. Times in ms since 1970. */
export interface TimelineQuery {
  filter: EventFilter
  /** Inclusive; absent: from the first entry on. */
  from?: number
  /** Exclusive; absent: to the last one. */
  to?: number
  /** Those nearest before or after this place; absent: before the end. */
  edge?: { side: 'before' | 'after'; place: TimelinePlace }
  limit: number
}

export interface TimelinePage {
  /** Oldest first. */
  entries: TimelineEntry[]
  /** Where the search may go on in the same direction: the last entry found, or how far it has come; null: there is no more. */
  next: TimelinePlace | null
}

/**
 * A page of what is archived of the site's log, with the commands it tells of. However much there is, what is read at
 * once is bounded, and so is the time: a rare word in years of entries takes several pages, which may be empty.
 *
 * @throws GolemError ARCHIVE_DOWN
 */
export async function timeline(
  database: Reader & Pick<Database, 'kind'>,
  query: TimelineQuery,
): Promise<TimelinePage> {
  const search = new Search(database, query)
  const rows = await search.run()
  const next = search.next
  const entries = await withCommands(database, rows.map(entryOf))
  return { entries, next }
}

/** Puts to entries what has become of the commands they tell of. */
async function withCommands(reader: Reader, entries: readonly TimelineEntry[]): Promise<TimelineEntry[]> {
  const wanted = new Set(entries.flatMap((entry) => commandsOf(entry).slice(0, ENTRY_COMMANDS)))
  const records = new Map<string, CommandRecord>()
  const ids = [...wanted]
  for (let from = 0; from < ids.length; from += IDS) {
    const some = ids.slice(from, from + IDS)
    const rows = await reader.query<{ id: string; record: string }>(
      `SELECT id, record FROM command WHERE id IN (${some.map(() => '?').join(', ')})`,
      some,
    )
    for (const { id, record } of rows) records.set(id, JSON.parse(record) as CommandRecord)
  }
  return entries.map((entry) => {
    const own = commandsOf(entry)
      .slice(0, ENTRY_COMMANDS)
      .flatMap((id) => records.get(id) ?? [])
    return own.length === 0 ? entry : { ...entry, commands: own }
  })
}

class Search {
  readonly #database: Reader & Pick<Database, 'kind'>
  readonly #query: TimelineQuery
  readonly #forward: boolean
  /** Conditions that hold for each row, and their parameters. */
  readonly #where: string[]
  readonly #parameters: Cell[]
  /** As `TimelinePage` has it; known when `run` has ended. */
  next: TimelinePlace | null = null

  constructor(database: Reader & Pick<Database, 'kind'>, query: TimelineQuery) {
    this.#database = database
    this.#query = query
    this.#forward = query.edge?.side === 'after'
    const { where, parameters } = conditionsOf(query, database.kind)
    this.#where = where
    this.#parameters = parameters
  }

  /** @returns oldest first */
  async run(): Promise<EventRow[]> {
    const { limit, edge, from = 0, to = Number.MAX_SAFE_INTEGER } = this.#query
    const end = performance.now() + SEARCH_MS
    const found: EventRow[] = []
    // The bounds of what is to be looked through, both inclusive.
    let low = this.#forward ? Math.max(from, edge?.place.t ?? 0) : from
    let high = this.#forward ? to - 1 : Math.min(to - 1, edge?.place.t ?? Number.MAX_SAFE_INTEGER)
    while (low <= high) {
      const cut = await this.#cut(low, high)
      const part = this.#forward ? [low, cut ?? high] : [cut ?? low, high]
      found.push(...(await this.#rows(part, limit + 1 - found.length)))
      if (found.length > limit) {
        const last = found[limit - 1]
        this.next = last ? { t: last.t, id: last.id } : null
        break
      }
      if (cut === null) break
      if (this.#forward) low = cut + 1
      else high = cut - 1
      if (performance.now() > end) {
        // Whatever is of this time has been seen.
        this.next = this.#forward ? { t: cut, id: LAST_ID } : { t: cut, id: FIRST_ID }
        break
      }
      await othersFirst()
    }
    const page = found.slice(0, limit)
    return this.#forward ? page : page.reverse()
  }

  /** The time up to which a slice goes; null: what is left is one. */
  async #cut(low: number, high: number): Promise<number | null> {
    const [row] = await this.#database.query<{ t: number }>(
      `SELECT t FROM event WHERE t >= ? AND t <= ? ORDER BY t ${this.#order} LIMIT 1 OFFSET ${SLICE}`,
      [low, high],
    )
    return row?.t ?? null
  }

  #rows([low = 0, high = 0]: number[], limit: number): Promise<EventRow[]> {
    const where = ['t >= ?', 't <= ?', ...this.#where].join(' AND ')
    const order = this.#order
    return this.#database.query<EventRow>(
      `SELECT * FROM event WHERE ${where} ORDER BY t ${order}, LENGTH(id) ${order}, id ${order} LIMIT ${limit}`,
      [low, high, ...this.#parameters],
    )
  }

  get #order(): 'ASC' | 'DESC' {
    return this.#forward ? 'ASC' : 'DESC'
  }
}

/** No entry of one time comes before the first, or after the last. */
const FIRST_ID = '0-0'
const LAST_ID = `${'9'.repeat(16)}-${'9'.repeat(20)}`

function conditionsOf(
  { filter, edge }: TimelineQuery,
  kind: Database['kind'],
): { where: string[]; parameters: Cell[] } {
  const where: string[] = []
  const parameters: Cell[] = []
  const add = (condition: string, ...values: Cell[]): void => {
    where.push(condition)
    parameters.push(...values)
  }
  const among = (column: string, values: readonly string[]): void =>
    add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values)
  const { kinds, level, instrument, run, by, text } = filter
  if (kinds) among('kind', kinds)
  if (level !== undefined) among('level', levelsFrom(level))
  if (instrument !== undefined) add('instrument = ?', instrument)
  if (run !== undefined) add('run = ?', run)
  const contains = kind === 'postgres' ? '~' : 'GLOB'
  if (by !== undefined) add(`by_whom ${contains} ?`, patternOf(by, kind))
  if (text !== undefined) {
    const pattern = patternOf(text, kind)
    add(
      `(message ${contains} ? OR by_whom ${contains} ? OR data ${contains} ?)`,
      pattern,
      pattern,
      jsonPatternOf(text, kind),
    )
  }
  if (edge) {
    const { t, id } = edge.place
    const sign = edge.side === 'after' ? '>' : '<'
    add(
      `(t ${sign} ? OR (t = ? AND (LENGTH(id) ${sign} CAST(? AS BIGINT) OR (LENGTH(id) = CAST(? AS BIGINT) AND id ${sign} ?))))`,
      t,
      t,
      id.length,
      id.length,
      id,
    )
  }
  return { where, parameters }
}

/**
 * A pattern that finds a text in whatever case: of each letter both. LIKE of SQLite knows no case but that of ASCII, and
 * ILIKE that of the server's locale only.
 */
function patternOf(text: string, kind: Database['kind']): string {
  const letters = Array.from(text, (letter) => {
    const both = [letter.toLowerCase(), letter.toUpperCase()]
    // "ß" has no upper case of one letter.
    if (both[0] !== both[1] && both.every((one) => one.length === letter.length)) return `[${both.join('')}]`
    if (kind === 'postgres') return letter.replace(/[\\^$.|?*+()[\]{}]/u, String.raw`\$&`)
    return /[*?[]/u.test(letter) ? `[${letter}]` : letter
  })
  return kind === 'postgres' ? letters.join('') : `*${letters.join('')}*`
}

/** The same within JSON, where some signs are written otherwise. */
function jsonPatternOf(text: string, kind: Database['kind']): string {
  return patternOf(JSON.stringify(text).slice(1, -1), kind)
}

function entryOf(row: EventRow): TimelineEntry {
  const details: EventDetails = {
    ...(row.level === 'info' ? {} : { level: row.level as LogLevel }),
    ...(row.command === null ? {} : { command: row.command }),
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.stage === null ? {} : { stage: row.stage }),
    ...(row.data === null ? {} : { data: JSON.parse(row.data) as Readonly<Record<string, unknown>> }),
  }
  return {
    id: row.id,
    at: isoTime(row.written),
    kind: row.kind,
    ...(row.instrument === null ? {} : { instrument: row.instrument }),
    ...(row.by_whom === null ? {} : { by: row.by_whom }),
    message: row.message,
    ...details,
    when: isoTime(row.t),
  }
}
