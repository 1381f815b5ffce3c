import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign } from './assign.ts'

const links = (count: number, host: string | null = null) =>
  Array.from({ length: count }, (_, n) => ({ link: `http:board-${n}:80`, host }))
const workers = (...ids: string[]) => ids.map((id) => ({ id, host: id.split('-')[0] ?? '' }))

const loads = (assigned: Map<string, string>): Record<string, number> => {
  const load: Record<string, number> = {}
  for (const worker of assigned.values()) load[worker] = (load[worker] ?? 0) + 1
  return load
}

test('every link gets one worker, and no worker more than its share', () => {
  const load = loads(assign(links(7), workers('a-1', 'a-2', 'a-3')))
  assert.equal(
    Object.values(load).reduce((sum, n) => sum + n, 0),
    7,
  )
  for (const n of Object.values(load)) assert.ok(n <= 3, JSON.stringify(load))
})

test('all workers compute the same, whatever order they know each other in', () => {
  const one = assign(links(20), workers('a-1', 'b-1', 'c-1'))
  const other = assign(links(20).toReversed(), workers('c-1', 'a-1', 'b-1'))
  assert.deepEqual(Object.fromEntries(one), Object.fromEntries(other))
})

test('a link tied to a host goes to a worker there, or to none', () => {
  const tied = [...links(2, 'pi'), { link: 'serial:/dev/x', host: 'elsewhere' }]
  const assigned = assign(tied, workers('pi-1', 'server-1'))
  assert.deepEqual([...assigned.values()], ['pi-1', 'pi-1'])
})

test('when a worker goes, the links of the others mostly stay where they are', () => {
  const before = assign(links(30), workers('a-1', 'b-1', 'c-1'))
  const after = assign(links(30), workers('a-1', 'b-1'))
  const kept = [...before].filter(([link, worker]) => worker !== 'c-1' && after.get(link) === worker)
  assert.ok(kept.length >= 14, `only ${kept.length} of 20 stayed`)
})

test('without workers nothing is assigned', () => {
  assert.equal(assign(links(3), []).size, 0)
})
