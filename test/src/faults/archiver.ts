import { PostgresServer } from '@golem/archive/testing'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  PER_SECOND,
  STATION,
  archivePlace,
  gapsOf,
  lines,
  standWithStation,
  withArchive,
  writes,
} from '../e2e/archived-station.ts'
import { eventually } from '../kit/eventually.ts'
import type { Stand } from '../kit/stand.ts'

/** Where the archive is kept, with what is killed, one after the other. SQLite is a part of the archiver. */
const VICTIMS = {
  sqlite: ['archiver', 'redis'],
  postgres: ['archiver', 'database', 'redis'],
} as const

export type ArchiveKind = keyof typeof VICTIMS

export const ARCHIVE_KINDS = ['sqlite', 'postgres'] as const satisfies readonly ArchiveKind[]

/** What has become of an archive. */
export interface ArchiveFate {
  database: ArchiveKind
  /** e.g. `34 archiver, 33 database, 33 redis` */
  kills: string
  /** Lines that are archived, each once. */
  lines: number
  /** Those that are not, as nobody read them. */
  missing: number
  /** Those that were told: lines are missing within them only. */
  gaps: string
  seconds: number
}

/** A worker that could not renew its lease in time reads nothing: lines of that time are in a gap. */
async function judged(stand: Stand): Promise<{ n: number; missing: number; gaps: string[] }> {
  const sent = Number(stand.sim.device(STATION).state()['sent'])
  const { n, first, last } = await lines(stand)
  assert.ok(last > sent - PER_SECOND, `line ${sent} is not there yet, ${last} is`)
  const gaps = await gapsOf(stand)
  const silentMs = gaps.reduce((sum, { t, until }) => sum + ((until ?? Date.now()) - t), 0)
  const missing = last - first + 1 - n
  assert.ok(missing >= 0, `${-missing} lines too many`)
  assert.ok(
    missing <= (silentMs / 1_000) * 2 * PER_SECOND,
    `${missing} lines are missing, silent for ${silentMs} ms`,
  )
  const twice = await withArchive(stand, (archive) =>
    archive.query(
      `SELECT minute.t FROM minute JOIN series ON series.id = minute.series
       WHERE parameter = 'temperature' AND n > round(10 * (hi - lo)) + 1`,
    ),
  )
  assert.deepEqual(twice, [], 'more readings than lines')
  const told = gaps.map(({ reason, t, until }) => `${reason} for ${((until ?? Date.now()) - t) / 1_000} s`)
  return { n, missing, gaps: told }
}

/**
 * Kills the archiver, Redis and, where it is one of its own, the database (kill -9) again and again while a station sends
 * 50 lines a second, and asks the archive what has become of them.
 *
 * @param say - is told of each kill
 * @throws AssertionError when a line is there twice, or missing without a gap that says so
 */
export async function killArchiver(
  database: ArchiveKind,
  kills: number,
  say: (line: string) => void,
): Promise<ArchiveFate> {
  const closers: (() => unknown)[] = []
  const began = performance.now()
  try {
    const server = database === 'postgres' ? await PostgresServer.start() : undefined
    if (server) closers.push(() => server.remove())
    const stand = await standWithStation(
      { after: (close) => void closers.push(close as () => unknown) },
      { leaseMs: 5_000, ...(server ? { site: { archive: { place: await server.database() } } } : {}) },
    )
    await writes(stand.archivers[0])
    const victims = VICTIMS[database]
    const counts = new Map<string, number>()
    for (let kill = 0; kill < kills; kill += 1) {
      const victim = victims[kill % victims.length] ?? 'archiver'
      counts.set(victim, (counts.get(victim) ?? 0) + 1)
      say(`${database}: kill -9 ${victim}, ${kill + 1} of ${kills}`)
      if (victim === 'redis') await stand.redis.restart()
      else if (victim === 'database') await server?.restart()
      else {
        await stand.archivers[0]?.kill('SIGKILL')
        await stand.addArchiver(0)
        await writes(stand.archivers[0])
      }
      // At other moments of its second each time.
      await sleep(37 * (kill % 30))
    }
    say(`${database}: ${archivePlace(stand)} is asked`)
    const { n, missing, gaps } = await eventually(() => judged(stand), {
      what: 'all is archived',
      timeoutMs: 60_000,
    })
    return {
      database,
      kills: [...counts].map(([name, count]) => `${count} ${name}`).join(', '),
      lines: n,
      missing,
      gaps: gaps.join(', ') || 'none',
      seconds: Math.round((performance.now() - began) / 1_000),
    }
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
