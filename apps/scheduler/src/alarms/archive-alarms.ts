import { secondsInWords } from '@golem/alarms'
import type { Site } from '@golem/config'
import type { ArchiverRecord, BackupState, Severity } from '@golem/core'
import type { SiteView } from '@golem/queue'
import type { Definition } from './definition.ts'

/** An archiver that nobody has heard of is missed after this time, in ms; one that begins anew is none yet. */
const AWAY_MS = 60_000
/** From this part of what may wait in Redis on somebody is called. */
const MUCH = 0.5
/** A disk that is full in fewer days is told of. */
const FEW_DAYS = 7
/** So is one with less room than this, in bytes. */
const LITTLE_BYTES = 200e6
/** Backups are made every day: one that is older is one that was not made, in ms. */
const BACKUP_AGE_MS = 30 * 3_600_000

const ALARMS: Readonly<Record<string, { severity: Severity; guidance: string; delayMs?: number }>> = {
  archiver: {
    severity: 'warning',
    guidance:
      'Readings wait in Redis until one is there. Look at its log, and start it: golem start-archive.',
  },
  'archiver.backlog': {
    severity: 'critical',
    guidance: 'When it is full the oldest readings are lost. Start an archiver, or see what holds it up.',
  },
  'archiver.disk': {
    severity: 'critical',
    guidance: 'Make room on the disk of the archive, or keep less: "archive: keep" in site.yaml.',
  },
  'archiver.database': {
    severity: 'critical',
    guidance: 'Look at the log of the archiver and at its file or database.',
    delayMs: 10_000,
  },
  'archiver.slow': {
    severity: 'warning',
    guidance: 'See what else uses the disk of the archive, or put the archive on a faster one.',
    delayMs: 10_000,
  },
  'archiver.backup': {
    severity: 'warning',
    guidance:
      'See that the folder of the backups is there and has room: "backup" in site.yaml. By hand: golem backup.',
  },
}

/** What an alarm of the archive is; undefined: it is none of these. */
export function archiveAlarm(id: string): Definition | undefined {
  const found = ALARMS[id]
  return (
    found && {
      id,
      severity: found.severity,
      guidance: found.guidance,
      manner: { delayMs: found.delayMs ?? 0, offDelayMs: 0, latch: false },
      inhibitDuring: [],
    }
  )
}

/**
 * Which alarms of the archive are in force.
 *
 * @param lookedForMs - for how long somebody has looked
 */
export function archiveAlarms(
  { archive, backup, leaseMs }: Site,
  view: SiteView,
  lookedForMs: number,
): [Definition, { so: boolean; message: string }][] {
  const records = [...view.archivers.values()]
  const silentMs = ({ lastSeen }: ArchiverRecord): number => view.now() - Date.parse(lastSeen)
  const newest = records.toSorted((a, b) => silentMs(a) - silentMs(b))[0]
  const writer = records.find((one) => one.writes && silentMs(one) <= leaseMs)
  const awayMs = newest ? silentMs(newest) : lookedForMs
  const { trouble } = writer ?? {}
  const found: Record<string, string | null> = {
    archiver:
      archive && awayMs > Math.max(AWAY_MS, leaseMs)
        ? `No archiver has been heard of for ${secondsInWords(awayMs)}: what is read waits in Redis.`
        : null,
    'archiver.backlog':
      archive && view.samplesWaiting > MUCH * archive.stream
        ? `${view.samplesWaiting} entries of at most ${archive.stream} wait for the archiver.`
        : null,
    'archiver.disk': writer ? diskWords(writer) : null,
    'archiver.database': trouble?.kind === 'down' ? trouble.message : null,
    'archiver.slow': trouble?.kind === 'slow' ? trouble.message : null,
    'archiver.backup': backup && writer?.backup ? backupWords(writer.backup, view.now()) : null,
  }
  return Object.entries(found).flatMap(([id, message]) => {
    const definition = archiveAlarm(id)
    return definition ? [[definition, { so: message !== null, message: message ?? '' }]] : []
  })
}

function backupWords({ lastAt, trouble }: BackupState, now: number): string | null {
  if (trouble !== undefined) return `The last backup failed: ${trouble}`
  const ageMs = lastAt === null ? 0 : now - Date.parse(lastAt)
  return ageMs > BACKUP_AGE_MS ? `The newest backup was made ${secondsInWords(ageMs)} ago.` : null
}

function diskWords({ trouble, daysLeft, freeBytes, sizeBytes }: ArchiverRecord): string | null {
  if (trouble?.kind === 'full') return trouble.message
  if (freeBytes === null || sizeBytes === null) return null
  const isLittle = freeBytes < LITTLE_BYTES
  const isSoon = daysLeft !== null && daysLeft < FEW_DAYS
  if (!isLittle && !isSoon) return null
  const soon = isSoon ? ` It is full in ${daysLeft} days.` : ''
  return `The disk of the archive has ${Math.round(freeBytes / 1e6)} MB left.${soon}`
}
