import { loadSite } from '@golem/config'
import { messageOf } from '@golem/core'
import { text } from 'node:stream/consumers'
import { writeBackup } from './write-backup.ts'

/**
 * Writes one backup in a process of its own: copying an archive of gigabytes would hold up whatever else a process does.
 * What is to be done comes as JSON on standard input, so that no passphrase is seen in a list of processes.
 */
export interface BackupOrder {
  siteFile: string
  redisUrl: string
  file: string
  passphrase: string | null
  version: string
}

try {
  const { siteFile, ...order } = JSON.parse(await text(process.stdin)) as BackupOrder
  await writeBackup({ site: loadSite(siteFile), ...order })
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
