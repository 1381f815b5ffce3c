import { EMPTY_BATCH, openArchive, seriesFor, writeBatch } from '@golem/archive'
import { KEEP_ALL } from '@golem/config'
import type { ArchivedSeries, HistoryDocument } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { fault } from './app-in-memory.ts'
import { InMemoryClient, descriptionOf, siteOf } from './in-memory-site.ts'

/** The site's time in these tests: an hour after the first reading. */
const NOW = Date.UTC(2026, 4, 1, 1)
const T0 = NOW - 3_600_000

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'golem-history-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

async function openWith(t: TestContext, place: string | null): Promise<FastifyInstance> {
  const client = new InMemoryClient()
  client.view.timeMs = NOW
  client.view.descriptions.set('relay-1', descriptionOf('relay-1'))
  const site = {
    ...siteOf(['relay-1']),
    archive: place === null ? null : { place, stream: 1_000, keep: KEEP_ALL },
  }
  const app = await buildApp({ site, client, assetsDir: '/nonexistent', log: pino({ level: 'silent' }) })
  t.after(() => app.close())
  return app
}

/** An archive with a reading each second for the hour before now. */
async function makeArchive(place: string, value = (n: number): number => n): Promise<void> {
  const archive = await openArchive(place)
  const made = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'Oven', unit: '°C' })
  const series = { ...made, firstAt: T0, lastAt: NOW - 1_000 }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: Array.from({ length: 3_600 }, (_, n) => ({
      series: series.id,
      t: T0 + n * 1_000,
      value: value(n),
    })),
    gaps: [{ series: series.id, from: NOW - 900_000, until: NOW - 540_000, reason: 'link', message: 'cut' }],
    series: [series],
  })
  // All of it into the file itself, as in a backup.
  await archive.query('PRAGMA wal_checkpoint(TRUNCATE)')
  await archive.close()
}

const ask = async (app: FastifyInstance, query: string): Promise<HistoryDocument> => {
  const answer = await app.inject(`/api/history?${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

test('columns, gaps and completeness of what was asked for, in a bounded number of points', async (t) => {
  const place = join(folder(t), 'archive.sqlite')
  await makeArchive(place)
  const app = await openWith(t, place)
  const { from, to, at, series } = await ask(app, 'series=oven.temperature,relay-1.level&points=100')
  assert.deepEqual([from, to, at], ['2026-05-01T00:00:00.000Z', '2026-05-01T01:00:00.000Z', to])
  const [oven, level] = series
  assert.ok(oven && oven.times.length <= 100 && oven.times.length > 50)
  assert.deepEqual([Math.min(...oven.min), Math.max(...oven.max), oven.unit], [0, 3_599, '°C'])
  assert.deepEqual(
    oven.gaps.map(({ from: begin, reason, message }) => [begin, reason, message]),
    [['2026-05-01T00:45:00.000Z', 'link', 'cut']],
  )
  assert.ok(Math.abs((oven.completeness ?? 0) - 0.9) < 0.001)
  // A parameter of the site of which nothing is archived yet.
  assert.deepEqual([level?.series, level?.times, level?.completeness], ['relay-1.level', [], null])

  const [all] = (await app.inject('/api/series')).json<ArchivedSeries[]>()
  assert.deepEqual([all?.series, all?.firstAt], ['oven.temperature', from])
  const [late] = (await app.inject('/api/series?from=-10min')).json<ArchivedSeries[]>()
  assert.ok(Math.abs((late?.completeness ?? 0) - 0.9) < 0.001)
})

test('times are ISO 8601 or counted from now; series by comma or repeated; an unchanged answer is 304', async (t) => {
  const place = join(folder(t), 'archive.sqlite')
  await makeArchive(place)
  const app = await openWith(t, place)
  const span = 'from=2026-05-01T00:10:00Z&to=2026-05-01T00:10:05Z'
  const url = `/api/history?series=oven.temperature&${span}`
  const first = await app.inject(url)
  const [oven] = first.json<HistoryDocument>().series
  // The one before the span, and five within.
  assert.deepEqual(oven?.mean, [599, 600, 601, 602, 603, 604])
  assert.deepEqual([oven?.level, oven?.bucketMs], ['raw', 0])
  const again = await app.inject({ url, headers: { 'if-none-match': String(first.headers.etag) } })
  assert.equal(again.statusCode, 304)
  const two = await ask(app, 'series=oven.temperature&series=relay-1.relay0&from=-90s&to=-60s')
  assert.deepEqual(
    two.series.map(({ times }) => times.length),
    [31, 0],
  )
  for (const [query, ...expected] of [
    ['series=oven.temperature&from=-6y', 400, 'INVALID_REQUEST', 'query.from'],
    ['series=oven.temperature&from=-90s&to=-1.5min', 400, 'INVALID_REQUEST', 'query.from'],
    ['series=oven.temperature&from=yesterday', 400, 'INVALID_REQUEST', 'query.from'],
    ['series=oven.temperature,', 400, 'INVALID_REQUEST', 'query.series'],
    ['series=oven.humidity', 404, 'UNKNOWN_INSTRUMENT', 'query.series'],
    ['series=relay-1.humidity', 404, 'UNKNOWN_NAME', 'query.series'],
    ['series=relay-1.__proto__', 404, 'UNKNOWN_NAME', 'query.series'],
    ['', 400, 'INVALID_REQUEST', 'query.series'],
    ['series=oven.temperature&points=1e9', 422, 'OUT_OF_RANGE', 'query.points'],
    [
      `series=${Array.from({ length: 50 }, (_, n) => `relay-1.p${n}`).join()}&points=10000`,
      422,
      'OUT_OF_RANGE',
      'query.points',
    ],
  ] as const) {
    assert.deepEqual(await fault(app, { url: `/api/history?${query}` }), expected, query)
  }
})

test('an archive that is not there yet, is damaged or made anew is asked again', async (t) => {
  const dir = folder(t)
  const place = join(dir, 'archive.sqlite')
  const app = await openWith(t, place)
  const url = '/api/history?series=oven.temperature&points=10'
  const problem = async (): Promise<string> => {
    const answer = await app.inject(url)
    assert.equal(answer.statusCode, 503, answer.body)
    assert.equal(answer.json<{ code: string }>().code, 'ARCHIVE_DOWN')
    return answer.json<{ detail: string }>().detail
  }
  assert.match(await problem(), /no archive yet/)
  writeFileSync(place, '')
  assert.match(await problem(), /is empty/)
  rmSync(place)
  await makeArchive(place)
  const [before] = (await ask(app, 'series=oven.temperature&points=10')).series
  assert.equal(Math.max(...(before?.max ?? [])), 3_599)

  // Another archive in its place, as a restored backup is, while many ask.
  await makeArchive(join(dir, 'other.sqlite'), (n) => -n)
  const asked = Promise.all(Array.from({ length: 20 }, () => app.inject(url)))
  for (const log of ['-wal', '-shm']) rmSync(`${place}${log}`, { force: true })
  renameSync(join(dir, 'other.sqlite'), place)
  for (const { statusCode } of await asked) assert.equal(statusCode, 200)
  const [after] = (await ask(app, 'series=oven.temperature&points=10')).series
  assert.equal(Math.min(...(after?.min ?? [])), -3_599)

  writeFileSync(join(dir, 'garbage'), 'x'.repeat(9_000))
  renameSync(join(dir, 'garbage'), place)
  assert.match(await problem(), /not a database/)
  for (const log of ['', '-wal', '-shm']) rmSync(`${place}${log}`, { force: true })
  await makeArchive(place)
  assert.equal((await app.inject(url)).statusCode, 200)
})

test('a site without an archive says so', async (t) => {
  const app = await openWith(t, null)
  for (const url of ['/api/history?series=relay-1.level', '/api/series']) {
    assert.deepEqual(await fault(app, { url }), [503, 'ARCHIVE_DOWN', undefined])
  }
})
