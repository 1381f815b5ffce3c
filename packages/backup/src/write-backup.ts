import { snapshotArchive } from '@golem/archive'
import type { Site } from '@golem/config'
import { isoTime } from '@golem/core'
import { type DumpLine, dumpSite } from '@golem/queue'
import {
  createWriteStream,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { copyFile, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { create } from 'tar'
import { encrypted } from './encryption.ts'
import {
  ARCHIVE_FILE,
  archiveFiles,
  BackupError,
  FORMAT,
  INSTANCE,
  MANIFEST,
  type Manifest,
  REDIS_DUMP,
  SITE_FILE,
  digestOf,
  filesBelow,
} from './manifest.ts'
import { checkBackup } from './read-backup.ts'

/** Below the instance folder: what is copied in another way, belongs to running processes, or can be installed anew. */
const NOT_COPIED = new Set(['redis', 'run', 'backups', 'node_modules'])
/** Left behind by restores. */
const LEFT_BEHIND = /^(replaced-|\.restore-|\.backup-)/
const SECRETS = 'secrets'

export interface BackupOptions {
  site: Site
  redisUrl: string
  /** Path of the file; it must not exist, its folder is made. */
  file: string
  /** null: not encrypted, and the folder `secrets` is left out. */
  passphrase: string | null
  /** Version of golem. */
  version: string
  /** Told what is being done. */
  onStep?: (step: string) => void
}

/**
 * Writes everything of a site into one file while it runs, then reads it again and checks it. Redis is read before the
 * archive, so that the archive knows at least what Redis says it has taken.
 *
 * @throws BackupError when the file exists, or what was written can't be read; GolemError when Redis or the archive are away
 */
export async function writeBackup(options: BackupOptions): Promise<{ bytes: number; manifest: Manifest }> {
  const { site, redisUrl, file, passphrase, version, onStep = () => undefined } = options
  if (existsSync(file)) throw new BackupError(`${file} is there already; it is not overwritten.`)
  mkdirSync(path.dirname(file), { recursive: true })
  const staging = mkdtempSync(path.join(path.dirname(file), '.backup-'))
  const part = path.join(staging, 'part')
  try {
    const folder = path.join(staging, 'content')
    mkdirSync(folder)
    onStep('reading Redis')
    const redisKeys = await writeDump({ site: site.name, redisUrl }, path.join(folder, REDIS_DUMP))
    onStep('copying the archive')
    const archive = site.archive !== null
    if (site.archive) await snapshotArchive(site.archive.place, path.join(folder, ARCHIVE_FILE))
    onStep('copying the configuration')
    await copyFile(site.file, path.join(folder, SITE_FILE))
    const leftOut = copyInstance(site, path.join(folder, INSTANCE), passphrase !== null)
    const manifest: Manifest = {
      format: FORMAT,
      site: site.name,
      title: site.title,
      createdAt: isoTime(Date.now()),
      host: hostname(),
      version,
      redisKeys,
      archive,
      leftOut,
      files: {},
    }
    const files: Record<string, { bytes: number; sha256: string }> = {}
    for (const name of filesBelow(folder)) files[name] = await digestOf(path.join(folder, name))
    const whole = { ...manifest, files }
    writeFileSync(path.join(folder, MANIFEST), JSON.stringify(whole, null, 2))
    onStep('writing the file')
    await pack(folder, [MANIFEST, ...Object.keys(files)], part, passphrase)
    onStep('checking the file')
    await checkBackup(part, passphrase)
    renameSync(part, file)
    return { bytes: statSync(file).size, manifest: whole }
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** @returns how many keys there are */
async function writeDump(from: { site: string; redisUrl: string }, file: string): Promise<number> {
  const keys = new Set<string>()
  const out = createWriteStream(file)
  const failed = finished(out)
  await dumpSite(from, async (line: DumpLine) => {
    keys.add(line.key)
    if (!out.write(`${JSON.stringify(line)}\n`)) {
      await Promise.race([new Promise<void>((resolve) => out.once('drain', resolve)), failed])
    }
  })
  out.end()
  await failed
  return keys.size
}

/** @returns what was left out, as sentences */
function copyInstance(
  { file, instanceDir, archive, backup }: Site,
  to: string,
  withSecrets: boolean,
): string[] {
  const elsewhere = [file, backup?.folder ?? '', ...archiveFiles(archive?.place ?? '')]
  const isLeftOut = (from: string): boolean => {
    const top = path.relative(instanceDir, from).split(path.sep)[0] ?? ''
    if (top === SECRETS && !withSecrets) return true
    return NOT_COPIED.has(top) || LEFT_BEHIND.test(path.basename(from)) || elsewhere.includes(from)
  }
  copyTree(instanceDir, to, isLeftOut)
  return existsSync(path.join(instanceDir, SECRETS)) && !withSecrets
    ? ['The folder secrets is left out, because the backup is not encrypted.']
    : []
}

/** Files and folders, and nothing else (sockets, links to devices). The target may lie within what is left out. */
function copyTree(from: string, to: string, isLeftOut: (from: string) => boolean): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    const source = path.join(from, name)
    if (isLeftOut(source)) continue
    const kind = statSync(source, { throwIfNoEntry: false })
    if (kind?.isDirectory()) copyTree(source, path.join(to, name), isLeftOut)
    else if (kind?.isFile()) copyFileSync(source, path.join(to, name))
  }
}

async function pack(
  folder: string,
  members: string[],
  file: string,
  passphrase: string | null,
): Promise<void> {
  const tar = new PassThrough()
  // Errors of the tar stream have to reach the pipeline.
  const packing = pipeline(create({ cwd: folder, gzip: true, portable: true }, members), tar)
  const content = passphrase === null ? tar : await encrypted(tar, passphrase)
  await Promise.all([packing, pipeline(content, createWriteStream(file, { mode: 0o600 }))])
  // On the disk before it gets its name: a backup that a power failure cuts short must not look like one.
  const handle = await open(file, 'r')
  await handle.sync()
  await handle.close()
}
