import { holderName, type ReservationState, timeInWords } from '@golem/core'
import type { Plan } from './dry-run.ts'

/** Starts of a schedule that fall into the time of a plan, or are still under way then. */
export interface OtherRuns {
  schedule: string
  /** Instruments that its runs command. */
  commands: readonly string[]
  /** Of its runs, ms since 1970. */
  starts: readonly number[]
  /** How long one takes, in ms; null: longer than was looked at. */
  lastsMs: number | null
}

/**
 * Who else would have an instrument while a run wants it, as sentences.
 *
 * @param reservations - by instrument
 */
export function conflictsOf(
  { startsAt, endsAt, commands }: Pick<Plan, 'startsAt' | 'endsAt' | 'commands'>,
  reservations: Readonly<Record<string, ReservationState | null>>,
  others: readonly OtherRuns[],
): string[] {
  const from = Date.parse(startsAt)
  const until = endsAt === null ? Infinity : Date.parse(endsAt)
  const overlaps = (begin: number, end: number): boolean => begin < until && end > from
  const found = commands.flatMap((id) => {
    const { current, bookings = [] } = reservations[id] ?? {}
    const holders = [...(current ? [{ ...current, from: current.since }] : []), ...bookings]
    return holders
      .filter((one) => overlaps(Date.parse(one.from), Date.parse(one.until)))
      .map(
        ({ holder, from: begin, until: end }) =>
          `${id}: ${holderName(holder)} has it from ${timeInWords(begin)} to ${timeInWords(end)}.`,
      )
  })
  for (const { schedule, commands: theirs, starts, lastsMs } of others) {
    const shared = commands.filter((id) => theirs.includes(id))
    const hits = starts.filter((start) => overlaps(start, start + (lastsMs ?? Infinity)))
    const [first] = hits
    if (shared.length === 0 || first === undefined) continue
    const times = hits.length === 1 ? 'once' : `${hits.length} times`
    found.push(
      `${shared.join(', ')}: the schedule ${schedule} wants it ${times} in that time, first at ${timeInWords(new Date(first).toISOString())}.`,
    )
  }
  return found
}
