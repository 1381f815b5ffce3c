import { type Database, type TimelinePage, isLater, remembered, timeline } from '@golem/archive'
import {
  ENTRY_COMMANDS,
  type EventFilter,
  GolemError,
  type SiteEvent,
  type TimelineDocument,
  type TimelineEntry,
  type TimelinePlace,
  commandsOf,
  comparePlaces,
  formatPlace,
  isoTime,
  placeOf,
} from '@golem/core'
import { type WebContext, bounded, noAnswer } from './context.ts'

/** What of the timeline is asked for. Times in ms since 1970. */
export interface TimelineRequest {
  filter: EventFilter
  /** Inclusive. */
  from: number
  /** Exclusive. */
  to: number
  /** The nearest before or after this place; absent: the newest. */
  edge?: { side: 'before' | 'after'; place: TimelinePlace }
  limit: number
}

/** As many entries are asked of Redis at once. */
const PAGE = 1_000
/** More than Redis keeps: what is looked through while the archive is away or far behind. */
const MOST_RECENT = 60_000

/** Entries, and why there may be more than these. */
interface Recent {
  events: readonly SiteEvent[]
  note?: string
}

interface Archived {
  page: TimelinePage
  /** Id of the last event that the archive has; null: it has none, or is away. */
  upTo: string | null
  note?: string
}

/**
 * One page of the site's log: what is archived, and from Redis what is not yet. Either of them may be away: then it says
 * what may be missing.
 *
 * @throws QUEUE_DOWN when both are away
 */
export async function readTimeline(context: WebContext, request: TimelineRequest): Promise<TimelineDocument> {
  const archived = await archivedPage(context, request)
  const recent = await recentEvents(context, request, archived)
  const known = new Set(archived.page.entries.map(({ id }) => id))
  const fresh = recent.events.filter(
    (event) => !known.has(event.id) && isWithin(placeOf(event), request, archived),
  )
  const entries = [...archived.page.entries, ...fresh.map(freshEntry)].toSorted((a, b) =>
    comparePlaces(placeOf(a), placeOf(b)),
  )
  const { kept, isMore } = cut(entries, request)
  const notes = [archived.note, recent.note].filter((note) => note !== undefined)
  return {
    at: isoTime(context.client.view.now()),
    entries: await withCommands(context, kept),
    ...cursorsOf(kept, { request, archived, isMore }),
    ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
  }
}

async function archivedPage({ archive }: WebContext, request: TimelineRequest): Promise<Archived> {
  try {
    return await archive.use(async (database: Database) => {
      // First how far it goes: what comes in between is in the page and in Redis, and not in neither.
      const upTo = (await remembered(database, 'events')) ?? null
      return { upTo, page: await timeline(database, request) }
    })
  } catch (error) {
    if (!(error instanceof GolemError) || error.code !== 'ARCHIVE_DOWN') throw error
    const note = `${error.message} Only what Redis still has of the log is shown.`
    return { upTo: null, page: { entries: [], next: null }, note }
  }
}

/** What Redis has that the archive has not. */
async function recentEvents(
  context: WebContext,
  { filter, edge, to, limit }: TimelineRequest,
  { upTo, note }: Archived,
): Promise<Recent> {
  const { kinds, ...others } = filter
  const wanted = { ...others, ...(kinds === undefined ? {} : { kind: kinds.join(',') }) }
  try {
    // Without an archive the newest will do for the first page.
    if (upTo === null && edge === undefined && to > context.client.view.now()) {
      const { events } = await bounded(context.client.events({ ...wanted, limit: limit + 1 }), noAnswer)
      return { events }
    }
    const events: SiteEvent[] = []
    for (let since = upTo ?? '0-0'; events.length < MOST_RECENT;) {
      const page = await bounded(context.client.events({ ...wanted, since, limit: PAGE }), noAnswer)
      events.push(...page.events)
      if (page.cursor === '' || !isLater(page.cursor, since)) return { events }
      since = page.cursor
    }
    return { events, note: 'The archive is far behind: some of the newest entries are not shown yet.' }
  } catch (error) {
    // With neither there is nothing to show.
    if (!(error instanceof GolemError) || error.code !== 'QUEUE_DOWN' || note !== undefined) throw error
    return { events: [], note: `${error.message} What happened last may be missing.` }
  }
}

/** Is it in what is asked for, and not beyond where the search of the archive has ended? */
function isWithin(place: TimelinePlace, { from, to, edge }: TimelineRequest, { page }: Archived): boolean {
  if (place.t < from || place.t >= to) return false
  const isForward = edge?.side === 'after'
  if (edge && (isForward ? comparePlaces(place, edge.place) <= 0 : comparePlaces(place, edge.place) >= 0)) {
    return false
  }
  if (page.next === null) return true
  return isForward ? comparePlaces(place, page.next) <= 0 : comparePlaces(place, page.next) >= 0
}

function cut(
  entries: readonly TimelineEntry[],
  { limit, edge }: TimelineRequest,
): { kept: readonly TimelineEntry[]; isMore: boolean } {
  const kept = edge?.side === 'after' ? entries.slice(0, limit) : entries.slice(-limit)
  return { kept, isMore: kept.length < entries.length }
}

function cursorsOf(
  kept: readonly TimelineEntry[],
  { request, archived, isMore }: { request: TimelineRequest; archived: Archived; isMore: boolean },
): { before: string | null; after: string | null } {
  const { edge } = request
  const [first, last] = [kept[0], kept.at(-1)]
  const place = (entry: TimelineEntry | undefined): string | null =>
    entry === undefined ? null : formatPlace(placeOf(entry))
  // Without an archive nobody knows whether there is more, until there is nothing.
  const goesOn =
    isMore || archived.page.next !== null || (archived.upTo === null && kept.length >= request.limit)
  const onward = isMore || archived.page.next === null ? null : formatPlace(archived.page.next)
  if (edge?.side === 'after') {
    return {
      before: place(first) ?? formatPlace(edge.place),
      after: onward ?? place(last) ?? formatPlace(edge.place),
    }
  }
  return {
    before: goesOn ? (onward ?? place(first)) : null,
    after: place(last) ?? (edge ? formatPlace(edge.place) : null),
  }
}

function freshEntry(event: SiteEvent): TimelineEntry {
  return { ...event, when: isoTime(placeOf(event).t) }
}

/** Records of commands that the archive has not; when Redis is away by now, without them. */
async function withCommands(
  { client }: WebContext,
  entries: readonly TimelineEntry[],
): Promise<TimelineEntry[]> {
  const idsOf = (entry: TimelineEntry): string[] => commandsOf(entry).slice(0, ENTRY_COMMANDS)
  const missing = entries.filter(({ commands }) => commands === undefined).flatMap(idsOf)
  if (missing.length === 0) return [...entries]
  const found = await bounded(client.commands([...new Set(missing)]), noAnswer).catch((error: unknown) => {
    if (error instanceof GolemError && error.code === 'QUEUE_DOWN') return []
    throw error
  })
  const records = new Map(found.map((record) => [record.id, record]))
  return entries.map((entry) => {
    const own = entry.commands ?? idsOf(entry).flatMap((id) => records.get(id) ?? [])
    return own.length === 0 ? entry : { ...entry, commands: own }
  })
}
