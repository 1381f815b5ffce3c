import { type ReservationState, holderName } from '@golem/core'
import { CliError } from './exit-codes.ts'
import { spanInWords } from './format.ts'

/** Who has an instrument, in a few words for a table; empty: nobody. @param nowMs - the site's clock */
export function holderInWords(reservation: ReservationState | null, nowMs: number): string {
  const current = reservation?.current
  if (!current) return ''
  const left = `${holderName(current.holder)}, ${spanInWords(Date.parse(current.until) - nowMs)} left`
  const waiting = reservation.waiting.length
  return waiting === 0 ? left : `${left}; ${waiting} ${waiting === 1 ? 'waits' : 'wait'}`
}

/** All there is to the reservations of an instrument, one fact a line. @param nowMs - the site's clock */
export function reservationInWords(id: string, state: ReservationState, nowMs: number): string {
  const { current, waiting, bookings } = state
  const lines: string[] = []
  const forWhat = (note: string | undefined): string => (note === undefined ? '' : ` (${note})`)
  if (current) {
    const left = spanInWords(Date.parse(current.until) - nowMs)
    lines.push(
      `${id} is reserved by ${holderName(current.holder)} until ${localTime(current.until)}, ${left} left${forWhat(current.note)}.`,
    )
    if (current.sharedWith.length > 0) lines.push(`  shared with ${current.sharedWith.join(', ')}`)
    if (current.quietUntil !== undefined) lines.push(`  quiet until ${localTime(current.quietUntil)}`)
    if (current.idleSince !== undefined) lines.push(`  no command since ${localTime(current.idleSince)}`)
    lines.push(
      current.onExpiry === 'safe'
        ? '  if it is not given back, outputs go to their safe state at its end'
        : '  if it is not given back, outputs stay as they are at its end',
      `  number ${current.fence}`,
    )
  } else lines.push(`Nobody holds ${id}.`)
  for (const [n, { holder, forMs, note }] of waiting.entries()) {
    lines.push(`  ${n + 1}. in line: ${holderName(holder)}, for ${spanInWords(forMs)}${forWhat(note)}`)
  }
  for (const { id: booking, holder, from, until, note } of bookings) {
    lines.push(
      `  booking ${booking}: ${holderName(holder)}, ${localTime(from)} to ${localTime(until)}${forWhat(note)}`,
    )
  }
  return lines.join('\n')
}

/** A time on this computer's clock face, e.g. `2026-05-01 10:30`. @param time - ISO 8601 */
function localTime(time: string): string {
  const at = new Date(time)
  const two = (part: number): string => String(part).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/**
 * A time of the command line: `18:30` (the next one), `2026-05-01 18:30`, both by this computer's clock, or ISO 8601.
 *
 * @returns ISO 8601 UTC
 * @throws CliError usage
 */
export function timeOf(text: string, now = new Date()): string {
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (clock && Number(clock[1]) < 24 && Number(clock[2]) < 60) {
    const next = new Date(now)
    next.setHours(Number(clock[1]), Number(clock[2]), 0, 0)
    if (next <= now) next.setDate(next.getDate() + 1)
    return next.toISOString()
  }
  // Without a zone, a date with a time is taken by this computer's clock (ECMAScript, Date.parse).
  const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new CliError(
      'usage',
      `"${text}" is no time: write 18:30, "2026-05-01 18:30" or 2026-05-01T16:30:00Z.`,
    )
  }
  return new Date(ms).toISOString()
}
