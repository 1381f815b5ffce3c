import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { EMPTY_BATCH, seriesFor, writeBatch } from './batch.ts'
import { restoreArchive, snapshotArchive } from './copy.ts'
import { openArchive } from './open.ts'
import { sharedPostgres, testBoth } from './both-testing.ts'

const TABLES = [
  'meta',
  'series',
  'sample',
  'minute',
  'hour',
  'gap',
  'event',
  'command',
  'run',
  'run_row',
  'document',
]

/** An archive with something in each table, more rows of one than are carried over at a time. */
async function fill(place: string): Promise<void> {
  const archive = await openArchive(place)
  const { id } = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'T', unit: '°C' })
  const at = '2026-03-01T12:00:00.000Z'
  const part = { series: id, t: 60_000, lo: 1, hi: 2, total: 3.5, n: 2 }
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: Array.from({ length: 12_345 }, (_, n) => ({
      series: id,
      t: n * 1_000,
      value: n % 7 ? n / 3 : 'x',
    })),
    minutes: [part],
    hours: [part],
    gaps: [{ series: id, from: 5, until: null, reason: 'link', message: 'away' }],
    events: [{ id: '1-0', at, kind: 'log', message: 'hello', run: 'r1', data: { a: 1 } }],
    commands: [{ id: 'c', instrument: 'oven', by: 'x', submittedAt: at, validUntil: at, state: 'ended' }],
    documents: [{ kind: 'description', name: 'oven', at: 1, digest: 'd', body: '{}' }],
    remember: { position: '1-0' },
  })
  await archive.close()
}

async function contents(place: string): Promise<unknown> {
  const archive = await openArchive(place)
  const tables = []
  for (const table of TABLES) {
    const rows = await archive.query(`SELECT * FROM ${table} ORDER BY 1, 2`)
    tables.push([table, rows.map((row) => ({ ...row }))])
  }
  await archive.close()
  return tables
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'golem-copy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

testBoth(
  'an archive is copied while it is written, and brought back into either database',
  async (t, place) => {
    await fill(place)
    const file = join(folderOf(t), 'copy.sqlite')
    const open = await openArchive(place)
    await snapshotArchive(place, file)
    await open.close()
    const before = await contents(place)

    const again = join(folderOf(t), 'again.sqlite')
    await restoreArchive(file, again)
    assert.deepEqual(await contents(again), before)
    const elsewhere = await (await sharedPostgres()).database()
    await restoreArchive(file, elsewhere)
    assert.deepEqual(await contents(elsewhere), before)

    // What is there is not overwritten, and a restored one goes on.
    await assert.rejects(restoreArchive(file, elsewhere), /not overwritten/)
    await assert.rejects(restoreArchive(file, again), /not overwritten/)
    const archive = await openArchive(elsewhere)
    const next = await seriesFor(archive, 'oven', 'power', { type: 'number', label: 'P', unit: 'W' })
    assert.equal(next.id, 2)
    await archive.close()
  },
)

test('a copy that was cut short is refused', async (t) => {
  const folder = folderOf(t)
  const place = join(folder, 'archive.sqlite')
  await fill(place)
  const file = join(folder, 'copy.sqlite')
  await snapshotArchive(place, file)
  truncateSync(file, 200_000)
  await assert.rejects(restoreArchive(file, join(folder, 'new.sqlite')))
})
