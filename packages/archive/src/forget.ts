import type { Database, Transaction } from './database.ts'

/** How much is removed in one transaction: readers and the next readings wait for it. */
const PIECE = 2_000

/** Before when what is archived may be forgotten, ms since 1970; null: never. */
export interface ForgetBefore {
  raw: number | null
  minute: number | null
  hour: number | null
  /** The log, commands and gaps. */
  events: number | null
}

/**
 * Removes what has been kept for long enough, in small pieces. Runs and versions of descriptions stay.
 *
 * @param goOn - asked after each piece
 * @returns whether all of it is gone
 */
export async function forget(
  database: Database,
  before: ForgetBefore,
  goOn: () => boolean,
): Promise<boolean> {
  const series = await database.query<{ id: number }>('SELECT id FROM series ORDER BY id')
  const pieces = (async function* () {
    for (const [table, limit] of [
      ['sample', before.raw],
      ['minute', before.minute],
      ['hour', before.hour],
    ] as const) {
      if (limit === null) continue
      for (const { id } of series) yield* piecesOf(database, table, limit, id)
    }
    if (before.events === null) return
    yield* piecesOf(database, 'event', before.events)
    yield* piecesOf(database, 'command', before.events)
    const { events } = before
    yield await database.transaction((transaction) =>
      transaction.run('DELETE FROM gap WHERE until IS NOT NULL AND until < ?', [events]),
    )
  })()
  for await (const removed of pieces) if (removed > 0 && !goOn()) return false
  return true
}

/** Yields how many rows each piece has removed. */
async function* piecesOf(
  database: Database,
  table: 'sample' | 'minute' | 'hour' | 'event' | 'command',
  limit: number,
  series?: number,
): AsyncGenerator<number> {
  const [where, given] = series === undefined ? ['t < ?', [limit]] : ['series = ? AND t < ?', [series, limit]]
  for (let isLast = false; !isLast;) {
    yield await database.transaction(async (transaction) => {
      const end = await endOfPiece(transaction, `FROM ${table} WHERE ${where}`, given)
      isLast = end.isLast
      return transaction.run(`DELETE FROM ${table} WHERE ${where}`, [...given.slice(0, -1), end.before])
    })
  }
}

/** Before which time to remove. */
async function endOfPiece(
  transaction: Transaction,
  from: string,
  given: readonly number[],
): Promise<{ before: number; isLast: boolean }> {
  const limit = given[given.length - 1] ?? 0
  const find = (offset: number): Promise<{ t: number }[]> =>
    transaction.query<{ t: number }>(`SELECT t ${from} ORDER BY t LIMIT 1 OFFSET ${offset}`, given)
  const [next] = await find(PIECE)
  if (!next) return { before: limit, isLast: true }
  const [first] = await find(0)
  // Of more rows with one time than fit into a piece all go at once.
  return { before: first && first.t < next.t ? next.t : next.t + 1, isLast: false }
}
