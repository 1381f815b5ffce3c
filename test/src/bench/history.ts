import { type Database, type Series, allSeries, history, openArchive, seriesFor } from '@golem/archive'
import { join } from 'node:path'
import { makeTempDir } from '../kit/temp.ts'
import { type Figure, inMs, spreadOf, times } from './figures.ts'

const SERIES = 200
const POINTS = 1_000
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY
/** End of all readings. */
const NOW = Date.UTC(2026, 4, 1)
/** What archives keep: single readings for a short time, minutes longer, hours for ever. One series has all of them. */
const KEPT = { raw: HOUR, minute: 2 * DAY, hour: YEAR }

/** How long a page waits for the history of one series, and of all, against plain SQL on the same file. */
export async function measureHistory(): Promise<Figure[]> {
  const folder = makeTempDir('golem-bench-history')
  const archive = await openArchive(join(folder.path, 'archive.sqlite'))
  try {
    const begun = performance.now()
    await fill(archive)
    const filled = (performance.now() - begun) / 1000
    const all = await allSeries(archive)
    const [whole, ...others] = all
    if (!whole) throw new Error('The archive has no series.')
    const size = await archive.size()
    const figures: Figure[] = [
      {
        what: `archive made: a year at 1 Hz of one series, its hours of ${SERIES - 1} others`,
        value: `${(size / 1e6).toFixed(0)} MB in ${filled.toFixed(0)} s`,
      },
    ]
    for (const [name, span, table, unit] of [
      ['an hour', HOUR, 'sample', 1],
      ['a day', DAY, 'minute', MINUTE],
      ['a year', YEAR, 'hour', HOUR],
    ] as const) {
      const from = NOW - span
      const width = Math.ceil(span / (POINTS - 2) / unit) * unit
      const one = await timed(20, () => ask(archive, whole, from))
      const plain = await timed(span === YEAR ? 1 : 20, () => plainSql(archive, 'sample', whole, from, width))
      const started = performance.now()
      for (const series of others) await ask(archive, series, from)
      const together = performance.now() - started
      const again = performance.now()
      for (const series of others) await plainSql(archive, table, series, from, width)
      const togetherPlain = performance.now() - again
      figures.push(
        {
          what: `history of ${name} of 1 Hz in ${POINTS} points, p50 / max`,
          value: `${inMs(one.p50)} / ${inMs(one.max)}`,
          compared: `${inMs(plain.p50)} plain SQL over all readings (${times(one.p50, plain.p50)})`,
          aim: 'below 100 ms',
        },
        {
          what: `the same of ${SERIES - 1} series, one after the other`,
          value: inMs(together),
          compared: `${times(together, togetherPlain)} plain SQL over the table \`${table}\``,
        },
      )
    }
    return figures
  } finally {
    await archive.close()
    folder.remove()
  }
}

function ask(archive: Database, series: Series, from: number): Promise<unknown> {
  return history(archive, { series, from, to: NOW, points: POINTS, now: NOW })
}

/** What one would write by hand, with the level and the width known. */
function plainSql(
  archive: Database,
  table: 'sample' | 'minute' | 'hour',
  { id }: Series,
  from: number,
  width: number,
): Promise<unknown> {
  const columns =
    table === 'sample' ? 'MIN(v), MAX(v), AVG(v), COUNT(*)' : 'MIN(lo), MAX(hi), SUM(total), SUM(n)'
  return archive.query(
    `SELECT t / ${width} AS b, ${columns} FROM ${table} WHERE series = ? AND t >= ? AND t < ? GROUP BY t / ${width}`,
    [id, from, NOW],
  )
}

async function timed(rounds: number, work: () => Promise<unknown>): Promise<{ p50: number; max: number }> {
  const taken: number[] = []
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    await work()
    taken.push(performance.now() - begun)
  }
  return spreadOf(taken)
}

/** Made by the database itself: a program would take longer for it than for the measurement. */
async function fill(archive: Database): Promise<void> {
  for (let n = 0; n < SERIES; n++) {
    await seriesFor(archive, 'bench', `p${n}`, { type: 'number', label: `P${n}`, unit: '°C' })
  }
  await archive.transaction(async (transaction) => {
    await transaction.run('UPDATE series SET first_at = ?, last_at = ?', [NOW - YEAR, NOW - 1_000])
    for (const { id } of await allSeries(archive)) {
      const isWhole = id === 1
      await transaction.run(
        `WITH RECURSIVE clock(t) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT t + 1000 FROM clock WHERE t + 1000 < ${NOW})
         INSERT INTO sample (series, t, v) SELECT ${id}, t, (t / 1000 * 7919 % 10007) / 100.0 FROM clock`,
        [NOW - (isWhole ? YEAR : KEPT.raw)],
      )
      for (const level of ['minute', 'hour'] as const) {
        const unit = level === 'minute' ? MINUTE : HOUR
        await transaction.run(
          `WITH RECURSIVE clock(t) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT t + ${unit} FROM clock WHERE t + ${unit} < ${NOW})
           INSERT INTO ${level} (series, t, lo, hi, total, n)
           SELECT ${id}, t, t / ${unit} % 50, t / ${unit} % 50 + 50, ${(unit / 1_000) * 50}, ${unit / 1_000} FROM clock`,
          [NOW - (isWhole ? YEAR : KEPT[level])],
        )
      }
    }
  })
}
