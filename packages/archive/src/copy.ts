import { GolemError } from '@golem/core'
import { existsSync } from 'node:fs'
import type { Cell, Database, Row, Table, Transaction } from './database.ts'
import { databaseAt, openArchive, openArchiveReader, versionOf } from './open.ts'
import {
  COMMAND,
  DOCUMENT,
  EVENT,
  GAP,
  META,
  RUN,
  RUN_ROW,
  SAMPLE,
  SCHEMA_VERSION,
  SERIES,
  rollupTable,
} from './schema.ts'
import { isPostgresUrl } from './postgres.ts'
import { SqliteDatabase } from './sqlite.ts'

/** Each table with the columns of its key, by which it is read in parts. */
function tablesOf(target: Database): [table: Table, key: string[]][] {
  return [
    [META, ['name']],
    [SERIES, ['id']],
    [SAMPLE, ['series', 't']],
    [rollupTable('minute', target), ['series', 't']],
    [rollupTable('hour', target), ['series', 't']],
    [GAP, ['series', 't']],
    [EVENT, ['id']],
    [COMMAND, ['id']],
    [RUN, ['id']],
    [RUN_ROW, ['run', 'id']],
    [DOCUMENT, ['kind', 'name', 't']],
  ]
}

/** How many rows are carried over at a time. */
const ROWS = 5_000

/**
 * Writes the archive as it is at one moment into a file of its own, an SQLite archive whatever the database is, while
 * the archiver goes on.
 *
 * @param place - of the archive
 * @param file - must not exist
 * @throws GolemError ARCHIVE_DOWN when the archive can't be read
 */
export async function snapshotArchive(place: string, file: string): Promise<void> {
  const source = await openArchiveReader(place)
  try {
    if (source instanceof SqliteDatabase) {
      await source.query('VACUUM INTO ?', [file])
      return
    }
    const target = await openArchive(file)
    try {
      await source.snapshot((reader) => copyTables(reader, target))
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/**
 * Fills a new archive from a file that `snapshotArchive` made.
 *
 * @param place - where nothing is yet: no file, or an empty database
 * @throws GolemError ARCHIVE_DOWN when something is there, or the file is damaged
 */
export async function restoreArchive(file: string, place: string): Promise<void> {
  await checkArchiveFile(file)
  if (await isTaken(place))
    throw new GolemError('ARCHIVE_DOWN', 'There is an archive already; it is not overwritten.')
  const source = await openArchiveReader(file)
  const target = await openArchive(place)
  try {
    await source.snapshot((reader) => copyTables(reader, target))
    if (target.kind === 'postgres') {
      await target.query(
        "SELECT setval(pg_get_serial_sequence('series', 'id'), (SELECT MAX(id) FROM series))",
      )
    }
  } finally {
    await source.close()
    await target.close()
  }
}

/** @throws GolemError ARCHIVE_DOWN when the file is no archive of this golem, or is damaged */
export async function checkArchiveFile(file: string): Promise<void> {
  const database = new SqliteDatabase(file, { readOnly: true })
  try {
    const [row] = await database.query<{ integrity_check: string }>('PRAGMA integrity_check')
    const version = await versionOf(database)
    if (row?.integrity_check !== 'ok' || version !== SCHEMA_VERSION) {
      throw new GolemError('ARCHIVE_DOWN', `The archive ${file} is damaged, or of another version of golem.`)
    }
  } finally {
    await database.close()
  }
}

async function copyTables(reader: Pick<Transaction, 'query'>, target: Database): Promise<void> {
  for (const [table, key] of tablesOf(target)) {
    const names = Object.keys(table.columns)
    const select = `SELECT ${names.join(', ')} FROM ${table.name}`
    const order = `ORDER BY ${key.join(', ')} LIMIT ${ROWS}`
    let last: Row | undefined
    for (;;) {
      const after = last
      const rows: Row[] = after
        ? await reader.query(
            `${select} WHERE (${key.join(', ')}) > (${key.map(() => '?').join(', ')}) ${order}`,
            key.map((name) => after[name] ?? null),
          )
        : await reader.query(`${select} ${order}`)
      last = rows.at(-1)
      if (!last) break
      const cells = rows.map((row) => names.map((name): Cell => row[name] ?? null))
      await target.transaction((transaction) => transaction.insert(table, cells))
    }
  }
}

/** Is there an archive at a place, or anything in the way of one? @throws GolemError ARCHIVE_DOWN: no answer */
export async function isTaken(place: string): Promise<boolean> {
  if (!isPostgresUrl(place)) return existsSync(place)
  const database = databaseAt(place, true)
  try {
    return (await versionOf(database)) !== undefined
  } finally {
    await database.close()
  }
}
