import { GolemError } from '@golem/core'
import { clip } from './problem.ts'

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/**
 * A time of a request, in ms since 1970.
 *
 * @param field - where it stands
 * @throws INVALID_REQUEST
 */
export function timeOf(text: string, field: string): number {
  const ms = ISO_UTC.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new GolemError(
      'INVALID_REQUEST',
      `"${clip(text)}" is no time in UTC. Write it like 2026-05-01T08:30:00Z, with or without a fraction of the second.`,
      { field },
    )
  }
  return ms
}
