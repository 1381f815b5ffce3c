import { PostgresServer } from '@golem/archive/testing'
import type { ArchiverRecord, FleetDocument, HistoryDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import {
  STATION,
  assertComplete,
  gapsOf,
  lines,
  standWithStation,
  withArchive,
  writes,
} from './archived-station.ts'

const HISTORY = `/api/history?series=${STATION}.temperature&from=-10min&points=100`
const EXPORT = `/api/export?series=${STATION}.temperature&from=-10min`

test('with an archive on PostgreSQL nothing is lost when server and archiver are killed; pages say when it is away', async (t) => {
  const server = await PostgresServer.start()
  t.after(() => server.remove())
  const stand = await standWithStation(t, {
    leaseMs: 5_000,
    site: { archive: { place: await server.database() } },
  })
  const record = async (): Promise<ArchiverRecord | undefined> =>
    (await stand.api<FleetDocument>('/api/fleet')).body.archivers[0]
  await writes(stand.archivers[0])
  await eventually(() => lines(stand), { what: 'the first lines are archived', timeoutMs: 30_000 })

  // Away for long enough to be noticed.
  await server.kill()
  for (const url of [HISTORY, EXPORT]) {
    const { status, body } = await stand.api<{ code: string; detail: string }>(url)
    assert.deepEqual([status, body.code], [503, 'ARCHIVE_DOWN'], url)
    assert.match(body.detail, /database does not answer/)
  }
  await eventually(async () => (await record())?.trouble?.kind === 'down', {
    what: 'the fleet shows that the archive is away',
    timeoutMs: 30_000,
  })
  await eventually(async () => ((await record())?.backlog ?? 0) > 100, {
    what: 'readings wait',
    timeoutMs: 30_000,
  })
  await server.resume()
  await eventually(async () => (await record())?.trouble === undefined, {
    what: 'it goes on by itself',
    timeoutMs: 30_000,
  })
  await assertComplete(stand, 100)

  // In the middle of whatever they are at.
  for (let kill = 0; kill < 2; kill += 1) {
    await server.restart()
    const { last } = await eventually(() => lines(stand), { what: 'the archive is there', timeoutMs: 30_000 })
    await stand.archivers[0]?.kill('SIGKILL')
    await stand.addArchiver(0)
    await eventually(async () => (await lines(stand)).last > last, {
      what: 'it goes on',
      timeoutMs: 30_000,
    })
  }
  await assertComplete(stand, 100)
  assert.deepEqual(await gapsOf(stand), [])

  const { last } = await lines(stand)
  const [stored] = await withArchive(stand, (archive) =>
    archive.query<{ n: number }>(
      "SELECT count(*) AS n FROM sample JOIN series ON series.id = sample.series WHERE parameter = 'temperature'",
    ),
  )
  assert.ok(stored)
  const history = await stand.api<HistoryDocument>(HISTORY)
  const [temperature] = history.body.series
  assert.ok(temperature && temperature.times.length <= 100, JSON.stringify(history.body).slice(0, 300))
  assert.ok(Math.round(10 * Math.max(...temperature.max)) >= last)
  const exported = await stand.api<string>(EXPORT)
  assert.equal(exported.status, 200)
  const rows = Number(/^# end, (\d+) rows/m.exec(exported.body)?.[1])
  assert.ok(rows >= stored.n, `${rows} rows of ${stored.n}`)
})
