import type { Row } from './database.ts'
import { versionOf } from './open.ts'
import { PostgresDatabase } from './postgres.ts'

/** What a PostgreSQL server says of the database an archive is, or will be, in. */
export interface ArchiveServer {
  /** Of the server, e.g. `15.18`. */
  version: string
  user: string
  /** Only with UTF8 it can hold an archive. */
  encoding: string
  sizeBytes: number
  /** Of the archive's tables; undefined: the archiver has not made them yet. */
  tables: number | undefined
  /** May this user make tables, or write into those that are there? */
  mayWrite: boolean
  hasTimescale: boolean
}

/**
 * Asks the server, and changes nothing.
 *
 * @param place - its URL
 * @throws GolemError ARCHIVE_DOWN when it does not answer, or refuses
 */
export async function examineArchiveServer(place: string): Promise<ArchiveServer> {
  const database = new PostgresDatabase(place, { readOnly: true })
  try {
    const tables = await versionOf(database)
    const [row] = await database.query<Row & { version: string; user: string; encoding: string }>(
      `SELECT current_setting('server_version') AS version, current_user AS user, current_setting('server_encoding') AS encoding,
         EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS timescale, ${
           tables === undefined
             ? "has_schema_privilege(current_schema(), 'CREATE')"
             : "has_table_privilege('sample', 'INSERT')"
         } AS may`,
    )
    if (!row) throw new Error('PostgreSQL says nothing of itself.')
    return {
      // Debian puts its own number behind it.
      version: row.version.split(' ')[0] ?? row.version,
      user: row.user,
      encoding: row.encoding,
      sizeBytes: await database.size(),
      tables,
      mayWrite: Boolean(row['may']),
      hasTimescale: Boolean(row['timescale']),
    }
  } finally {
    await database.close()
  }
}
