import type { TimelineEntry } from '@golem/core'
import { formatAddress } from './plots/address.ts'

/** Kinds of entries as people think of them; those of a site's own that are in none stand under `other`. */
export const KIND_GROUPS = {
  commands: ['command', 'refusal', 'cancel', 'settled'],
  safety: ['stop', 'release', 'interlock', 'safe', 'power'],
  alarms: ['alarm', 'notify'],
  runs: ['run', 'schedule'],
  reservations: ['reservation'],
  site: ['condition', 'owner', 'worker', 'reboot', 'gateway', 'calibration', 'configuration'],
  notes: ['note'],
  programs: ['log'],
} as const

export type KindGroup = keyof typeof KIND_GROUPS

export const GROUPS = Object.keys(KIND_GROUPS) as KindGroup[]

/** Which entries are shown, as the page's address says it: whoever opens the address sees the same. */
export interface TimelineFilter {
  /** Empty: all. */
  groups: readonly KindGroup[]
  level: '' | 'notice' | 'warning' | 'error'
  instrument: string
  run: string
  text: string
  /** Up to this time, ISO 8601 UTC; empty: up to now, and as it comes. */
  to: string
}

export const NO_FILTER: TimelineFilter = {
  groups: [],
  level: '',
  instrument: '',
  run: '',
  text: '',
  to: '',
}

const LEVELS = ['notice', 'warning', 'error'] as const
const TAB = '#Log'
/** How long a text may be that is looked for; as the API has it. */
const MOST_TEXT = 200

/** @param hash - of the page, e.g. `#Log?run=r-7&kinds=commands,safety` */
export function parseFilter(hash: string): TimelineFilter {
  const query = new URLSearchParams(hash.split('?').slice(1).join('?'))
  const given = (name: string): string => (query.get(name) ?? '').trim().slice(0, MOST_TEXT)
  const named = given('kinds').split(',')
  return {
    groups: GROUPS.filter((group) => named.includes(group)),
    level: LEVELS.find((level) => level === given('level')) ?? '',
    instrument: given('instrument'),
    run: given('run'),
    text: given('text'),
    to: Number.isNaN(Date.parse(given('to'))) ? '' : new Date(given('to')).toISOString(),
  }
}

/** The hash of a filter, with its `#`. */
export function formatFilter({ groups, ...more }: TimelineFilter): string {
  const query = new URLSearchParams()
  if (groups.length > 0) query.set('kinds', groups.join(','))
  for (const [name, value] of Object.entries(more)) if (value !== '') query.set(name, value)
  const text = query.toString()
  return text === '' ? TAB : `${TAB}?${text}`
}

/** What the API is asked for. */
export function queryOf({ groups, level, instrument, run, text, to }: TimelineFilter): URLSearchParams {
  const kinds = groups.flatMap((group): readonly string[] => KIND_GROUPS[group])
  const query = new URLSearchParams()
  if (kinds.length > 0) query.set('kind', kinds.join(','))
  for (const [name, value] of Object.entries({ level, instrument, run, text, to })) {
    if (value !== '') query.set(name, value)
  }
  return query
}

/** The group of a kind; null: it is in none. */
export function groupOf(kind: string): KindGroup | null {
  return GROUPS.find((group) => (KIND_GROUPS[group] as readonly string[]).includes(kind)) ?? null
}

/** What is seen before and after an entry in its plot, in ms. */
const AROUND_MS = 5 * 60_000
const MOST_LINES = 4

/**
 * The address of a plot around an entry; null: it concerns nothing that can be plotted.
 *
 * @param series - all that can be plotted, `instrument.parameter`
 */
export function plotAround(entry: TimelineEntry, series: readonly string[]): string | null {
  const { instrument, commands = [], data = {} } = entry
  const named = [data['watched'], data['outputs']].flatMap((list) => (Array.isArray(list) ? list : []))
  const written = commands.flatMap((record) =>
    record.parameter === undefined ? [] : [`${record.instrument}.${record.parameter}`],
  )
  const wanted = [...written, ...named].filter((name) => series.includes(String(name))).map(String)
  const own = series.filter((name) => instrument !== undefined && name.startsWith(`${instrument}.`))
  const chosen = [...new Set(wanted.length > 0 ? wanted : own)].slice(0, MOST_LINES)
  if (chosen.length === 0) return null
  const from = Date.parse(entry.when)
  const to = typeof data['to'] === 'string' ? Date.parse(data['to']) : from
  const around = Math.max(AROUND_MS, to - from)
  return formatAddress({
    series: chosen,
    span: { kind: 'fixed', from: from - around, to: Math.max(from, to) + around },
    runs: [],
  })
}

/** What is known with what has come, newest first, each once. */
export function merged(known: readonly TimelineEntry[], newer: readonly TimelineEntry[]): TimelineEntry[] {
  const all = new Map([...known, ...newer].map((entry) => [entry.id, entry]))
  return [...all.values()].toSorted((a, b) => compare(b, a))
}

function compare(a: TimelineEntry, b: TimelineEntry): number {
  if (a.when !== b.when) return a.when < b.when ? -1 : 1
  return a.id.length - b.id.length || (a.id < b.id ? -1 : 1)
}
