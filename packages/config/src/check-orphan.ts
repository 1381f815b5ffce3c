import type { Report } from './check-instrument.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { RawInstrument } from './site-schema.ts'
import type { InstrumentConfig } from './site.ts'

/** What a worker gives away of its lease for safety, as LeaseKeeper does. */
const LEASE_SHARE = 0.9
/** How often a lease is renewed: this share of it, or once a second; one late renewal is no reason to go safe. */
const BEATS = 3
/** What is needed to write the safe values before the lease is over: share of the lease, and at least so many ms. */
const WRITE_SHARE = 0.2
const WRITE_MS = 500

/**
 * Reads `onOrphaned` of all instruments. The worker goes safe by its own clock, before its lease is over: afterwards it
 * may send nothing, because another one may own the link.
 */
export function readOnOrphaned(
  raw: readonly (RawInstrument | undefined)[],
  instruments: readonly InstrumentConfig[],
  leaseMs: number,
  report: Report,
): void {
  const least = BEATS * Math.min(1_000, leaseMs / 5)
  const most = Math.floor(LEASE_SHARE * leaseMs - Math.max(WRITE_MS, WRITE_SHARE * leaseMs))
  for (const [index, one] of raw.entries()) {
    const instrument = instruments[index]
    if (!instrument || typeof one?.onOrphaned !== 'object' || one.onOrphaned.safeAfter === undefined) continue
    const ms = parseDuration(one.onOrphaned.safeAfter) ?? 0
    if (ms >= least && ms <= most) {
      instrument.orphanSafeAfterMs = ms
      continue
    }
    report(
      ['instruments', index, 'onOrphaned', 'safeAfter'],
      `With a lease of ${formatDuration(leaseMs)} its worker may send for ${formatDuration(LEASE_SHARE * leaseMs)} after it last heard from Redis, ` +
        `and it needs time to write: ${formatDuration(least)} to ${formatDuration(most)} can be kept. Change this, or "lease".`,
    )
  }
}
