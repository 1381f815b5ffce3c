import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { EMPTY_BATCH, remembered, seriesFor, writeBatch } from './batch.ts'
import { openArchive } from './open.ts'
import { sharedPostgres, testBoth } from './both-testing.ts'

const KILLS = 10

test('the server is killed again and again in the middle of batches: each is there once, and none is lost', async () => {
  const server = await sharedPostgres()
  const place = await server.database()
  const archive = await openArchive(place)
  const { id } = await seriesFor(archive, 'oven', 'temperature', { type: 'number', label: 'T', unit: null })
  let sent = 0
  let failures = 0
  let over = false

  // As the archiver does it: what is not known to be written is looked up by the position, then sent again.
  const write = async (): Promise<void> => {
    while (!over) {
      const samples = Array.from({ length: 50 }, (_, n) => ({ series: id, t: sent + n, value: n }))
      const minute = { series: id, t: 0, lo: 0, hi: 49, total: 1225, n: 50 }
      try {
        const position = Number((await remembered(archive, 'position')) ?? 0)
        if (position === sent) {
          await writeBatch(archive, {
            ...EMPTY_BATCH,
            samples,
            minutes: [minute],
            remember: { position: String(sent + 50) },
          })
        }
        sent += 50
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ARCHIVE_DOWN', String(error))
        failures += 1
        await sleep(10)
      }
    }
  }
  const writing = write()
  for (let n = 0; n < KILLS; n++) {
    const before = sent
    while (sent < before + 200) await sleep(1)
    await server.kill()
    await server.resume()
  }
  over = true
  await writing

  assert.ok(failures > 0, 'no kill was noticed')
  const [found] = await archive.query('SELECT COUNT(*) AS n, MAX(t) AS last FROM sample')
  assert.deepEqual({ ...found }, { n: sent, last: sent - 1 })
  assert.deepEqual({ ...(await archive.query('SELECT n FROM minute'))[0] }, { n: sent })
  await archive.close()
})

testBoth(
  'a command that ends and is settled within one batch is there once, as it was last',
  async (_, place) => {
    const archive = await openArchive(place)
    const at = '2026-03-01T12:00:00.000Z'
    const record = {
      id: 'c1',
      instrument: 'oven',
      by: 'run r1',
      submittedAt: at,
      validUntil: at,
      state: 'ended' as const,
      outcome: 'unknown' as const,
      endedAt: at,
    }
    const settled = { ...record, settled: { at, effect: 'done' as const, message: 'it is so' } }
    await writeBatch(archive, { ...EMPTY_BATCH, commands: [record, settled] })
    const rows = await archive.query<{ run: string; record: string }>('SELECT run, record FROM command')
    assert.deepEqual(
      rows.map((row) => ({ run: row.run, record: JSON.parse(row.record) as unknown })),
      [{ run: 'r1', record: settled }],
    )
    await archive.close()
  },
)
