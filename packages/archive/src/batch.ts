import {
  type CommandRecord,
  type Gap,
  type GapReason,
  GolemError,
  type RunRecord,
  type RunRow,
  type SiteEvent,
} from '@golem/core'
import type { Cell, Database, Transaction } from './database.ts'
import { COMMAND, DOCUMENT, EVENT, GAP, META, RUN, RUN_ROW, SAMPLE, SERIES, rollupTable } from './schema.ts'

/** A series as the archive knows it. Times in ms since 1970. */
export interface Series {
  id: number
  instrument: string
  parameter: string
  /** As in the instrument's description: number, integer, boolean, choice, text. */
  type: string
  label: string
  unit: string | null
  /** Its first and its last reading, stored singly or not. */
  firstAt: number | null
  lastAt: number | null
  /** The last one that was stored. */
  keptAt: number | null
  keptValue: number | string | null
}

/** Readings of one number within one minute or hour. */
export interface RollupPart {
  series: number
  /** Begin of the minute or hour, ms since 1970. */
  t: number
  lo: number
  hi: number
  total: number
  n: number
}

/** Times in ms since 1970. */
export interface GapRow {
  series: number
  from: number
  until: number | null
  reason: GapReason
  message: string
}

/** A description or another text, each version once. */
export interface DocumentRow {
  kind: string
  name: string
  at: number
  digest: string
  body: string
}

/** What the archiver writes in one transaction, together with how far it has read. */
export interface Batch {
  /** Readings to be stored: a truth value as 0 or 1. */
  samples: readonly { series: number; t: number; value: number | string }[]
  minutes: readonly RollupPart[]
  hours: readonly RollupPart[]
  /** New ones, and those that have ended, known by series and begin. One that ends at its begin is removed. */
  gaps: readonly GapRow[]
  /** Those of which first, last or kept readings have changed. */
  series: readonly Series[]
  events: readonly SiteEvent[]
  commands: readonly CommandRecord[]
  runs: readonly RunRecord[]
  rows: readonly { run: string; row: RunRow }[]
  documents: readonly DocumentRow[]
  /** What is to be found under these names at the next start, e.g. how far the streams have been read. */
  remember: Readonly<Record<string, string>>
}

/** A batch with nothing in it. */
export const EMPTY_BATCH: Batch = {
  samples: [],
  minutes: [],
  hours: [],
  gaps: [],
  series: [],
  events: [],
  commands: [],
  runs: [],
  rows: [],
  documents: [],
  remember: {},
}

/** The run that a command or an entry is by, as its `by` says it; null: somebody else. */
export function runOf(by: string): string | null {
  return /^run (\S+)$/.exec(by)?.[1] ?? null
}

/**
 * Writes a batch: all of it or nothing. Writing one twice changes nothing but the rollups.
 *
 * @param after - what has to be remembered now; otherwise somebody else has written since, and nothing is written
 * @throws GolemError LEASE_LOST in that case
 */
export function writeBatch(
  database: Database,
  batch: Batch,
  after: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  return database.transaction(async (transaction) => {
    for (const [name, value] of Object.entries(after)) {
      const [row] = await transaction.query<{ value: string }>('SELECT value FROM meta WHERE name = ?', [
        name,
      ])
      if (row?.value !== value) throw new GolemError('LEASE_LOST', 'Another archiver has written meanwhile.')
    }
    const write = async (table: Parameters<Transaction['insert']>[0], rows: Cell[][]): Promise<void> => {
      if (rows.length > 0) await transaction.insert(table, rows)
    }
    await write(
      SAMPLE,
      batch.samples.map(({ series, t, value }) =>
        typeof value === 'number' ? [series, t, value, null] : [series, t, null, value],
      ),
    )
    for (const [name, parts] of [
      ['minute', batch.minutes],
      ['hour', batch.hours],
    ] as const) {
      await write(
        rollupTable(name, database),
        parts.map(({ series, t, lo, hi, total, n }) => [series, t, lo, hi, bounded(total), n]),
      )
    }
    await write(
      GAP,
      newest(batch.gaps, ({ series, from }) => `${series} ${from}`).map(
        ({ series, from, until, reason, message }) => [series, from, until, reason, message],
      ),
    )
    // One that turned out to be none.
    for (const { series, from, until } of batch.gaps) {
      if (until !== null && until <= from) {
        await transaction.run('DELETE FROM gap WHERE series = ? AND t = ? AND until <= t', [series, from])
      }
    }
    await write(SERIES, newest(batch.series, ({ id }) => String(id)).map(seriesRow))
    await write(EVENT, batch.events.map(eventRow))
    await write(COMMAND, newest(batch.commands, ({ id }) => id).map(commandRow))
    await write(RUN, newest(batch.runs, ({ id }) => id).map(runRow))
    await write(
      RUN_ROW,
      batch.rows.map(({ run, row }) => [run, row.id, Date.parse(row.at), JSON.stringify(row)]),
    )
    await write(
      DOCUMENT,
      batch.documents.map(({ kind, name, at, digest, body }) => [kind, name, at, digest, body]),
    )
    await write(META, Object.entries(batch.remember))
  })
}

/** No instrument measures more. Sums of such stay numbers; PostgreSQL refuses what does not. */
const MOST = 1e300

function bounded(total: number): number {
  return Math.max(-MOST, Math.min(MOST, total))
}

/** Of those with the same key the last: PostgreSQL takes one key only once in a statement. */
function newest<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()]
}

/** What the last batch has left under a name. */
export async function remembered(database: Database, name: string): Promise<string | undefined> {
  const [row] = await database.query<{ value: string }>('SELECT value FROM meta WHERE name = ?', [name])
  return row?.value
}

/** A note belongs where its time span begins, everything else where it was written. */
function eventRow(event: SiteEvent): Cell[] {
  const written = Date.parse(event.at)
  const from = event.kind === 'note' ? event.data?.['from'] : undefined
  return [
    event.id,
    typeof from === 'string' ? Date.parse(from) : written,
    written,
    event.kind,
    event.level ?? 'info',
    event.instrument ?? null,
    event.by ?? null,
    event.command ?? null,
    event.run ?? null,
    event.stage ?? null,
    event.message,
    event.data === undefined ? null : JSON.stringify(event.data),
  ]
}

function commandRow(record: CommandRecord): Cell[] {
  return [
    record.id,
    Date.parse(record.submittedAt),
    record.endedAt === undefined ? null : Date.parse(record.endedAt),
    record.instrument,
    record.outcome ?? null,
    record.by,
    runOf(record.by),
    JSON.stringify(record),
  ]
}

function runRow(record: RunRecord): Cell[] {
  return [
    record.id,
    Date.parse(record.submittedAt),
    record.endedAt === undefined ? null : Date.parse(record.endedAt),
    record.recipe,
    JSON.stringify(record),
  ]
}

function seriesRow({
  id,
  instrument,
  parameter,
  type,
  label,
  unit,
  firstAt,
  lastAt,
  keptAt,
  keptValue,
}: Series): Cell[] {
  const number = typeof keptValue === 'number' ? keptValue : null
  const text = typeof keptValue === 'string' ? keptValue : null
  return [id, instrument, parameter, type, label, unit, firstAt, lastAt, keptAt, number, text]
}

/**
 * The series of a parameter; made when there is none.
 *
 * @param what - type, label and unit as in the instrument's description
 */
export async function seriesFor(
  database: Database,
  instrument: string,
  parameter: string,
  what: Pick<Series, 'type' | 'label' | 'unit'>,
): Promise<Series> {
  return database.transaction(async (transaction) => {
    const find = (): Promise<SeriesRow[]> =>
      transaction.query<SeriesRow>('SELECT * FROM series WHERE instrument = ? AND parameter = ?', [
        instrument,
        parameter,
      ])
    const [known] = await find()
    if (known) return seriesFrom(known)
    await transaction.run(
      'INSERT INTO series (instrument, parameter, type, label, unit) VALUES (?, ?, ?, ?, ?)',
      [instrument, parameter, what.type, what.label, what.unit],
    )
    const [made] = await find()
    if (!made) throw new Error(`The series ${instrument}.${parameter} was not made.`)
    return seriesFrom(made)
  })
}

/** All series that ever were. */
export async function allSeries(database: Database): Promise<Series[]> {
  const rows = await database.query<SeriesRow>('SELECT * FROM series ORDER BY instrument, parameter')
  return rows.map(seriesFrom)
}

/** Times without readings that touch a span, oldest first. @param from, to - ms since 1970 */
export async function gapsOf(database: Database, series: number, from: number, to: number): Promise<Gap[]> {
  const rows = await database.query<{ t: number; until: number | null; reason: GapReason; message: string }>(
    'SELECT t, until, reason, message FROM gap WHERE series = ? AND t < ? AND (until IS NULL OR until > ?) ORDER BY t',
    [series, to, from],
  )
  return rows.map(({ t, until, reason, message }) => ({
    from: new Date(t).toISOString(),
    to: until === null ? null : new Date(until).toISOString(),
    reason,
    message,
  }))
}

type SeriesRow = {
  id: number
  instrument: string
  parameter: string
  type: string
  label: string
  unit: string | null
  first_at: number | null
  last_at: number | null
  kept_at: number | null
  kept_v: number | null
  kept_x: string | null
}

function seriesFrom(row: SeriesRow): Series {
  return {
    id: row.id,
    instrument: row.instrument,
    parameter: row.parameter,
    type: row.type,
    label: row.label,
    unit: row.unit,
    firstAt: row.first_at,
    lastAt: row.last_at,
    keptAt: row.kept_at,
    keptValue: row.kept_v ?? row.kept_x,
  }
}
