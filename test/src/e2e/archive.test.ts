import { type Database, openArchive } from '@golem/archive'
import { startArchiver } from '@golem/archiver'
import { loadSite } from '@golem/config'
import type { ArchiverRecord, FleetDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { eventually } from '../kit/eventually.ts'
import type { Stand } from '../kit/stand.ts'
import {
  STATION,
  assertComplete,
  gapsOf,
  lines,
  standWithStation,
  withArchive,
  writes,
} from './archived-station.ts'

const sent = (stand: Stand): number => Number(stand.sim.device(STATION).state()['sent'])

test('an archiver that is killed again and again under load loses nothing and writes nothing twice', async (t) => {
  const stand = await standWithStation(t)
  for (let kill = 0; kill < 3; kill += 1) {
    await writes(stand.archivers[0])
    await sleep(250 * kill)
    await stand.archivers[0]?.kill('SIGKILL')
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
  await assertComplete(stand, 100)
  assert.deepEqual(await gapsOf(stand), [])
})

test('Redis that comes back without its last second, and one that was emptied, give nothing twice', async (t) => {
  const stand = await standWithStation(t, { perSecond: 5 })
  const assertOnce = async (): Promise<void> => {
    const [row] = await withArchive(stand, (archive) =>
      archive.query<{ stored: number; different: number; counted: number }>(
        `SELECT (SELECT count(*) FROM sample WHERE series = s.id) AS stored, (SELECT count(DISTINCT v) FROM sample WHERE series = s.id) AS different,
         (SELECT sum(n) FROM minute WHERE series = s.id) AS counted FROM series s WHERE parameter = 'temperature'`,
      ),
    )
    assert.ok(row && row.stored > 5, JSON.stringify(row))
    assert.deepEqual({ ...row }, { stored: row.different, different: row.different, counted: row.different })
  }
  const goesOn = async (): Promise<void> => {
    const line = sent(stand) + 5
    await eventually(async () => (await lines(stand)).last >= line, {
      what: `line ${line} is archived`,
      timeoutMs: 60_000,
    })
  }
  await goesOn()
  await stand.redis.mark()
  await goesOn()
  await stand.redis.killAndRollBack()
  await goesOn()
  await assertOnce()
  await stand.redis.call('flushall')
  await goesOn()
  await assertOnce()
})

test('when the archiver was away for longer than the stream can keep, the gap says so', async (t) => {
  const stand = await standWithStation(t, { perSecond: 400, site: { archive: { stream: 1_000 } } })
  await writes(stand.archivers[0])
  await eventually(async () => (await lines(stand)).n > 100, {
    what: 'lines are archived',
    timeoutMs: 60_000,
  })
  await stand.archivers[0]?.kill('SIGKILL')
  const before = await lines(stand)
  const until = sent(stand) + 2_500
  await eventually(() => sent(stand) > until, { what: 'it has sent more than is kept', timeoutMs: 60_000 })
  await stand.addArchiver(0)
  await eventually(async () => (await lines(stand)).last >= until, { what: 'it goes on', timeoutMs: 60_000 })
  const after = await lines(stand)
  const missing = after.last - after.first + 1 - after.n
  assert.ok(missing > 500, `${missing} are missing`)
  assert.ok(after.n - before.n > 500, 'what the stream kept is there')
  assert.deepEqual(
    (await gapsOf(stand)).map(({ reason, until: end }) => [reason, end !== null]),
    [['behind', true]],
  )
})

test('of two archivers one writes, and the other takes over', async (t) => {
  const stand = await standWithStation(t, { archivers: 2 })
  const writing = (): number => stand.archivers.findIndex((one) => one.log().includes('this archiver writes'))
  await eventually(() => writing() >= 0, { what: 'one writes', timeoutMs: 60_000 })
  const first = writing()
  const second = stand.archivers[1 - first]
  assert.ok(!second?.log().includes('this archiver writes'))
  // Frozen, and not dead: when it wakes up it must not write beside the other one.
  stand.archivers[first]?.stop()
  await writes(second)
  stand.archivers[first]?.cont()
  await sleep(1_000)
  await assertComplete(stand, 50)
  const { archivers } = (await stand.api<FleetDocument>('/api/fleet')).body
  assert.ok(archivers.every(({ alive }) => alive))
  assert.deepEqual(archivers.filter(({ writes: is }) => is).length, 1)
})

test('a worker that dies leaves a gap that says so, and its successor ends it', async (t) => {
  const stand = await standWithStation(t)
  await assertComplete(stand, 1)
  await stand.workers[0]?.kill('SIGKILL')
  await eventually(async () => (await gapsOf(stand)).some(({ until }) => until === null), {
    what: 'there is a gap that lasts',
    timeoutMs: 60_000,
  })
  await stand.addWorker()
  const gaps = await eventually(
    async () => {
      const found = await gapsOf(stand)
      assert.ok(found.every(({ until }) => until !== null))
      return found
    },
    { what: 'it has ended', timeoutMs: 60_000 },
  )
  assert.deepEqual([...new Set(gaps.map(({ reason }) => reason))], ['worker'])
})

test('a full disk is told, nothing is lost, and it goes on by itself when there is room', async (t) => {
  const stand = await standWithStation(t, { archivers: 0 })
  const { redisUrl } = loadSite(stand.siteFile, { env: {} })
  let database: Database | undefined
  const archiver = startArchiver(loadSite(stand.siteFile, { env: {} }), {
    redisUrl: redisUrl ?? '',
    log: pino({ level: 'silent' }),
    open: async (place) => {
      database = await openArchive(place)
      const [pages] = await database.query<{ page_count: number }>('PRAGMA page_count')
      await database.query(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 4}`)
      return database
    },
  })
  t.after(() => archiver.close())
  const shown = async (): Promise<ArchiverRecord | undefined> =>
    (await stand.api<FleetDocument>('/api/fleet')).body.archivers[0]
  await eventually(async () => (await shown())?.trouble?.kind === 'full', {
    what: 'the disk is said to be full',
    timeoutMs: 60_000,
  })
  await eventually(async () => ((await shown())?.backlog ?? 0) > 20, {
    what: 'readings wait',
    timeoutMs: 60_000,
  })
  await database?.query('PRAGMA max_page_count = 1000000')
  await eventually(async () => (await shown())?.trouble === undefined, {
    what: 'it goes on',
    timeoutMs: 60_000,
  })
  await assertComplete(stand, 100)
  assert.deepEqual(await gapsOf(stand), [])
})
