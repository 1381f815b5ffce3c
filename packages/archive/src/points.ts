import type { HistorySeries } from '@golem/core'
import { setImmediate as othersFirst } from 'node:timers/promises'
import type { Series } from './batch.ts'
import type { Database, Row } from './database.ts'
import type { TimeSpan } from './gaps.ts'

/** The columns of a series. */
export type Points = Pick<
  HistorySeries,
  'level' | 'bucketMs' | 'times' | 'min' | 'max' | 'mean' | 'texts' | 'count'
>

type Level = Points['level']

/** The levels with their tables; what one row of it lasts, in ms; 1: single readings. */
const LEVELS: Readonly<Record<Level, { table: string; unit: number }>> = {
  raw: { table: 'sample', unit: 1 },
  minute: { table: 'minute', unit: 60_000 },
  hour: { table: 'hour', unit: 3_600_000 },
}

/** As many rows are read at once: some 10 ms of work, for which a web process answers nobody else. */
const SLICE = 20_000
/** Rather than more rows than that, a coarser level is read, if it still gives this share of the wanted points. */
const COARSE_SHARE = 1 / 4

/** Points of a number, or of a switch as 0 and 1. */
export async function numberPoints(
  database: Database,
  series: Series,
  span: TimeSpan,
  most: number,
): Promise<Points> {
  const levels = await levelsOf(database, series, span)
  if (levels.includes('raw')) {
    const single =
      series.type === 'boolean'
        ? await changes(database, series.id, span, { most, asText: false })
        : await readings(database, series.id, span, most)
    if (single) return single
  }
  return gather(database, series.id, await levelFor(database, series.id, span, most, levels), span, most)
}

/** Points of a choice or a text. */
export async function textPoints(
  database: Database,
  series: Series,
  span: TimeSpan,
  most: number,
): Promise<Points> {
  const single = await changes(database, series.id, span, { most, asText: true })
  return single ?? gatherTexts(database, series.id, span, most)
}

/**
 * The levels that reach back as far as the span and the series do, the finest first: each is kept for a time of its own.
 * Where none does, the one that reaches back farthest.
 */
async function levelsOf(database: Database, series: Series, span: TimeSpan): Promise<Level[]> {
  const begins: { level: Level; begin: number }[] = []
  for (const level of ['raw', 'minute', 'hour'] as const) {
    const [row] = await database.query<{ t: number | null }>(
      `SELECT MIN(t) AS t FROM ${LEVELS[level].table} WHERE series = ?`,
      [series.id],
    )
    if (row && row.t !== null) begins.push({ level, begin: row.t })
  }
  const from = Math.max(span.from, series.firstAt ?? span.from)
  const covering = begins.filter(({ begin }) => begin <= from)
  const farthest = begins.toSorted((a, b) => a.begin - b.begin).slice(0, 1)
  return (covering.length > 0 ? covering : farthest).map(({ level }) => level)
}

/** The level that is finer than the points and costs little. @param levels - to choose from, the finest first */
async function levelFor(
  database: Database,
  series: number,
  { from, to }: TimeSpan,
  most: number,
  levels: readonly Level[],
): Promise<Level> {
  for (const [n, level] of levels.entries()) {
    const next = levels[n + 1]
    if (next === undefined) return level
    const coarse = (to - from) / LEVELS[next].unit
    if (coarse >= most - 2) continue
    if (coarse < most * COARSE_SHARE) return level
    if ((await timeOfRow(database, level, series, { from, to }, SLICE)) === null) return level
  }
  return 'raw'
}

/** The time of the n-th row of a span, from 0; null when there are not so many. */
async function timeOfRow(
  database: Database,
  level: Level,
  series: number,
  { from, to }: TimeSpan,
  n: number,
): Promise<number | null> {
  const { table, unit } = LEVELS[level]
  // A minute has one row at most: often there is nothing to count.
  if ((to - from) / unit < n) return null
  const [row] = await database.query<{ t: number }>(
    `SELECT t FROM ${table} WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT 1 OFFSET ${n}`,
    [series, from, to],
  )
  return row?.t ?? null
}

/** The reading that still holds when a span begins. */
async function timeBefore(database: Database, series: number, from: number): Promise<number | null> {
  const [row] = await database.query<{ t: number | null }>(
    'SELECT MAX(t) AS t FROM sample WHERE series = ? AND t < ?',
    [series, from],
  )
  return row?.t ?? null
}

/** Each stored reading of a number, and the one before; null when there are more than `most`. */
async function readings(
  database: Database,
  series: number,
  { from, to }: TimeSpan,
  most: number,
): Promise<Points | null> {
  const before = await timeBefore(database, series, from)
  if ((await timeOfRow(database, 'raw', series, { from: before ?? from, to }, most)) !== null) return null
  const rows = await database.query<{ t: number; v: number }>(
    'SELECT t, v FROM sample WHERE series = ? AND t >= ? AND t < ? AND v IS NOT NULL ORDER BY t',
    [series, before ?? from, to],
  )
  const values = rows.map(({ v }) => v)
  return {
    level: 'raw',
    bucketMs: 0,
    times: rows.map(({ t }) => t),
    min: values,
    max: values,
    mean: values,
    count: rows.map(() => 1),
  }
}

type Change = { t: number; v: number | null; x: string | null }

/** Each stored reading that differs from the one before it; null when there are more than `most`. */
async function changes(
  database: Database,
  series: number,
  { from, to }: TimeSpan,
  { most, asText }: { most: number; asText: boolean },
): Promise<Points | null> {
  const found: Change[] = []
  const begin = (await timeBefore(database, series, from)) ?? from
  for await (const part of slices(database, 'raw', series, { from: begin, to })) {
    const rows = await database.query<Change>(
      `SELECT t, v, x FROM (
         SELECT t, v, x, LAG(v) OVER (ORDER BY t) AS v0, LAG(x) OVER (ORDER BY t) AS x0
         FROM sample WHERE series = ? AND t >= ? AND t < ?) AS cut
       WHERE v IS DISTINCT FROM v0 OR x IS DISTINCT FROM x0 ORDER BY t LIMIT ${most + 1}`,
      [series, part.from, part.to],
    )
    const last = found.at(-1)
    const [first] = rows
    const goesOn = last && first && last.v === first.v && last.x === first.x
    found.push(...(goesOn ? rows.slice(1) : rows))
    if (found.length > most) return null
  }
  const values = asText ? [] : found.map(({ v }) => v ?? 0)
  return {
    level: 'raw',
    bucketMs: 0,
    times: found.map(({ t }) => t),
    min: values,
    max: values,
    mean: values,
    ...(asText ? { texts: found.map(textOf) } : {}),
    count: found.map(() => 1),
  }
}

function textOf({ v, x }: { v: number | null; x: string | null }): string {
  return x ?? String(v)
}

/** A span cut into parts of `SLICE` rows at most; whoever else waits for this process has its turn in between. */
async function* slices(
  database: Database,
  level: Level,
  series: number,
  { from, to }: TimeSpan,
): AsyncGenerator<TimeSpan> {
  for (let begin = from; ;) {
    const end = await timeOfRow(database, level, series, { from: begin, to }, SLICE)
    yield { from: begin, to: end ?? to }
    if (end === null) return
    begin = end
    await othersFirst()
  }
}

/** Buckets of a span, so that with those at its ends and a point before there are no more than `most`. */
function bucketsOf({ from, to }: TimeSpan, unit: number, most: number): { width: number; whole: TimeSpan } {
  const width = Math.ceil((to - from) / (most - 2) / unit) * unit
  return { width, whole: { from: from - (from % width), to: Math.ceil(to / width) * width } }
}

interface Bucket extends Row {
  b: number
  lo: number
  hi: number
  total: number
  n: number
}

/** All readings of a level, gathered: of each bucket the whole, also where the span begins or ends within it. */
async function gather(
  database: Database,
  series: number,
  level: Level,
  span: TimeSpan,
  most: number,
): Promise<Points> {
  const { table, unit } = LEVELS[level]
  const { width, whole } = bucketsOf(span, unit, most)
  const own =
    level === 'raw'
      ? // Nothing measures more, and PostgreSQL refuses sums that are no number any more.
        'v AS lo, v AS hi, CASE WHEN ABS(v) < 1e300 THEN v ELSE 0 END AS total, CASE WHEN v IS NULL THEN 0 ELSE 1 END AS n'
      : 'lo, hi, total, n'
  const buckets: Bucket[] = []
  if (level === 'raw') buckets.push(...(await bucketBefore(database, series, whole.from)))
  for await (const part of slices(database, level, series, whole)) {
    const rows = await database.query<Bucket>(
      `SELECT b, MIN(lo) AS lo, MAX(hi) AS hi, SUM(total) AS total, SUM(n) AS n FROM (
         SELECT t - t % CAST(? AS BIGINT) AS b, ${own} FROM ${table} WHERE series = ? AND t >= ? AND t < ?) AS cut
       GROUP BY b HAVING SUM(n) > 0 ORDER BY b`,
      [width, series, part.from, part.to],
    )
    const last = buckets.at(-1)
    const [first] = rows
    if (last && first && last.b === first.b) buckets.splice(-1, 1, together(last, first), ...rows.slice(1))
    else buckets.push(...rows)
  }
  return {
    level,
    bucketMs: width,
    times: buckets.map(({ b }) => b),
    min: buckets.map(({ lo }) => lo),
    max: buckets.map(({ hi }) => hi),
    mean: buckets.map(({ total, n }) => total / n),
    count: buckets.map(({ n }) => n),
  }
}

function together(a: Bucket, b: Bucket): Bucket {
  return {
    b: a.b,
    lo: Math.min(a.lo, b.lo),
    hi: Math.max(a.hi, b.hi),
    total: a.total + b.total,
    n: a.n + b.n,
  }
}

async function bucketBefore(database: Database, series: number, from: number): Promise<Bucket[]> {
  const at = await timeBefore(database, series, from)
  const rows = await database.query<{ v: number | null }>('SELECT v FROM sample WHERE series = ? AND t = ?', [
    series,
    at,
  ])
  return rows.flatMap(({ v }) => (v === null || at === null ? [] : [{ b: at, lo: v, hi: v, total: v, n: 1 }]))
}

type TextBucket = { b: number; n: number; v: number | null; x: string | null }

async function gatherTexts(
  database: Database,
  series: number,
  span: TimeSpan,
  most: number,
): Promise<Points> {
  const { width, whole } = bucketsOf(span, 1, most)
  const buckets = new Map<number, { text: string; n: number }>()
  for await (const part of slices(database, 'raw', series, whole)) {
    const rows = await database.query<TextBucket>(
      `SELECT last.b AS b, last.n AS n, sample.v AS v, sample.x AS x FROM (
         SELECT b, MAX(t) AS t, COUNT(*) AS n FROM (
           SELECT t - t % CAST(? AS BIGINT) AS b, t FROM sample WHERE series = ? AND t >= ? AND t < ?) AS cut
         GROUP BY b) AS last
       JOIN sample ON sample.series = ? AND sample.t = last.t ORDER BY last.b`,
      [width, series, part.from, part.to, series],
    )
    for (const row of rows) {
      buckets.set(row.b, { text: textOf(row), n: row.n + (buckets.get(row.b)?.n ?? 0) })
    }
  }
  return {
    level: 'raw',
    bucketMs: width,
    times: [...buckets.keys()],
    min: [],
    max: [],
    mean: [],
    texts: [...buckets.values()].map(({ text }) => text),
    count: [...buckets.values()].map(({ n }) => n),
  }
}
