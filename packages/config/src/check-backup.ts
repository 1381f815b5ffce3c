import { resolve } from 'node:path'
import { KEEP } from './backup-schema.ts'
import type { Report } from './check-instrument.ts'
import { readSecretFile } from './secret.ts'
import type { RawSite } from './site-schema.ts'
import type { BackupConfig } from './site.ts'

/** Reads `backup` of a site. @returns null: there are none by themselves */
export function readBackup(
  { backup, archive }: RawSite,
  instanceDir: string,
  report: Report,
): BackupConfig | null {
  if (!backup) return null
  if (archive === false) {
    report(
      ['backup'],
      'Backups are made by the archiver, and "archive: false" says that there is none. Use a timer and `golem backup`.',
    )
  }
  // A missing time is told by the schema.
  const { at = '00:00', to = 'backups', keep, passphraseFile, afterwards } = backup
  if (passphraseFile !== undefined) {
    const read = readSecretFile(passphraseFile, instanceDir)
    if ('fault' in read) report(['backup', 'passphraseFile'], read.fault)
  }
  const [hours = 0, minutes = 0] = at.split(':').map(Number)
  return {
    atMinutes: hours * 60 + minutes,
    folder: resolve(instanceDir, to),
    keep: { ...KEEP, ...keep },
    passphraseFile: passphraseFile === undefined ? null : resolve(instanceDir, passphraseFile),
    afterwards: afterwards ?? null,
  }
}
