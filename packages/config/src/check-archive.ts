import { join, resolve } from 'node:path'
import { KEEP_PATTERN, type RawArchiveRule } from './archive-schema.ts'
import { type Report, readDuration } from './check-instrument.ts'
import type { RawSite } from './site-schema.ts'
import { type ArchiveConfig, type ArchiveKeep, type ArchiveRule, DEFAULT_ARCHIVE_RULE } from './site.ts'

const DEFAULT_STREAM = 500_000
const HEARTBEAT_MIN_MS = 1_000
const HEARTBEAT_MAX_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000
/** Of the units of `keep`, in ms. A year has 365.25 days. */
const KEEP_UNITS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
  y: 365.25 * 24 * HOUR_MS,
}
const LEVELS = ['raw', 'minute', 'hour', 'events'] as const

/**
 * Reads `archive` of a site.
 *
 * @param place - from the environment, instead of what the file says
 * @returns null: nothing is archived
 */
export function readArchive(
  { archive, site = '' }: RawSite,
  instanceDir: string,
  place: string | null,
  report: Report,
): ArchiveConfig | null {
  if (archive === false) return null
  const named = archive?.place
  if (named !== undefined && /^postgres(ql)?:\/\/[^/]*:[^/]*@/.test(named)) {
    report(
      ['archive', 'place'],
      'Passwords do not belong into the site file, which gets copied and mailed. Give the whole address in the environment, as GOLEM_ARCHIVE.',
    )
  }
  const keep = Object.fromEntries(
    LEVELS.map((level) => [level, keepMs(archive?.keep?.[level] ?? 'forever')]),
  ) as unknown as ArchiveKeep
  return {
    place: absolute(place ?? named ?? join('archive', `${site}.sqlite`), instanceDir),
    stream: archive?.stream ?? DEFAULT_STREAM,
    keep,
  }
}

/** Reads `archive` of a parameter. */
export function readArchiveRule(
  raw: false | RawArchiveRule,
  path: Parameters<Report>[0],
  report: Report,
): false | ArchiveRule {
  if (raw === false) return false
  const { deadband, heartbeat } = raw
  return {
    deadband: deadband ?? DEFAULT_ARCHIVE_RULE.deadband,
    heartbeatMs:
      (heartbeat === undefined
        ? undefined
        : readDuration(heartbeat, [HEARTBEAT_MIN_MS, HEARTBEAT_MAX_MS], [...path, 'heartbeat'], report)) ??
      DEFAULT_ARCHIVE_RULE.heartbeatMs,
  }
}

function absolute(place: string, instanceDir: string): string {
  return /^postgres(ql)?:\/\//.test(place) ? place : resolve(instanceDir, place)
}

/** @returns null: for ever, also for a text that the schema has found fault with */
function keepMs(text: string): number | null {
  const [, , amount, unit = ''] = new RegExp(KEEP_PATTERN).exec(text) ?? []
  return amount === undefined ? null : Math.round(Number(amount) * (KEEP_UNITS[unit] ?? 0))
}
