import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EMPTY_BATCH, allSeries, remembered, seriesFor, writeBatch } from './batch.ts'
import { sharedPostgres, testBoth } from './both-testing.ts'
import { history } from './history.ts'
import { openArchive, openArchiveReader } from './open.ts'
import { PostgresDatabase } from './postgres.ts'
import { examineArchiveServer } from './server.ts'

const NUMBER = { type: 'number', label: 'T', unit: null }

test('of two that go on from the same place at once only one writes', async () => {
  const place = await (await sharedPostgres()).database()
  const both = [await openArchive(place), await openArchive(place)]
  const [first] = both
  assert.ok(first)
  const { id } = await seriesFor(first, 'oven', 'temperature', NUMBER)
  const minutes = [{ series: id, t: 0, lo: 1, hi: 1, total: 1, n: 1 }]
  for (let n = 1; n <= 30; n += 1) {
    const before = n === 1 ? undefined : String(n - 1)
    const ends = await Promise.allSettled(
      both.map((one) =>
        writeBatch(one, { ...EMPTY_BATCH, minutes, remember: { place: String(n) } }, { place: before }),
      ),
    )
    const failures = ends.flatMap((end) =>
      end.status === 'rejected' ? [end.reason as { code: string }] : [],
    )
    assert.deepEqual(
      failures.map(({ code }) => code),
      ['LEASE_LOST'],
    )
  }
  assert.deepEqual(await first.query('SELECT n FROM minute'), [{ n: 30 }])
  await Promise.all(both.map((one) => one.close()))
})

test('one that is frozen in a transaction keeps its successor waiting until the server ends it, and writes nothing', async () => {
  const place = await (await sharedPostgres()).database()
  const frozen = await openArchive(place)
  const next = await openArchive(place)
  const says = (who: string): string => `INSERT INTO meta (name, value) VALUES ('who', '${who}')`
  const stalled = frozen.transaction(async (transaction) => {
    const [session] = await transaction.query<{ pid: number; limit: string }>(
      "SELECT pg_backend_pid() AS pid, current_setting('idle_in_transaction_session_timeout') AS limit",
    )
    assert.equal(session?.limit, '15s')
    const successor = next.transaction((own) => own.run(says('next')))
    await sleep(200)
    assert.equal(await remembered(next, 'who'), undefined)
    await next.query('SELECT pg_terminate_backend(CAST(? AS INTEGER))', [session?.pid ?? 0])
    await successor
    await transaction.run(says('frozen'))
  })
  await assert.rejects(stalled, { code: 'ARCHIVE_DOWN' })
  // It has a new connection by itself.
  assert.equal(await remembered(frozen, 'who'), 'next')
  await Promise.all([frozen.close(), next.close()])
})

test('what is wrong with the server is told as an archive that is away, and it goes on when that is mended', async () => {
  const place = await (await sharedPostgres()).database()
  await assert.rejects(openArchive(place.replace(/\/test\d+/, '/nobody')), {
    code: 'ARCHIVE_DOWN',
    message: /refuses: database "nobody" does not exist/,
  })
  const archive = await openArchive(place)
  const { id } = await seriesFor(archive, 'oven', 'temperature', NUMBER)
  const batch = { ...EMPTY_BATCH, samples: [{ series: id, t: 1, value: 1 }] }

  // What it says when its disk is full.
  await archive.query(`CREATE FUNCTION full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`)
  await archive.query('CREATE TRIGGER full_disk BEFORE INSERT ON sample EXECUTE FUNCTION full_disk()')
  await assert.rejects(writeBatch(archive, batch), { code: 'ARCHIVE_DOWN', message: /disk is full/ })
  await archive.query('DROP TRIGGER full_disk ON sample')
  await writeBatch(archive, batch)

  const slow = archive.transaction(async (transaction) => {
    await transaction.run('SET LOCAL statement_timeout = 50')
    await transaction.query('SELECT 1 AS one FROM pg_sleep(60)')
  })
  await assert.rejects(slow, { code: 'ARCHIVE_DOWN', message: /timeout/ })
  await archive.query('ALTER TABLE sample RENAME TO hidden')
  await assert.rejects(writeBatch(archive, batch), { code: 'ARCHIVE_DOWN', message: /does not exist/ })
  await archive.query('ALTER TABLE hidden RENAME TO sample')
  await writeBatch(archive, batch)
  assert.equal((await archive.query('SELECT t FROM sample')).length, 1)
  await archive.close()
})

test('a user who may only read serves web processes; one who may not write can be no archiver', async () => {
  const place = await (await sharedPostgres()).database()
  const { version, ...before } = await examineArchiveServer(place)
  assert.match(version, /^\d+\.\d+$/)
  assert.ok(before.sizeBytes > 0)
  assert.deepEqual(
    { ...before, sizeBytes: 0 },
    { user: 'golem', encoding: 'UTF8', sizeBytes: 0, tables: undefined, mayWrite: true, hasTimescale: false },
  )
  const archive = await openArchive(place)
  await seriesFor(archive, 'oven', 'temperature', NUMBER)
  await archive.query('CREATE ROLE reader LOGIN')
  await archive.query('GRANT pg_read_all_data TO reader')
  const asReader = place.replace('golem@', 'reader@')
  const { tables, mayWrite, user } = await examineArchiveServer(asReader)
  assert.deepEqual([tables, mayWrite, user], [1, false, 'reader'])
  const reader = await openArchiveReader(asReader)
  assert.equal((await allSeries(reader)).length, 1)
  assert.ok((await reader.size()) > 0)
  await reader.close()
  const writer = await openArchive(asReader)
  await assert.rejects(seriesFor(writer, 'oven', 'power', NUMBER), {
    code: 'ARCHIVE_DOWN',
    message: /permission denied/,
  })
  await Promise.all([writer.close(), archive.close()])
})

test('a database that can hold no texts of all languages is refused', async () => {
  const place = await (await sharedPostgres()).database()
  const server = new PostgresDatabase(place)
  await server.query(
    "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'",
  )
  await server.close()
  await assert.rejects(openArchive(place.replace(/\/test\d+/, '/ascii')), {
    code: 'ARCHIVE_DOWN',
    message: /SQL_ASCII.*UTF8/,
  })
})

testBoth('texts are in the order of their bytes, and any text can be written', async (_, place) => {
  const archive = await openArchive(place)
  const names = ['b', 'B', 'a-b', 'ab', 'a_b', 'é', 'z', 'Z', '1-10', '11-0', '𝄞']
  for (const name of names) await seriesFor(archive, name, 't', NUMBER)
  const found = (await allSeries(archive)).map(({ instrument }) => instrument)
  assert.deepEqual(
    found,
    names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
  const event = { id: '1-0', at: '2026-03-01T12:00:00.000Z', kind: 'log', message: 'a\0b', by: '\ud800' }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: [{ series: 1, t: 1, value: '\0' }],
    events: [{ ...event, data: { text: '\0' } }],
  })
  const [row] = await archive.query<{ message: string; data: string }>('SELECT message, data FROM event')
  assert.match(row?.message ?? '', /^a/)
  assert.deepEqual(JSON.parse(row?.data ?? ''), { text: '\0' })
  await archive.close()
})

testBoth('readings as large as numbers can be stop neither the archiver nor a plot', async (_, place) => {
  const archive = await openArchive(place)
  const made = await seriesFor(archive, 'oven', 'temperature', NUMBER)
  const value = Number.MAX_VALUE
  const series = { ...made, firstAt: 0, lastAt: 99_000 }
  for (const half of [0, 1]) {
    const samples = Array.from({ length: 50 }, (_value, n) => ({
      series: made.id,
      t: half * 50_000 + n * 1_000,
      value,
    }))
    const minutes = [{ series: made.id, t: 0, lo: value, hi: value, total: Infinity, n: 50 }]
    await writeBatch(archive, { ...EMPTY_BATCH, samples, minutes, series: [series] })
  }
  assert.deepEqual({ ...(await archive.query('SELECT hi, n FROM minute'))[0] }, { hi: value, n: 100 })
  const { level, max } = await history(archive, { series, from: 0, to: 100_000, points: 10, now: 100_000 })
  assert.deepEqual([level, Math.max(...max)], ['raw', value])
  await archive.close()
})
