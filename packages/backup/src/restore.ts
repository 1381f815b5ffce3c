import { checkArchiveFile, isTaken, restoreArchive } from '@golem/archive'
import { type Site, type Variables, loadSite } from '@golem/config'
import { isoTime, messageOf } from '@golem/core'
import { type DumpLine, initDb, loadDump, runningWorkers } from '@golem/queue'
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import {
  ARCHIVE_FILE,
  BackupError,
  archiveFiles,
  INSTANCE,
  type Manifest,
  REDIS_DUMP,
  SITE_FILE,
} from './manifest.ts'
import { unpackBackup } from './read-backup.ts'

export interface RestoreOptions {
  /** The backup. */
  file: string
  passphrase: string | null
  /** Where the site file is to be, absolute. */
  siteFile: string
  /** The instance folder to be, absolute. */
  instanceDir: string
  /** What is there is moved aside (files) or removed (Redis); without it nothing is overwritten. */
  replace: boolean
  env: Variables
  /** Lends a Redis for the site: the configured one, or its private one, started for the while. */
  withRedis: <T>(site: Site, work: (redisUrl: string) => Promise<T>) => Promise<T>
  onStep?: (step: string) => void
}

export interface Restored {
  manifest: Manifest
  site: Site
  /** Where what was there has been moved to; null: there was nothing. */
  movedTo: string | null
}

/**
 * Brings a backup back: files, archive and Redis. The whole file is read and checked before anything is changed, and so
 * is what it would overwrite.
 *
 * @throws BackupError when the file is damaged, something is in the way, or the site runs
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const {
    file,
    passphrase,
    siteFile,
    instanceDir,
    replace,
    env,
    withRedis,
    onStep = () => undefined,
  } = options
  mkdirSync(instanceDir, { recursive: true })
  const staging = mkdtempSync(path.join(instanceDir, '.restore-'))
  try {
    onStep('checking the file')
    const manifest = await unpackBackup(file, passphrase, staging)
    const unpacked = loadUnpacked(staging, env)
    if (manifest.archive) await checkArchiveFile(path.join(staging, ARCHIVE_FILE))
    const inTheWay = placesOf(staging, siteFile, instanceDir).filter(({ to }) => existsSync(to))
    const archive = archivePlace(unpacked, instanceDir)
    inTheWay.push(
      ...archiveFiles(archive)
        .filter(existsSync)
        .map((to) => ({ from: '', to })),
    )
    if (inTheWay.length > 0 && !replace) {
      throw new BackupError(
        `Nothing was changed: ${inTheWay.map(({ to }) => to).join(', ')} would be overwritten. With --replace what is there is moved aside.`,
      )
    }
    if (archiveFiles(archive).length === 0 && archive !== '' && (await isTaken(archive))) {
      throw new BackupError(
        'Nothing was changed: there is an archive in the database. Empty it, or name another one.',
      )
    }
    return await withRedis(unpacked, async (redisUrl) => {
      const redis = { site: unpacked.name, redisUrl }
      await refuseRunning(redis)
      if (replace) await initDb(redis)
      onStep('bringing Redis back')
      await loadDump(redis, linesOf(path.join(staging, REDIS_DUMP)))
      onStep('bringing the files back')
      const movedTo = moveAside(
        inTheWay.map(({ to }) => to),
        instanceDir,
      )
      for (const { from, to } of placesOf(staging, siteFile, instanceDir)) {
        mkdirSync(path.dirname(to), { recursive: true })
        move(from, to)
      }
      const site = loadSite(siteFile, { env: { ...env, GOLEM_INSTANCE: instanceDir } })
      if (manifest.archive && site.archive) {
        onStep('bringing the archive back')
        await restoreArchive(path.join(staging, ARCHIVE_FILE), site.archive.place)
      }
      return { manifest, site, movedTo }
    })
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function loadUnpacked(staging: string, env: Variables): Site {
  try {
    return loadSite(path.join(staging, SITE_FILE), {
      env: { ...env, GOLEM_INSTANCE: path.join(staging, INSTANCE) },
    })
  } catch (error) {
    throw new BackupError(
      `Nothing was changed: the site file in the backup can't be used here: ${messageOf(error)}`,
    )
  }
}

/** Where the archive of the restored site will be; '': it keeps none. */
function archivePlace({ archive, instanceDir: unpacked }: Site, instanceDir: string): string {
  const place = archive?.place ?? ''
  const inside = path.relative(unpacked, place)
  return archiveFiles(place).length === 0 || inside.startsWith('..') ? place : path.join(instanceDir, inside)
}

async function refuseRunning(redis: { site: string; redisUrl: string }): Promise<void> {
  const workers = await runningWorkers(redis)
  if (workers.length > 0) {
    throw new BackupError(
      `Nothing was changed: the site "${redis.site}" runs (${workers.join(', ')}). Stop golem first; a worker counts for 15 s after its end.`,
    )
  }
}

/** What is to be moved where: the site file, and each thing of the instance folder. */
function placesOf(staging: string, siteFile: string, instanceDir: string): { from: string; to: string }[] {
  const instance = path.join(staging, INSTANCE)
  const names = existsSync(instance) ? readdirSync(instance) : []
  return [
    { from: path.join(staging, SITE_FILE), to: siteFile },
    ...names.map((name) => ({ from: path.join(instance, name), to: path.join(instanceDir, name) })),
  ]
}

function moveAside(places: readonly string[], instanceDir: string): string | null {
  if (places.length === 0) return null
  const folder = path.join(instanceDir, `replaced-${isoTime(Date.now()).replaceAll(':', '-')}`)
  mkdirSync(folder)
  for (const place of places) move(place, path.join(folder, path.basename(place)))
  return folder
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    // To another file system.
    cpSync(from, to, { recursive: true })
    rmSync(from, { recursive: true })
  }
}

async function* linesOf(file: string): AsyncIterable<DumpLine> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line !== '') yield JSON.parse(line) as DumpLine
  }
}
