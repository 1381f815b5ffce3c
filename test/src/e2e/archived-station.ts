import { type Database, openArchiveReader } from '@golem/archive'
import { loadSite } from '@golem/config'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import type { NodeProcess } from '../kit/process.ts'
import { type Stand, type StandOptions, startStand } from '../kit/stand.ts'

/** A weather station whose temperature is a tenth of the number of its line. */
export const STATION = 'weather'
export const PER_SECOND = 50

/** A stand with the station and an archiver. @param perSecond - lines that it sends */
export async function standWithStation(
  t: Pick<TestContext, 'after'>,
  { perSecond = PER_SECOND, ...options }: StandOptions & { perSecond?: number } = {},
): Promise<Stand> {
  const stand = await startStand({
    archivers: 1,
    devices: [{ kind: 'stream', name: STATION, perSecond, line: 'tcp' }],
    ...options,
  })
  t.after(() => stand.close())
  return stand
}

/** A file, or the URL of a database. */
export function archivePlace({ siteFile }: Stand): string {
  const { archive } = loadSite(siteFile, { env: {} })
  assert.ok(archive, 'the stand keeps no archive')
  return archive.place
}

/** Asks the archive, as a web process would. */
export async function withArchive<T>(stand: Stand, ask: (archive: Database) => Promise<T>): Promise<T> {
  const archive = await openArchiveReader(archivePlace(stand))
  try {
    return await ask(archive)
  } finally {
    await archive.close()
  }
}

/** What the archive has of the station's temperature: its lines, by their numbers. */
export async function lines(
  stand: Stand,
): Promise<{ n: number; total: number; first: number; last: number }> {
  return withArchive(stand, async (archive) => {
    const [row] = await archive.query<{ n: number; total: number; first: number; last: number }>(
      `SELECT sum(n) AS n, round(10 * sum(total)) AS total, round(10 * min(lo)) AS first, round(10 * max(hi)) AS last
       FROM minute JOIN series ON series.id = minute.series WHERE parameter = 'temperature'`,
    )
    assert.ok(row?.n, 'nothing is archived')
    return row
  })
}

/** Every line from the first to the last one is in the archive, and none twice. @returns how many there are */
export async function assertComplete(stand: Stand, atLeast: number): Promise<number> {
  const sent = Number(stand.sim.device(STATION).state()['sent'])
  const found = await eventually(
    async () => {
      const now = await lines(stand)
      assert.ok(now.last >= sent, `line ${sent} is not there yet, ${now.last} is`)
      return now
    },
    { what: `line ${sent} is archived`, timeoutMs: 60_000 },
  )
  const { n, total, first, last } = found
  assert.equal(n, last - first + 1, `${n} of the lines ${first} to ${last}`)
  assert.equal(total, ((first + last) * n) / 2, 'some are there twice, and as many are missing')
  assert.ok(n >= atLeast, `only ${n} lines`)
  return n
}

/** All gaps of the station. */
export const gapsOf = (stand: Stand): Promise<{ reason: string; t: number; until: number | null }[]> =>
  withArchive(stand, (archive) => archive.query('SELECT DISTINCT reason, t, until FROM gap ORDER BY t'))

/** An archiver has taken over. */
export async function writes(archiver: NodeProcess | undefined): Promise<void> {
  await eventually(() => archiver?.log().includes('this archiver writes'), {
    what: 'it writes',
    timeoutMs: 60_000,
  })
}
