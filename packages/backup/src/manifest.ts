import { isPostgresUrl } from '@golem/archive'
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

/** Of the file's inner form. */
export const FORMAT = 1
/** The first member of a backup. */
export const MANIFEST = 'golem-backup.json'
export const SITE_FILE = 'site.yaml'
export const REDIS_DUMP = 'redis.ndjson'
export const ARCHIVE_FILE = 'archive.sqlite'
/** Folder of what the site keeps beside its site file: models, recipes, drivers, calibrations, journals. */
export const INSTANCE = 'instance'

/** Something about a backup is not as it should be; the message says what, and what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

/** What a backup says of itself. */
export interface Manifest {
  format: number
  site: string
  title: string
  /** ISO 8601 UTC */
  createdAt: string
  host: string
  /** Version of golem. */
  version: string
  /** Keys in Redis; null: Redis was left out. */
  redisKeys: number | null
  /** Is there a copy of the archive? A site may keep none. */
  archive: boolean
  /** What was left out on purpose, as sentences. */
  leftOut: readonly string[]
  /** Every other member by its path. */
  files: Readonly<Record<string, { bytes: number; sha256: string }>>
}

/** Reads the manifest. @throws BackupError when it is none, or of a newer golem */
export function manifestFrom(text: string): Manifest {
  let manifest: Manifest
  try {
    manifest = JSON.parse(text) as Manifest
  } catch {
    throw new BackupError('This is no backup of golem, or its beginning is damaged.')
  }
  if (typeof manifest?.format !== 'number' || typeof manifest.files !== 'object') {
    throw new BackupError('This is no backup of golem, or its beginning is damaged.')
  }
  if (manifest.format > FORMAT) {
    throw new BackupError(
      `This backup was made by a newer golem (${manifest.version}): restore it with that one.`,
    )
  }
  return manifest
}

/** Size and digest of a file. */
export async function digestOf(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return { bytes: statSync(file).size, sha256: hash.digest('hex') }
}

/** The files of an SQLite archive. @param place - of the archive, or the URL of a server, which has none */
export function archiveFiles(place: string): string[] {
  return place === '' || isPostgresUrl(place) ? [] : [place, `${place}-wal`, `${place}-shm`]
}

/** The name of a backup in a folder of them. @param encrypted - with a passphrase */
export function backupName(site: string, at: Date, encrypted: boolean): string {
  const time = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')
  return `${site}-${time}.golem-backup${encrypted ? '.age' : ''}`
}

/** Paths of all files below a folder, with `/`, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort()
}
