import { type Database, openArchiveReader } from '@golem/archive'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../kit/eventually.ts'
import { type Stand, type StandOptions, startStand } from '../kit/stand.ts'

/** A weather station whose temperature is a tenth of the number of its line. */
const STATION = 'weather'
const PER_SECOND = 50

async function standWithStation(t: TestContext, options: StandOptions = {}): Promise<Stand> {
  const stand = await startStand({
    archivers: 1,
    devices: [{ kind: 'stream', name: STATION, perSecond: PER_SECOND, line: 'tcp' }],
    ...options,
  })
  t.after(() => stand.close())
  return stand
}

async function withArchive<T>(stand: Stand, ask: (archive: Database) => Promise<T>): Promise<T> {
  const archive = await openArchiveReader(join(stand.dir, 'archive', 'test.sqlite'))
  try {
    return await ask(archive)
  } finally {
    await archive.close()
  }
}

/** What the archive has of the station's temperature: its lines, by their numbers. */
async function lines(stand: Stand): Promise<{ n: number; total: number; first: number; last: number }> {
  return withArchive(stand, async (archive) => {
    const [row] = await archive.query<{ n: number; total: number; first: number; last: number }>(
      `SELECT sum(n) AS n, round(10 * sum(total)) AS total, round(10 * min(lo)) AS first, round(10 * max(hi)) AS last
       FROM minute JOIN series ON series.id = minute.series WHERE parameter = 'temperature'`,
    )
    assert.ok(row?.n, 'nothing is archived')
    return row
  })
}

/** Every line from the first to the last one is in the archive, and none twice. */
async function assertComplete(stand: Stand, atLeast: number): Promise<void> {
  const sent = Number(stand.sim.device(STATION).state()['sent'])
  const found = await eventually(
    async () => {
      const now = await lines(stand)
      assert.ok(now.last >= sent, `line ${sent} is not there yet, ${now.last} is`)
      return now
    },
    { what: `line ${sent} is archived`, timeoutMs: 30_000 },
  )
  const { n, total, first, last } = found
  assert.equal(n, last - first + 1, `${n} of the lines ${first} to ${last}`)
  assert.equal(total, ((first + last) * n) / 2, 'some are there twice, and as many are missing')
  assert.ok(n >= atLeast, `only ${n} lines`)
}

const gapsOf = (stand: Stand): Promise<{ reason: string; t: number; until: number | null }[]> =>
  withArchive(stand, (archive) => archive.query('SELECT reason, t, until FROM gap ORDER BY t'))

test('an archiver that is killed again and again under load loses nothing and writes nothing twice', async (t) => {
  const stand = await standWithStation(t)
  for (let kill = 0; kill < 5; kill += 1) {
    const archiver = stand.archivers[0]
    assert.ok(archiver)
    await eventually(() => archiver.log().includes('this archiver writes'), { what: 'it writes' })
    await sleep(150 * kill)
    await archiver.kill('SIGKILL')
    await stand.addArchiver(0)
  }
  await assertComplete(stand, 100)
  assert.deepEqual(await gapsOf(stand), [])
})

test('Redis that is killed and frozen loses nothing', async (t) => {
  // Longer than it is away: otherwise its links are given up, which is another matter.
  const stand = await standWithStation(t, { leaseMs: 10_000 })
  await assertComplete(stand, 1)
  await stand.redis.kill()
  await sleep(1_000)
  await stand.redis.start()
  await assertComplete(stand, 50)
  stand.redis.freeze()
  await sleep(2_500)
  stand.redis.resume()
  await assertComplete(stand, 150)
  assert.deepEqual(await gapsOf(stand), [])
})
