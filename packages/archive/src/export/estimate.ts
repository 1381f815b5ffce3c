import { setImmediate as otherWork } from 'node:timers/promises'
import type { Database } from '../database.ts'
import type { Selection } from './sheet.ts'

/** A series is looked at in so many places, at so many rows each: fewer are counted exactly. */
const PLACES = 4
const PROBE_ROWS = 2_000

/** About how many readings a selection holds: exact for a few thousand of each series, else told from their density. */
export async function estimateReadings(database: Database, selection: Selection): Promise<number> {
  const { every } = selection
  const table = every === 'exact' ? 'sample' : every
  const sql = `SELECT count(*) AS n, max(t) AS last FROM
    (SELECT t FROM ${table} WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT ${PROBE_ROWS}) probe`
  let sum = 0
  for (const { id, firstAt, lastAt } of selection.series) {
    const from = Math.max(selection.from, firstAt ?? Infinity)
    const to = Math.min(selection.to, (lastAt ?? -Infinity) + 1)
    if (from >= to) continue
    const part = Math.ceil((to - from) / PLACES)
    for (let begin = from; begin < to; begin += part) {
      const end = Math.min(begin + part, to)
      const [probe] = await database.query<{ n: number; last: number | null }>(sql, [id, begin, end])
      const { n, last } = probe ?? { n: 0, last: null }
      const seen = (last ?? begin) - begin + 1
      sum += n < PROBE_ROWS ? n : Math.round((n * (end - begin)) / seen)
    }
    await otherWork()
  }
  return sum
}
