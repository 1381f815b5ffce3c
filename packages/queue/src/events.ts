import { type EventDetails, type SiteEvent, isoTime } from '@golem/core'
import type { Connection } from './connection.ts'
import type { Keys } from './keys.ts'

/** How many entries of the stream are read at a time. */
const BATCH = 500

export interface EventQuery {
  /** Id of an event: those after it, oldest first; without it the newest ones. */
  since?: string
  limit: number
  instrument?: string
  kind?: string
}

/** Reads the site's log. @param ask - puts a question to Redis, or throws QUEUE_DOWN */
export async function readEvents(
  ask: <T>(question: (redis: Connection) => Promise<T>) => Promise<T>,
  keys: Keys,
  { since, limit, instrument, kind }: EventQuery,
): Promise<SiteEvent[]> {
  const wanted = (event: SiteEvent): boolean =>
    (instrument === undefined || event.instrument === instrument) &&
    (kind === undefined || event.kind === kind)
  const found: SiteEvent[] = []
  let edge = since === undefined ? '+' : `(${since}`
  while (found.length < limit) {
    const batch = await ask((redis) =>
      since === undefined
        ? redis.xrevrange(keys.events, edge, '-', 'COUNT', BATCH)
        : redis.xrange(keys.events, edge, '+', 'COUNT', BATCH),
    )
    if (batch.length === 0) break
    found.push(...batch.map(eventFrom).filter(wanted))
    edge = `(${batch[batch.length - 1]?.[0] ?? ''}`
  }
  const page = found.slice(0, limit)
  return since === undefined ? page.toReversed() : page
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
