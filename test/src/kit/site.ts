import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** An instrument as site.yaml has it. */
export interface InstrumentEntry {
  id: string
  model: string
  address: string
  label?: string
  group?: string
  host?: string
  pollEvery?: string
  onStop?: 'hold' | 'safe'
  onOrphaned?: 'hold' | { safeAfter: string }
  onPowerReturn?: 'hold' | 'safe' | 'restore' | 'ask'
  options?: Record<string, unknown>
  auth?: Record<string, string>
  gateway?: Record<string, unknown>
  parameters?: Record<string, Record<string, unknown>>
  actions?: Record<string, Record<string, unknown>>
}

/** What of a site file tests care for; other keys of site.yaml go into `more`. */
export interface SiteEntries {
  /** Name in Redis (default `test`). */
  site?: string
  redisUrl?: string
  /** default 2000 */
  leaseMs?: number
  instruments: readonly InstrumentEntry[]
  more?: Record<string, unknown>
}

/**
 * Writes a site file. JSON is YAML too, so nothing has to be quoted by hand.
 *
 * @returns its path
 */
export function writeSite(
  dir: string,
  { site = 'test', redisUrl, leaseMs = 2_000, instruments, more = {} }: SiteEntries,
): string {
  const file = join(dir, 'site.yaml')
  const redis = redisUrl === undefined ? {} : { redis: redisUrl }
  const content = { site, ...redis, lease: `${leaseMs} ms`, instruments, ...more }
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
  return file
}
