import type { RunRecord } from '@golem/core'
import type { DocumentRow } from '../batch.ts'
import type { Database } from '../database.ts'

/** What an archived run was about, and the texts it depended on. */
export interface RunArchive {
  run: RunRecord
  /** Those it commanded, was bound to, or measured. */
  instruments: string[]
  /** Those in force when it began, and those that came while it went on; of instruments and programs only its own. */
  documents: (Omit<DocumentRow, 'at'> & { at: string })[]
}

/** @returns undefined: the archive has no such run */
export async function runArchive(database: Database, id: string): Promise<RunArchive | undefined> {
  const [found] = await database.query<{ record: string }>('SELECT record FROM run WHERE id = ?', [id])
  if (!found) return undefined
  const run = JSON.parse(found.record) as RunRecord
  const instruments = await instrumentsOf(database, run)
  const from = Date.parse(run.startedAt ?? run.submittedAt)
  const to = run.endedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(run.endedAt)
  const rows = await database.query<{ kind: string; name: string; t: number; digest: string; body: string }>(
    `SELECT kind, name, t, digest, body FROM document WHERE t <= ? AND t >=
       (SELECT coalesce(max(older.t), 0) FROM document older
        WHERE older.kind = document.kind AND older.name = document.name AND older.t <= ?)
     ORDER BY kind, name, t`,
    [to, from],
  )
  const documents = rows
    .filter(({ kind, name }) => {
      if (kind === 'description') return instruments.includes(name)
      return kind !== 'program' || name === id
    })
    .map(({ t, ...document }) => ({ ...document, at: new Date(t).toISOString() }))
  return { run, instruments, documents }
}

async function instrumentsOf(database: Database, run: RunRecord): Promise<string[]> {
  const commanded = await database.query<{ instrument: string }>(
    'SELECT DISTINCT instrument FROM command WHERE run = ?',
    [run.id],
  )
  // Its rows name what it measured; the first ones of each table do, as a step measures the same each time.
  const rows = await database.query<{ record: string }>(
    'SELECT record FROM run_row WHERE run = ? ORDER BY t LIMIT 1000',
    [run.id],
  )
  const measured = rows.flatMap(({ record }) => {
    const { values } = JSON.parse(record) as { values: object }
    return Object.keys(values).map((reading) => reading.slice(0, reading.indexOf('.')))
  })
  const named = [
    ...commanded.map(({ instrument }) => instrument),
    ...Object.values(run.instruments ?? {}),
    ...measured,
  ]
  return [...new Set(named)].filter((name) => name !== '').sort()
}
