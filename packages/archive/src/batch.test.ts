import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GolemError } from '@golem/core'
import { EMPTY_BATCH, allSeries, gapsOf, remembered, seriesFor, writeBatch } from './batch.ts'
import { openArchive, openArchiveReader } from './open.ts'
import { PostgresDatabase } from './postgres.ts'
import { sharedPostgres, testBoth } from './both-testing.ts'

const TEMPERATURE = { type: 'number', label: 'Temperature', unit: '°C' }

testBoth(
  'a batch is written whole and read by another connection; written twice it changes nothing',
  async (_, file) => {
    await assert.rejects(openArchiveReader(file), { code: 'ARCHIVE_DOWN' })
    const archive = await openArchive(file)
    const series = await seriesFor(archive, 'oven', 'temperature', TEMPERATURE)
    assert.deepEqual(await seriesFor(archive, 'oven', 'temperature', TEMPERATURE), series)
    const batch = {
      ...EMPTY_BATCH,
      samples: [
        { series: series.id, t: 1_000, value: 21.5 },
        { series: series.id, t: 2_000, value: 'open' },
      ],
      gaps: [{ series: series.id, from: 2_000, until: null, reason: 'link' as const, message: 'no answer' }],
      events: [{ id: '5-0', at: '1970-01-01T00:00:05.000Z', kind: 'condition', message: 'lost' }],
      series: [{ ...series, firstAt: 1_000, lastAt: 2_000, keptAt: 2_000, keptValue: 'open' }],
      remember: { samples: '5-0' },
    }
    await writeBatch(archive, batch)
    await writeBatch(archive, batch)

    const reader = await openArchiveReader(file)
    assert.deepEqual(
      (await reader.query('SELECT t, v, x FROM sample ORDER BY t')).map((row) => ({ ...row })),
      [
        { t: 1_000, v: 21.5, x: null },
        { t: 2_000, v: null, x: 'open' },
      ],
    )
    assert.equal(await remembered(reader, 'samples'), '5-0')
    assert.equal((await reader.query('SELECT id FROM event')).length, 1)
    assert.deepEqual(await gapsOf(reader, series.id, 0, 10_000), [
      { from: '1970-01-01T00:00:02.000Z', to: null, reason: 'link', message: 'no answer' },
    ])
    assert.deepEqual(await gapsOf(reader, series.id, 0, 2_000), [])
    assert.equal((await allSeries(reader))[0]?.lastAt, 2_000)

    await writeBatch(archive, { ...EMPTY_BATCH, gaps: [{ ...batch.gaps[0], until: 9_000 } as never] })
    assert.equal((await gapsOf(reader, series.id, 8_000, 10_000))[0]?.to, '1970-01-01T00:00:09.000Z')
    await reader.close()
    await archive.close()
  },
)

testBoth('minutes and hours add up over batches', async (_, file) => {
  const archive = await openArchive(file)
  const { id } = await seriesFor(archive, 'oven', 'temperature', TEMPERATURE)
  const part = (lo: number, hi: number, total: number, n: number) => ({
    series: id,
    t: 60_000,
    lo,
    hi,
    total,
    n,
  })
  await writeBatch(archive, { ...EMPTY_BATCH, minutes: [part(1, 3, 6, 3)], hours: [part(1, 3, 6, 3)] })
  await writeBatch(archive, { ...EMPTY_BATCH, minutes: [part(0, 2, 2, 2)], hours: [] })
  const rows = await archive.query('SELECT lo, hi, total, n FROM minute')
  assert.deepEqual({ ...rows[0] }, { lo: 0, hi: 3, total: 8, n: 5 })
  await archive.close()
})

testBoth(
  'what goes wrong in the middle leaves nothing behind, and the next batch is written',
  async (_, file) => {
    const archive = await openArchive(file)
    const { id } = await seriesFor(archive, 'oven', 'temperature', TEMPERATURE)
    const sample = { series: id, t: 1_000, value: 1 }
    const broken = { ...EMPTY_BATCH, samples: [sample], runs: [{ id: 'r1' } as never] }
    await assert.rejects(writeBatch(archive, broken))
    assert.equal((await archive.query('SELECT t FROM sample')).length, 0)
    await writeBatch(archive, { ...EMPTY_BATCH, samples: [sample] })
    assert.equal((await archive.query('SELECT t FROM sample')).length, 1)
    await archive.close()
  },
)

testBoth('an archive of a newer golem is refused', async (_, file) => {
  const archive = await openArchive(file)
  await writeBatch(archive, { ...EMPTY_BATCH, remember: { schema: '99' } })
  await archive.close()
  await assert.rejects(openArchive(file), /newer golem/)
  await assert.rejects(openArchiveReader(file), /version 99/)
})

test('where the server has TimescaleDB, readings are kept in parts of a week', async () => {
  const place = await (await sharedPostgres()).database()
  const server = new PostgresDatabase(place)
  // TimescaleDB is in no repository of Debian: a function of its name and arguments stands for it.
  await server.query('CREATE TABLE called (what TEXT, chunk BIGINT)')
  await server.query(`CREATE FUNCTION create_hypertable(relation REGCLASS, time_column NAME, chunk_time_interval BIGINT, if_not_exists BOOLEAN)
    RETURNS TEXT LANGUAGE SQL AS 'INSERT INTO called VALUES (relation::TEXT || ''.'' || time_column, chunk_time_interval) RETURNING what'`)
  await (await openArchive(place)).close()
  assert.deepEqual(await server.query('SELECT what, chunk FROM called'), [
    { what: 'sample.t', chunk: 604_800_000 },
  ])
  await server.close()
})

test('a server that is not there is told as such, without the password', async () => {
  const place = 'postgres://golem:secret@127.0.0.1:1/golem'
  await assert.rejects(openArchive(place), (error) => {
    assert.ok(error instanceof GolemError && error.code === 'ARCHIVE_DOWN')
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
})
