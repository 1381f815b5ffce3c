import { type EventDetails, type EventFilter, type SiteEvent, isoTime, passes } from '@golem/core'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'

/** How many entries of the stream are read at a time. */
const BATCH = 500
/** How many are looked through for a text before an answer is given. */
const MAX_SEARCHED = 10_000

/** As a filter has it; for a text only the nearest 10,000 entries are looked through. */
export interface EventQuery extends Omit<EventFilter, 'kinds'> {
  /** Id of an event: those after it, oldest first; without it the newest ones. */
  since?: string
  limit: number
  /** One kind, or several with commas between. */
  kind?: string
}

export interface EventPage {
  events: SiteEvent[]
  /** Id of the last entry that was looked at, whether it was wanted or not; '' when there was none. */
  cursor: string
}

/** One line of somebody's log, as it is written into the site's. */
export interface LogLine {
  /** When it was received, ms since 1970. */
  at: number
  by: string
  message: string
  instrument?: string
  details: EventDetails
}

/** An entry of the site's log that is to be written; Redis gives it its id and its time. */
export interface NewEvent extends EventDetails {
  kind: string
  instrument?: string
  by?: string
  message: string
}

/** The arguments of `golemEvent`. */
export function eventArguments({ kind, instrument = '', by = '', message, ...details }: NewEvent): string[] {
  return [kind, instrument, by, message, detailsToJson(details)]
}

/** The arguments of `golemLog` for some lines. */
export function logArguments(lines: readonly LogLine[]): (string | number)[] {
  return lines.flatMap(({ at, instrument = '', by, message, details }) => [
    Math.round(at),
    instrument,
    by,
    message,
    detailsToJson(details),
  ])
}

/** Reads the site's log. @param ask - puts a question to Redis, or throws QUEUE_DOWN */
export async function readEvents(
  ask: <T>(question: (redis: Connection) => Promise<T>) => Promise<T>,
  keys: Keys,
  query: EventQuery,
): Promise<EventPage> {
  const { since, limit } = query
  const wanted = wantedBy(query)
  const found: SiteEvent[] = []
  let cursor = ''
  let edge = since === undefined ? '+' : `(${since}`
  for (let seen = 0; found.length < limit && (query.text === undefined || seen < MAX_SEARCHED);) {
    const batch = await ask((redis) =>
      since === undefined
        ? redis.xrevrange(keys.events, edge, '-', 'COUNT', BATCH)
        : redis.xrange(keys.events, edge, '+', 'COUNT', BATCH),
    )
    const last = batch[batch.length - 1]?.[0]
    if (last === undefined) break
    if (since !== undefined || cursor === '') cursor = since === undefined ? (batch[0]?.[0] ?? '') : last
    found.push(...batch.map(eventFrom).filter(wanted))
    seen += batch.length
    edge = `(${last}`
  }
  const events = found.slice(0, limit)
  if (since === undefined) return { events: events.toReversed(), cursor }
  // Where some of the last batch did not fit, the next page begins behind the last that did.
  const more = found.length > limit
  return { events, cursor: more ? (events[events.length - 1]?.id ?? '') : cursor || since }
}

function wantedBy({ kind, ...more }: EventQuery): (event: SiteEvent) => boolean {
  const filter = { ...more, ...(kind === undefined ? {} : { kinds: kind.split(',') }) }
  return (event) => passes(event, filter)
}

/** One entry as Redis gives it. */
export function eventFrom([id, flat]: [string, string[]]): SiteEvent {
  const fields: Record<string, string> = {}
  for (let n = 0; n + 1 < flat.length; n += 2) fields[flat[n] ?? ''] = flat[n + 1] ?? ''
  return {
    id,
    at: isoTime(Number(fields['at'])),
    kind: fields['kind'] ?? '',
    ...(fields['instrument'] ? { instrument: fields['instrument'] } : {}),
    ...(fields['by'] ? { by: fields['by'] } : {}),
    message: fields['message'] ?? '',
    ...(fields['details'] ? (JSON.parse(fields['details']) as EventDetails) : {}),
  }
}

/** The details of an event as the scripts take them: JSON, or '' when there are none. */
export function detailsToJson({ level, command, run, stage, data }: EventDetails): string {
  const json = JSON.stringify({ level, command, run, stage, data })
  return json === '{}' ? '' : json
}
