import type { InstrumentConfig } from '@golem/config'
import { type Condition, type Reading, isoTime } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sampler } from './sampler.ts'

const NOW = 100_000
const OVEN = { id: 'oven', parameters: { secret: { archive: false } } } as unknown as InstrumentConfig

const good = (value: Reading['value'], ms: number): Reading => ({ value, at: isoTime(ms), quality: 'good' })

function sampler(most?: number): {
  sampler: Sampler
  take: (readings: Record<string, Reading>, condition?: Condition) => void
  sent: () => [n: number, readings: object, lost: number][]
} {
  const one = new Sampler(1_000, [OVEN], () => NOW, most)
  return {
    sampler: one,
    take: (readings, condition = 'ok') =>
      one.take('oven', {
        condition,
        message: 'as it is',
        staleAfterMs: 3_000,
        staleAfterMsOf: {},
        readings,
      }),
    sent: () => {
      const entries = one
        .next()
        .map(({ n, entry }): [number, object, number] => [n, entry.readings, entry.lost ?? 0])
      one.written()
      return entries
    },
  }
}

test('what is new is told once, each entry with its number', () => {
  const { take, sent } = sampler()
  take({ power: good(1, 1_000), heat: good(20, 1_000) })
  take({ power: good(1, 1_000), heat: good(20, 1_000) })
  take({ power: good(1, 2_000), heat: good(20, 1_000) })
  // Within the same millisecond, as lines of a stream may come.
  take({ power: good(2, 2_000), heat: good(20, 1_000) })
  assert.deepEqual(sent(), [
    [1, { power: [1_000, 1], heat: [1_000, 20] }, 0],
    [2, { power: [2_000, 1] }, 0],
    [3, { power: [2_000, 2] }, 0],
  ])
  assert.deepEqual(sent(), [])
})

test('readings that end are told with the reason, what was never read only when the instrument is lost', () => {
  const { take, sent } = sampler()
  const reading: Reading = { value: null, at: null, quality: 'stale' }
  take({ power: reading }, 'connecting')
  assert.deepEqual(sent(), [])
  take({ power: reading }, 'lost')
  take({ power: reading }, 'lost')
  take({ power: good(1, 1_000) })
  take({ power: { ...good(1, 1_000), quality: 'bad', error: 'broken' } })
  take({ power: { ...good(1, 1_000), quality: 'stale' } }, 'stopped')
  assert.deepEqual(sent(), [
    [1, { power: [NOW, null, 'stale', 'as it is'] }, 0],
    [2, { power: [1_000, 1] }, 0],
    [3, { power: [NOW, null, 'bad', 'broken'] }, 0],
    [4, { power: [NOW, null, 'stale', 'as it is'] }, 0],
  ])
})

test('lists, and what the site does not archive, are left out', () => {
  const { take, sent } = sampler()
  take({ secret: good(1, 1_000), curve: good([1, 2, 3], 1_000) })
  assert.deepEqual(sent(), [])
})

test('while Redis is away the oldest give way, and what is lost is told by the next one', () => {
  const { sampler: one, take, sent } = sampler(3)
  take({ power: good(1, 1) })
  // On its way when Redis went away: it may have arrived, and comes once more under its number.
  assert.equal(one.next().length, 1)
  for (let n = 2; n <= 7; n += 1) take({ power: good(n, n) })
  assert.deepEqual(sent(), [
    [1, { power: [1, 1] }, 0],
    [5, { power: [5, 5] }, 3],
    [6, { power: [6, 6] }, 0],
    [7, { power: [7, 7] }, 0],
  ])
})
