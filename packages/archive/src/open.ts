import { GolemError } from '@golem/core'
import type { Database } from './database.ts'
import { SCHEMA_VERSION, TABLES } from './schema.ts'
import { SqliteDatabase } from './sqlite.ts'

/**
 * Opens the archive for the one process that writes it, and makes or updates its tables.
 *
 * @param place - path of a file
 * @throws GolemError ARCHIVE_DOWN when it can't be opened, or was written by a newer golem
 */
export async function openArchive(place: string): Promise<Database> {
  const database = new SqliteDatabase(place)
  try {
    await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

/**
 * Opens the archive for reading.
 *
 * @throws GolemError ARCHIVE_DOWN when it is not there, or no archiver has made its tables yet
 */
export async function openArchiveReader(place: string): Promise<Database> {
  const database = new SqliteDatabase(place, { readOnly: true })
  try {
    const version = await versionOf(database)
    if (version !== SCHEMA_VERSION) {
      throw new GolemError(
        'ARCHIVE_DOWN',
        version === undefined
          ? `The archive ${place} is empty: start the archiver.`
          : `The archive ${place} has tables of version ${version}, this golem reads ${SCHEMA_VERSION}.`,
      )
    }
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

async function migrate(database: Database): Promise<void> {
  const version = await versionOf(database)
  if (version === SCHEMA_VERSION) return
  if (version !== undefined) {
    throw new GolemError(
      'ARCHIVE_DOWN',
      `The archive has tables of version ${version}, this golem knows ${SCHEMA_VERSION}: it was written by a newer golem.`,
    )
  }
  const words = { real: 'DOUBLE PRECISION', compact: database.kind === 'sqlite' ? 'WITHOUT ROWID' : '' }
  await database.transaction(async (transaction) => {
    for (const statement of TABLES.split(';')) {
      await transaction.run(statement.replaceAll('{real}', words.real).replaceAll('{compact}', words.compact))
    }
    await transaction.run('INSERT INTO meta (name, value) VALUES (?, ?)', ['schema', String(SCHEMA_VERSION)])
  })
}

async function versionOf(database: Database): Promise<number | undefined> {
  const tables =
    database.kind === 'sqlite'
      ? await database.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'")
      : await database.query(
          "SELECT tablename FROM pg_tables WHERE tablename = 'meta' AND schemaname = current_schema()",
        )
  if (tables.length === 0) return undefined
  const [row] = await database.query<{ value: string }>("SELECT value FROM meta WHERE name = 'schema'")
  return row && Number(row.value)
}
