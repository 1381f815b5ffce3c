import type { CommandRecord } from './command.ts'
import { LOG_LEVELS, type LogLevel, type SiteEvent } from './state.ts'

/** Which entries of the site's log are wanted; what is absent takes all. */
export interface EventFilter {
  kinds?: readonly string[]
  /** Those of this level or a more serious one; what has none counts as info. */
  level?: LogLevel
  instrument?: string
  run?: string
  /** Part of the name of who did it, in whatever case. */
  by?: string
  /** Part of the message, of who did it, or of what else is told, in whatever case. */
  text?: string
}

/** Something that happened, where it belongs in time, with what became of the commands it tells of. */
export interface TimelineEntry extends SiteEvent {
  /** Where it belongs, ISO 8601 UTC: of a note the begin of what it is about, of all else `at`. */
  when: string
  /** The commands that it tells of, as they are now; of many the first. */
  commands?: readonly CommandRecord[]
}

/** The answer of `GET /api/timeline`. */
export interface TimelineDocument {
  /** When this was answered, ISO 8601 UTC, by the site's clock. */
  at: string
  /** Oldest first. */
  entries: readonly TimelineEntry[]
  /** `before` of the next question for what came earlier; null: there is nothing. */
  before: string | null
  /** `after` of the next question for what comes later; null: there was nothing at all. */
  after: string | null
  /** Why entries may be missing, as a sentence, e.g. because the archive is away; absent: none are. */
  note?: string
}

/** A place in the timeline: a time in ms since 1970, and of entries of the same time the id. */
export interface TimelinePlace {
  t: number
  id: string
}

/** More commands than that are not told of one entry. */
export const ENTRY_COMMANDS = 50

/** Where an entry of the log belongs. */
export function placeOf(event: SiteEvent): TimelinePlace {
  const from = event.kind === 'note' ? event.data?.['from'] : undefined
  return { t: Date.parse(typeof from === 'string' ? from : event.at), id: event.id }
}

/** < 0: a is earlier. Ids are numbers with a dash: of the same time, the longer one is the later one. */
export function comparePlaces(a: TimelinePlace, b: TimelinePlace): number {
  if (a.t !== b.t) return a.t - b.t
  if (a.id.length !== b.id.length) return a.id.length - b.id.length
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** A place as a cursor: its time and its id. */
export function formatPlace({ t, id }: TimelinePlace): string {
  return `${t}_${id}`
}

/** @returns undefined when it is no place */
export function parsePlace(text: string): TimelinePlace | undefined {
  const [, t, id] = /^(\d{1,16})_(\d{1,16}-\d{1,20})$/.exec(text) ?? []
  return t === undefined || id === undefined ? undefined : { t: Number(t), id }
}

/** Ids of the commands that an entry tells of. */
export function commandsOf({ command, data }: SiteEvent): string[] {
  const more = data?.['commands']
  const gathered = Array.isArray(more) ? more.filter((id) => typeof id === 'string') : []
  return [...new Set([...(command === undefined ? [] : [command]), ...gathered])]
}

/** The levels that a filter takes. */
export function levelsFrom(least: LogLevel): LogLevel[] {
  return LOG_LEVELS.slice(LOG_LEVELS.indexOf(least))
}

/** Is an entry wanted? */
export function passes(event: SiteEvent, filter: EventFilter): boolean {
  const { kinds, level, instrument, run, by, text } = filter
  return (
    (kinds === undefined || kinds.includes(event.kind)) &&
    (instrument === undefined || event.instrument === instrument) &&
    (run === undefined || event.run === run) &&
    (level === undefined || levelsFrom(level).includes(event.level ?? 'info')) &&
    (by === undefined || hasText(event.by ?? '', by)) &&
    (text === undefined || isFound(text, event))
  )
}

function hasText(where: string, what: string): boolean {
  return where.toLowerCase().includes(what.toLowerCase())
}

/** In JSON some signs are written otherwise. */
function isFound(text: string, { message, by = '', data }: SiteEvent): boolean {
  if (hasText(message, text) || hasText(by, text)) return true
  return data !== undefined && hasText(JSON.stringify(data), JSON.stringify(text).slice(1, -1))
}
