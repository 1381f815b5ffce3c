import type { GapReason } from '@golem/core'
import type { GapRow } from '../batch.ts'
import type { Database } from '../database.ts'

/** Of how many rows of a run the newest is looked for: their times come in order, nearly. */
const NEWEST_ROWS = 100

/** The newest gap of each series that ever had one. */
export async function newestGaps(database: Database): Promise<GapRow[]> {
  const rows = await database.query<{
    series: number
    t: number
    until: number | null
    reason: GapReason
    message: string
  }>(
    'SELECT g.series, g.t, g.until, g.reason, g.message FROM gap g JOIN (SELECT series, max(t) AS t FROM gap GROUP BY series) n ON g.series = n.series AND g.t = n.t',
  )
  return rows.map(({ t, ...row }) => ({ ...row, from: t }))
}

/** The digests of the newest version of each document of a kind, by name. */
export async function newestDigests(database: Database, kind: string): Promise<Map<string, string>> {
  const rows = await database.query<{ name: string; digest: string }>(
    'SELECT d.name, d.digest FROM document d JOIN (SELECT name, max(t) AS t FROM document WHERE kind = ? GROUP BY name) n ON d.name = n.name AND d.t = n.t WHERE d.kind = ?',
    [kind, kind],
  )
  return new Map(rows.map(({ name, digest }) => [name, digest]))
}

/** Id of the newest row of a run that the archive has; '0-0': it has none. */
export async function newestRow(database: Database, run: string): Promise<string> {
  const rows = await database.query<{ id: string }>(
    `SELECT id FROM run_row WHERE run = ? ORDER BY t DESC LIMIT ${NEWEST_ROWS}`,
    [run],
  )
  return rows.reduce((newest, { id }) => (isLater(id, newest) ? id : newest), '0-0')
}

/** Does an id of a stream come after another one? */
export function isLater(a: string, b: string): boolean {
  const [aMs = 0, aSeq = 0] = a.split('-').map(Number)
  const [bMs = 0, bSeq = 0] = b.split('-').map(Number)
  return aMs === bMs ? aSeq > bSeq : aMs > bMs
}
