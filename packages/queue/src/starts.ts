import type { PlannedStart } from '@golem/core'

/** Entries of a stream, newest first. */
type Entries = readonly [id: string, fields: readonly string[]][]

/** How many entries are read at a time. */
const PAGE = 500

/**
 * What became of planned starts, newest first. A start is written when it begins, and again when it has ended: the
 * newest entry says all.
 *
 * @param page - reads up to so many entries of the ledger of starts, the newest first, from an id on (`+`: the newest)
 */
export async function readStarts(
  { schedule, limit }: { schedule?: string; limit: number },
  page: (from: string, count: number) => Promise<Entries>,
): Promise<PlannedStart[]> {
  const found = new Map<string, PlannedStart>()
  let from = '+'
  for (;;) {
    const entries = await page(from, PAGE)
    for (const [, fields] of entries) {
      const start = JSON.parse(fields[1] ?? '{}') as PlannedStart
      if (schedule !== undefined && start.schedule !== schedule) continue
      const key = `${start.schedule} ${start.plannedAt}`
      if (!found.has(key)) found.set(key, start)
      if (found.size === limit) return [...found.values()]
    }
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return [...found.values()]
    from = `(${last[0]}`
  }
}
