import { isEntitled, type ReservationRecord } from '@golem/core'
import type { LogRecord } from '@golem/logs'
import type { SiteView } from '@golem/queue'

/** What a record belongs to. */
export interface Ties {
  instrument?: string
  run?: string
}

type View = Pick<SiteView, 'reservations' | 'runs'>

/**
 * Ties a record to the run or reservation that it names, else to what its sender holds or has started, if that is one.
 *
 * @param by - the sender as the ledger has it; undefined: it has no name of its own
 */
export function tiesOf(record: LogRecord, by: string | undefined, view: View): Ties {
  const run = record.run !== undefined && view.runs.has(record.run) ? record.run : undefined
  const named = record.reservation === undefined ? [] : numbered(record.reservation, by, view)
  const held = named.length > 0 || by === undefined ? named : current(view).filter((one) => isHeldBy(one, by))
  const instrument = held.length === 1 ? held[0]?.instrument : undefined
  const holder = held[0]?.holder
  const tied = run ?? (holder?.kind === 'run' ? holder.name : undefined) ?? startedBy(by, view)
  return {
    ...(instrument === undefined ? {} : { instrument }),
    ...(tied === undefined ? {} : { run: tied }),
  }
}

function current({ reservations }: View): ReservationRecord[] {
  return [...reservations.values()].flatMap(({ current: one }) => one ?? [])
}

/** Each instrument counts its reservations by itself: of several with this number the sender's own is meant. */
function numbered(fence: number, by: string | undefined, view: View): ReservationRecord[] {
  const found = current(view).filter((one) => one.fence === fence)
  const own = by === undefined ? [] : found.filter((one) => isEntitled(one, by))
  return own.length > 0 ? own : found
}

function isHeldBy({ holder }: ReservationRecord, by: string): boolean {
  return holder.kind === 'person' && holder.name === by
}

/** The one run of theirs that has not ended. */
function startedBy(by: string | undefined, { runs }: View): string | undefined {
  if (by === undefined) return undefined
  const own = [...runs.values()].filter((run) => run.by === by && run.endedAt === undefined)
  return own.length === 1 ? own[0]?.id : undefined
}
