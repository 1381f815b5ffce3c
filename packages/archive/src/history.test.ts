import type { GapReason, HistorySeries } from '@golem/core'
import assert from 'node:assert/strict'
import { EMPTY_BATCH, type GapRow, type RollupPart, type Series, seriesFor, writeBatch } from './batch.ts'
import type { Database } from './database.ts'
import { archivedSeries, history } from './history.ts'
import { openArchive, openArchiveReader } from './open.ts'
import { testBoth } from './both-testing.ts'

type Reading = readonly [t: number, value: number]

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const T0 = Date.UTC(2026, 4, 1)

/** The same numbers on each run: a failure can be seen again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** What the archiver would gather of readings by minute or hour. */
function gathered(series: number, readings: readonly Reading[], unit: number): RollupPart[] {
  const parts = new Map<number, RollupPart>()
  for (const [at, value] of readings) {
    const t = at - (at % unit)
    const part = parts.get(t) ?? { series, t, lo: value, hi: value, total: 0, n: 0 }
    part.lo = Math.min(part.lo, value)
    part.hi = Math.max(part.hi, value)
    part.total += value
    part.n += 1
    parts.set(t, part)
  }
  return [...parts.values()]
}

/** Archives readings of a number. @param isKept - whether one is stored singly, too */
async function archived(
  archive: Database,
  readings: readonly Reading[],
  isKept: (index: number) => boolean = () => true,
  gaps: readonly Omit<GapRow, 'series'>[] = [],
): Promise<Series> {
  const made = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'T', unit: '°C' })
  const series = { ...made, firstAt: readings[0]?.[0] ?? null, lastAt: readings.at(-1)?.[0] ?? null }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: readings
      .filter((_, index) => isKept(index))
      .map(([t, value]) => ({ series: series.id, t, value })),
    minutes: gathered(series.id, readings, MINUTE),
    hours: gathered(series.id, readings, HOUR),
    gaps: gaps.map((gap) => ({ ...gap, series: series.id })),
    series: [series],
  })
  return series
}

/** Compares an answer with what one finds by going through all readings of its level. */
function judge(
  answer: HistorySeries,
  readings: readonly Reading[],
  span: { from: number; to: number },
): void {
  const { bucketMs, times } = answer
  const first = bucketMs === 0 ? span.from : span.from - (span.from % bucketMs)
  const end = bucketMs === 0 ? span.to : Math.ceil(span.to / bucketMs) * bucketMs
  const expected = readings.filter(([t]) => t >= first && t < end)
  const inside = times.flatMap((t, index) => (t >= first ? [index] : []))
  assert.ok(times.length - inside.length <= 1, 'one point before the span at most')
  assert.equal(
    inside.reduce((sum, index) => sum + (answer.count[index] ?? 0), 0),
    expected.length,
    'each reading is behind one point',
  )
  for (const index of inside) {
    const t = times[index] ?? 0
    assert.ok(t > (times[index - 1] ?? -1), 'times ascend')
    const own = expected.filter(([at]) => (bucketMs === 0 ? at === t : at >= t && at < t + bucketMs))
    const values = own.map(([, value]) => value)
    assert.equal(answer.count[index], own.length)
    assert.equal(answer.min[index], Math.min(...values))
    assert.equal(answer.max[index], Math.max(...values))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    assert.ok(Math.abs((answer.mean[index] ?? NaN) - mean) < 1e-9)
  }
}

testBoth('random readings over random spans: every extreme, and counts add up', async (_t, place) => {
  const archive = await openArchive(place)
  const random = randomFrom(7)
  const readings: Reading[] = []
  let at = T0 + 1_234
  while (readings.length < 5_000) {
    // Bursts, and silences of days between them.
    at += 1 + Math.floor(random() * (random() < 0.99 ? 2_000 : 48 * HOUR))
    readings.push([at, Math.round(random() * 1e6) / 1e3])
  }
  const isKept = (index: number): boolean => index % 3 !== 1
  const series = await archived(archive, readings, isKept)
  const kept = readings.filter((_, index) => isKept(index))
  const levels = new Set<string>()
  const whole = (readings.at(-1)?.[0] ?? T0) - T0
  for (let round = 0; round < 60; round++) {
    // Where readings are, not where time is.
    const from = (readings[Math.floor(random() * readings.length)]?.[0] ?? T0) - Math.floor(random() * 1_000)
    const to = from + Math.ceil((1.5 * whole) ** random())
    const points = 4 + Math.floor(random() ** 4 * 2_000)
    const answer = await history(archive, { series, from, to, points, now: T0 + 2 * whole })
    assert.ok(answer.times.length <= points, `${answer.times.length} points for ${points}`)
    judge(answer, answer.level === 'raw' ? kept : readings, { from, to })
    levels.add(answer.level + (answer.bucketMs === 0 ? ' single' : ''))
  }
  assert.deepEqual([...levels].toSorted(), ['hour', 'minute', 'raw', 'raw single'])
  await archive.close()
})

testBoth('more readings than are read at once, gathered over the cuts', async (_t, place) => {
  const archive = await openArchive(place)
  const random = randomFrom(3)
  const readings = Array.from({ length: 60_000 }, (_, n): Reading => [T0 + n * 2, random()])
  const series = await archived(archive, readings)
  const span = { from: T0, to: T0 + 2 * MINUTE }
  const answer = await history(archive, { series, ...span, points: 50, now: span.to })
  assert.equal(answer.level, 'raw')
  assert.equal(answer.times.length, 48)
  judge(answer, readings, span)
  await archive.close()
})

testBoth(
  'the value that held when the span begins comes with it, and until when it held',
  async (_t, place) => {
    const archive = await openArchive(place)
    const readings: Reading[] = [
      [T0, 20],
      [T0 + HOUR, 21],
      [T0 + 2 * HOUR, 22],
    ]
    const series = await archived(archive, readings)
    const span = { from: T0 + 1.5 * HOUR, to: T0 + 1.75 * HOUR }
    const answer = await history(archive, { series, ...span, points: 100, now: T0 + 3 * HOUR })
    assert.deepEqual([answer.times, answer.mean], [[T0 + HOUR], [21]])
    assert.equal(answer.until, T0 + 2 * HOUR)
    assert.equal(answer.completeness, 1)
    const before = await history(archive, { series, from: 0, to: T0, points: 100, now: T0 + 3 * HOUR })
    assert.deepEqual([before.times, before.completeness], [[], null])
    await archive.close()
  },
)

testBoth('what is not kept singly any more comes from the level that still has it', async (_t, place) => {
  const archive = await openArchive(place)
  const readings = Array.from({ length: 2_000 }, (_, n): Reading => [T0 + n * 30_000, n])
  const series = await archived(archive, readings, (index) => index > 1_000)
  const of = (from: number, to: number) => history(archive, { series, from, to, points: 500, now: to })
  assert.equal((await of(T0, T0 + HOUR)).level, 'minute')
  assert.equal((await of(T0 + 10 * HOUR, T0 + 11 * HOUR)).level, 'raw')
  await archive.transaction(async (transaction) => {
    await transaction.run('DELETE FROM minute WHERE t < ?', [T0 + 8 * HOUR])
  })
  assert.equal((await of(T0, T0 + 2 * HOUR)).level, 'hour')
  await archive.close()
})

testBoth('switches, choices and texts come as changes; too many of them gathered', async (_t, place) => {
  const archive = await openArchive(place)
  const valve = await seriesFor(archive, 'rig', 'valve', { type: 'boolean', label: 'Valve', unit: null })
  const mode = await seriesFor(archive, 'rig', 'mode', { type: 'choice', label: 'Mode', unit: null })
  const ended = { firstAt: T0, lastAt: T0 + 1_000_000 }
  const modes = ['calm', 'quick', '1'] as const
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: Array.from({ length: 1_000 }, (_, n) => [
      { series: valve.id, t: T0 + n * 1_000, value: Math.floor(n / 100) % 2 },
      { series: mode.id, t: T0 + n * 1_000, value: modes[Math.floor(n / 10) % 3] ?? '' },
    ]).flat(),
    series: [
      { ...valve, ...ended },
      { ...mode, ...ended },
    ],
  })
  const of = (series: Series, points: number) =>
    history(archive, {
      series: { ...series, ...ended },
      from: T0 + 5_000,
      to: T0 + 1_000_000,
      points,
      now: T0 + 1_000_000,
    })
  const changes = await of(valve, 100)
  assert.deepEqual(
    changes.times.map((t) => t - T0),
    [4_000, ...Array.from({ length: 9 }, (_, n) => (n + 1) * 100_000)],
  )
  assert.deepEqual(changes.mean, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
  const few = await of(valve, 6)
  assert.ok(few.times.length <= 6 && few.bucketMs > 0)
  assert.deepEqual([Math.min(...few.min), Math.max(...few.max)], [0, 1])

  const texts = await of(mode, 200)
  assert.equal(texts.times.length, 100)
  assert.deepEqual(texts.texts?.slice(0, 4), ['calm', 'quick', '1', 'calm'])
  assert.deepEqual(texts.mean, [])
  const fewer = await of(mode, 20)
  assert.ok(fewer.times.length <= 20 && fewer.bucketMs > 0)
  assert.equal(fewer.texts?.at(-1), 'calm')
  assert.equal(
    fewer.count.reduce((sum, n) => sum + n, 0),
    1_000,
  )
  await archive.close()
})

const gap = (from: number, until: number | null, reason: GapReason = 'link') => ({
  from: T0 + from * MINUTE,
  until: until === null ? null : T0 + until * MINUTE,
  reason,
  message: `${reason} since minute ${from}`,
})

testBoth('gaps are told with their reasons, and lower the completeness', async (_t, place) => {
  const archive = await openArchive(place)
  const readings = Array.from({ length: 60 }, (_, n): Reading => [T0 + n * MINUTE, n])
  const series = await archived(archive, readings, undefined, [
    gap(10, 20),
    gap(15, 25, 'worker'),
    gap(60, null, 'stopped'),
  ])
  const of = (from: number, to: number, points = 500) =>
    history(archive, {
      series,
      from: T0 + from * MINUTE,
      to: T0 + to * MINUTE,
      points,
      now: T0 + 80 * MINUTE,
    })
  const whole = await of(0, 100)
  assert.deepEqual(
    whole.gaps.map(({ reason, to }) => [reason, to === null]),
    [
      ['link', false],
      ['worker', false],
      ['stopped', true],
    ],
  )
  // 15 of the first 60 minutes, and 20 since: what is to come does not count.
  assert.ok(Math.abs((whole.completeness ?? 0) - 45 / 80) < 1e-9)
  assert.equal((await of(15, 20)).completeness, 0)
  assert.equal((await of(30, 40)).completeness, 1)
  assert.equal((await of(90, 100)).completeness, null)
  const [entry] = await archivedSeries(archive, {
    from: T0,
    to: T0 + 100 * MINUTE,
    now: T0 + 80 * MINUTE,
  })
  assert.equal(entry?.series, 'oven.temperature')
  assert.equal(entry?.completeness, whole.completeness)
  assert.equal(entry?.firstAt, '2026-05-01T00:00:00.000Z')
  await archive.close()
})

testBoth('thousands of gaps are told as no more than there are points', async (_t, place) => {
  const archive = await openArchive(place)
  const series = await archived(
    archive,
    [
      [T0, 1],
      [T0 + 9_000 * MINUTE, 1],
    ],
    undefined,
    Array.from({ length: 3_000 }, (_, n) => gap(3 * n + 1, 3 * n + (n === 1_500 ? 3 : 2), 'bad')),
  )
  const reader = await openArchiveReader(place)
  const answer = await history(reader, {
    series,
    from: T0,
    to: T0 + 9_000 * MINUTE,
    points: 100,
    now: T0 + 9_000 * MINUTE,
  })
  assert.ok(answer.gaps.length > 0 && answer.gaps.length <= 100)
  assert.match(answer.gaps[0]?.message ?? '', /^3000 gaps; the longest: bad since minute 4501$/)
  assert.ok(Math.abs((answer.completeness ?? 0) - (1 - 3_001 / 9_000)) < 1e-9)
  await reader.close()
  await archive.close()
})
