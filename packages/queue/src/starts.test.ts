import type { PlannedStart } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStarts } from './starts.ts'

/** A ledger in which each start was written twice, and how many pages of it were read. */
function ledgerOf(count: number): { page: Parameters<typeof readStarts>[1]; pages: () => number } {
  const entries = Array.from({ length: count }, (_, n): [string, string[]] => {
    const start = { schedule: n % 4 < 2 ? 'air' : 'light', plannedAt: `${n - (n % 2)}`, run: `${n % 2}` }
    return [`${n + 1}-0`, ['v', JSON.stringify(start)]]
  }).reverse()
  let pages = 0
  return {
    page: async (from, most) => {
      pages += 1
      const first = from === '+' ? 0 : entries.findIndex(([id]) => `(${id}` === from) + 1
      return entries.slice(first, first + most)
    },
    pages: () => pages,
  }
}

const planned = (starts: readonly PlannedStart[]): number[] =>
  starts.map(({ plannedAt }) => Number(plannedAt))

test('the newest entry of a start counts, and no more is read than needed', async () => {
  const { page, pages } = ledgerOf(2000)
  const starts = await readStarts({ limit: 3 }, page)
  assert.deepEqual(planned(starts), [1998, 1996, 1994])
  assert.ok(starts.every(({ run }) => run === '1'))
  assert.equal(pages(), 1)
})

test('all of a schedule are found over several pages, and the end is the end', async () => {
  const { page, pages } = ledgerOf(2000)
  const starts = await readStarts({ schedule: 'air', limit: 1000 }, page)
  assert.equal(starts.length, 500)
  assert.deepEqual(
    planned(starts),
    planned(starts).toSorted((a, b) => b - a),
  )
  assert.equal(pages(), 5)
  assert.deepEqual(await readStarts({ limit: 10 }, ledgerOf(0).page), [])
})
