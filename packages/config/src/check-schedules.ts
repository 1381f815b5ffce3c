import type { Value } from '@golem/core'
import { readDuration, type Report } from './check-instrument.ts'
import { didYouMean } from './did-you-mean.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { clip } from './in-words.ts'
import { type MISSED, type ON_OVERLAP, type RawSchedule, type RawWhen, WEEKDAYS } from './schedule-schema.ts'
import type { Path } from './yaml-source.ts'

/** When a schedule starts. */
export type When =
  /** Counted in UTC from the top of each hour; whole hours from midnight. */
  | { kind: 'every'; everyMs: number; offsetMs: number }
  /** Times of the day as `HH:MM:SS` in a time zone, on certain days or, without, on all. */
  | { kind: 'at'; times: readonly string[]; zone: string; days: readonly DayPattern[] }
  /** Moments as `YYYY-MM-DDTHH:MM:SS`: with `Z` or an offset, or else in the zone. */
  | { kind: 'once'; moments: readonly string[]; zone: string }

/** Which days: whatever is absent may be anything. `weekday`: 1 is Monday, 7 Sunday. */
export interface DayPattern {
  weekday?: number
  year?: number
  month?: number
  day?: number
}

/** When runs of a recipe start by themselves. */
export interface ScheduleConfig {
  id: string
  label: string
  recipe: string
  parameters: Readonly<Record<string, Value>>
  /** By the roles of the recipe, in place of those it names itself. */
  instruments: Readonly<Record<string, string>>
  when: When
  missed: (typeof MISSED)[number]
  /** How late a start may be before it counts as missed. */
  withinMs: number
  onOverlap: (typeof ON_OVERLAP)[number]
  /** At first: people switch it on and off. */
  enabled: boolean
  /** Where it stands in the site file, each from 1. */
  place: { line: number; column: number }
}

const HOUR_MS = 3_600_000
const EVERY_BOUNDS = [1_000, 24 * HOUR_MS] as const
const OFFSET_BOUNDS = [0, HOUR_MS] as const
const WITHIN_BOUNDS = [1_000, 24 * HOUR_MS] as const
const DEFAULT_WITHIN_MS = 60_000
const WAYS = ['every', 'at', 'once'] as const

/** What reading schedules needs to know. */
interface Surroundings {
  /** Ids of the site's instruments. */
  instruments: readonly string[]
  report: Report
  locate: (path: Path) => ScheduleConfig['place']
}

/** Reads the list of schedules. What is faulty is reported, and stands in the result with placeholders. */
export function readSchedules(
  raw: readonly (RawSchedule | undefined)[],
  { instruments, report, locate }: Surroundings,
): ScheduleConfig[] {
  const places = new Map<string, number>()
  return raw.map((given, index) => {
    const one = given ?? {}
    const path: Path = ['schedules', index]
    const id = one.id ?? ''
    const first = places.get(id)
    if (id !== '' && first !== undefined) {
      report([...path, 'id'], `schedules[${first}] has the id "${id}" already. Give each its own.`)
    } else places.set(id, index)
    for (const [role, instrument] of Object.entries(one.instruments ?? {})) {
      if (instruments.includes(instrument)) continue
      const hint = didYouMean(instrument, instruments)
      report([...path, 'instruments', role], `There is no instrument "${clip(instrument)}".${hint}`)
    }
    return {
      id,
      label: one.label ?? id,
      recipe: one.recipe ?? '',
      parameters: one.parameters ?? {},
      instruments: one.instruments ?? {},
      when: readWhen(one.when ?? {}, [...path, 'when'], report),
      missed: one.missed ?? 'skip',
      withinMs:
        one.within === undefined
          ? DEFAULT_WITHIN_MS
          : (readDuration(one.within, WITHIN_BOUNDS, [...path, 'within'], report) ?? DEFAULT_WITHIN_MS),
      onOverlap: one.onOverlap ?? 'skip',
      enabled: one.enabled ?? true,
      place: locate(path),
    }
  })
}

const NEVER: When = { kind: 'once', moments: [], zone: 'UTC' }

function readWhen(raw: RawWhen, path: Path, report: Report): When {
  const ways = WAYS.filter((way) => raw[way] !== undefined)
  const way = ways[0]
  // Without any the schema has said so, or what was wrong with the one there was.
  if (way === undefined) return NEVER
  if (ways.length > 1) {
    report(path, `It has ${ways.join(' and ')}. Give one of them; for several, write several schedules.`)
    return NEVER
  }
  checkKeys(raw, way, path, report)
  if (way === 'every') return readEvery(raw, path, report)
  const zone = readZone(raw, way, path, report)
  if (way === 'at') {
    const times = listOf(raw.at).map((time) => (time.length === 5 ? `${time}:00` : time))
    return { kind: 'at', times: [...new Set(times)].sort(), zone, days: readDays(raw, path, report) }
  }
  const moments = listOf(raw.once).map((moment) => moment.replace(' ', 'T'))
  moments.forEach((moment, index) => {
    const [year = 0, month = 0, day = 0] = moment.slice(0, 10).split('-').map(Number)
    if (!existsDay({ year, month, day })) {
      report(placeIn(raw.once, [...path, 'once'], index), `There is no day ${moment.slice(0, 10)}.`)
    }
  })
  return { kind: 'once', moments, zone }
}

const BELONGS = { offset: ['every'], zone: ['at', 'once'], days: ['at'], dates: ['at'] } as const

function checkKeys(raw: RawWhen, way: (typeof WAYS)[number], path: Path, report: Report): void {
  for (const [key, ways] of Object.entries(BELONGS)) {
    if (raw[key as keyof typeof BELONGS] === undefined || (ways as readonly string[]).includes(way)) continue
    report(
      [...path, key],
      `"${key}" says nothing beside "${way}": it belongs to ${ways.join(' and ')}. Remove it.`,
      'key',
    )
  }
  if (raw.days !== undefined && raw.dates !== undefined) {
    report([...path, 'dates'], 'Give either days or dates; for both, write two schedules.', 'key')
  }
}

function readEvery(raw: RawWhen, path: Path, report: Report): When {
  const everyMs = readDuration(raw.every ?? '', EVERY_BOUNDS, [...path, 'every'], report) ?? HOUR_MS
  const isOdd = everyMs > HOUR_MS && (everyMs % HOUR_MS !== 0 || (24 * HOUR_MS) % everyMs !== 0)
  if (isOdd) {
    report(
      [...path, 'every'],
      `${raw.every ?? ''} fits neither an hour nor a day, so its marks would not be evenly apart. Write up to 1 h, or 2, 3, 4, 6, 8, 12 or 24 h, or times of the day under "at".`,
    )
  }
  // An offset of nothing is no duration that makes sense elsewhere, but here it does.
  const offsetMs =
    raw.offset === undefined || parseDuration(raw.offset) === 0
      ? 0
      : (readDuration(raw.offset, OFFSET_BOUNDS, [...path, 'offset'], report) ?? 0)
  if (offsetMs >= everyMs) {
    report(
      [...path, 'offset'],
      `The offset ${formatDuration(offsetMs)} is not shorter than the period ${formatDuration(everyMs)}. Write less.`,
    )
  }
  return { kind: 'every', everyMs, offsetMs }
}

function readZone(raw: RawWhen, way: 'at' | 'once', path: Path, report: Report): string {
  const { zone } = raw
  if (zone !== undefined) {
    if (isZone(zone)) return zone
    report([...path, 'zone'], `There is no time zone "${clip(zone)}". Write one like Europe/Berlin, or UTC.`)
    return 'UTC'
  }
  const isStated = way === 'once' && listOf(raw.once).every((moment) => /(Z|[+-]\d{2}:\d{2})$/.test(moment))
  if (!isStated) {
    report(path, '"zone" is missing: in which time zone is that? Add it, e.g. zone: Europe/Berlin, or UTC.')
  }
  return 'UTC'
}

function isZone(zone: string): boolean {
  // An offset is a zone to the formatter, but none that knows of summer time.
  if (/^[+-]/.test(zone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format()
    return true
  } catch {
    // That is how it says so.
    return false
  }
}

function readDays(raw: RawWhen, path: Path, report: Report): DayPattern[] {
  const weekdays = listOf(raw.days).map((name) => ({ weekday: WEEKDAYS.indexOf(name) + 1 }))
  const dates = listOf(raw.dates).map((date, index): DayPattern => {
    if (typeof date === 'number') return { day: date }
    const [day = 0, month = 0, year] = date.split('-').map(Number).toReversed()
    if (!existsDay({ year: year ?? 2000, month, day })) {
      report(placeIn(raw.dates, [...path, 'dates'], index), `There is no day ${date}.`)
    }
    return { month, day, ...(year === undefined ? {} : { year }) }
  })
  return [...weekdays, ...dates]
}

function existsDay({ year, month, day }: { year: number; month: number; day: number }): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}

function listOf<T>(given: T | (T | undefined)[] | undefined): T[] {
  const list = Array.isArray(given) ? (given as (T | undefined)[]) : [given]
  return list.filter((one) => one !== undefined)
}

/** Where an entry stands: in a list, or by itself. */
function placeIn(given: unknown, path: Path, index: number): Path {
  return Array.isArray(given) ? [...path, index] : path
}
