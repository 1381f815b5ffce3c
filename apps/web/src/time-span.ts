import { GolemError, isoTime } from '@golem/core'
import { clip } from './problem.ts'
import { timeOf } from './utc-time.ts'

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const RELATIVE = /^-(\d{1,13}(?:\.\d{1,3})?) ?(ms|s|min|h|d|w)$/

/**
 * The span that a query asks for, in ms since 1970.
 *
 * @param query - ISO 8601 UTC, or relative to now: `now`, `-6h`
 * @param now - the site's time
 * @throws INVALID_REQUEST
 */
export function spanOf(
  { from, to }: { from: string; to: string },
  now: number,
): { from: number; to: number } {
  const span = { from: momentOf(from, 'query.from', now), to: momentOf(to, 'query.to', now) }
  if (span.from >= span.to || span.from < 0) {
    throw new GolemError(
      'INVALID_REQUEST',
      `The span has to end after it begins: it would be from ${isoTime(span.from)} to ${isoTime(span.to)}.`,
      { field: 'query.from' },
    )
  }
  return span
}

/** @param field - where the text stands */
export function momentOf(text: string, field: string, now: number): number {
  if (text === 'now') return Math.round(now)
  const [, count, unit] = RELATIVE.exec(text) ?? []
  if (unit !== undefined) return Math.round(now - Number(count) * (UNITS[unit] ?? 0))
  if (text.startsWith('-')) {
    throw new GolemError(
      'INVALID_REQUEST',
      `"${clip(text)}" is no time before now. Write it like -6h or -90s, with ms, s, min, h, d or w.`,
      { field },
    )
  }
  return timeOf(text, field)
}
