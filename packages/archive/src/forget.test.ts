import assert from 'node:assert/strict'
import { EMPTY_BATCH, seriesFor, writeBatch } from './batch.ts'
import { forget } from './forget.ts'
import { openArchive } from './open.ts'
import { testBoth } from './both-testing.ts'

testBoth('what has been kept for long enough goes in pieces, the rest stays', async (_, place) => {
  const archive = await openArchive(place)
  const { id } = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'T', unit: null })
  const times = Array.from({ length: 5_000 }, (_value, n) => n * 1_000)
  const parts = times
    .filter((t) => t % 60_000 === 0)
    .map((t) => ({ series: id, t, lo: 1, hi: 1, total: 60, n: 60 }))
  const at = (t: number): string => new Date(t).toISOString()
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: times.map((t) => ({ series: id, t, value: 1 })),
    minutes: parts,
    hours: parts,
    gaps: [
      { series: id, from: 1_000, until: 2_000, reason: 'link', message: '' },
      { series: id, from: 3_000, until: 4_999_000, reason: 'link', message: '' },
      { series: id, from: 5_000_000, until: null, reason: 'link', message: '' },
    ],
    // More at one time than go into a piece.
    events: times.map((t, n) => ({
      id: `${t}-${n}`,
      at: at(t < 4_500_000 ? 7_000 : t),
      kind: 'x',
      message: '',
    })),
  })
  const count = async (table: string): Promise<number> =>
    (await archive.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n ?? -1

  assert.equal(await forget(archive, { raw: null, minute: null, hour: null, events: null }, () => true), true)
  assert.equal(await count('sample'), 5_000)
  assert.equal(
    await forget(archive, { raw: 4_000_000, minute: null, hour: null, events: null }, () => false),
    false,
  )
  assert.equal(await count('sample'), 3_000)
  const before = { raw: 4_000_000, minute: 2_400_000, hour: null, events: 4_000_000 }
  assert.equal(await forget(archive, before, () => true), true)
  assert.deepEqual(await Promise.all(['sample', 'minute', 'hour', 'event', 'gap'].map(count)), [
    1_000,
    parts.length - 40,
    parts.length,
    500,
    2,
  ])
  await archive.close()
})
