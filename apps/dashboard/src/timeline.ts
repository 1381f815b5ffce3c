import type { PlannedStart } from '@golem/core'
import type { ComingStart } from './automation-api.ts'
import type { Language } from './i18n.ts'

const HOUR = 3_600_000
const DRAWN_EVERY_MS = 10_000
/** A start that is later than this counts as late, in ms: a scheduler looks about once a second. */
export const LATE_MS = 5000

/** The stretch of time that is shown, ms since 1970. */
export interface Span {
  from: number
  to: number
}

/** As far back as ahead. */
export function spanAround(nowMs: number, hours: number): Span {
  return { from: nowMs - hours * HOUR, to: nowMs + hours * HOUR }
}

/** The time at which timelines are drawn anew, so that thousands of marks are not drawn each second. */
export function drawnAt(nowMs: number): number {
  return Math.floor(nowMs / DRAWN_EVERY_MS) * DRAWN_EVERY_MS
}

/** Where a time lies in the span, 0 to 1; what lies outside stands at the edge. */
export function shareOf({ from, to }: Span, ms: number): number {
  return Math.min(1, Math.max(0, (ms - from) / (to - from)))
}

/**
 * done: its run was completed; early: stopped, aborted or killed; runs: goes on; skipped: not started; planned: still
 * to come.
 */
export type MarkKind = 'done' | 'early' | 'failed' | 'runs' | 'skipped' | 'planned'

/** One start on the timeline. */
export interface Mark {
  key: string
  kind: MarkKind
  /** Where it begins and ends, 0 to 1. */
  from: number
  to: number
  isLate: boolean
}

/** What of one schedule lies within the span, in the order of time. */
export function marksOf(
  starts: readonly PlannedStart[],
  coming: readonly ComingStart[],
  span: Span,
  nowMs: number,
): Mark[] {
  const past = starts.flatMap((start): Mark[] => {
    const began = Date.parse(start.startedAt ?? start.plannedAt)
    const ended = endOf(start, began, nowMs)
    if (ended < span.from || began > span.to) return []
    const kind = kindOf(start)
    return [
      {
        key: start.plannedAt,
        kind,
        from: shareOf(span, began),
        to: shareOf(span, ended),
        isLate: kind !== 'skipped' && (start.lateMs ?? 0) > LATE_MS,
      },
    ]
  })
  const ahead = coming
    .map(({ plannedAt }) => ({ plannedAt, at: Date.parse(plannedAt) }))
    .filter(({ at }) => at > nowMs && at <= span.to)
    .map(({ plannedAt, at }): Mark => {
      const share = shareOf(span, at)
      return { key: `planned ${plannedAt}`, kind: 'planned', from: share, to: share, isLate: false }
    })
  return [...past, ...ahead].toSorted((a, b) => a.from - b.from)
}

export function kindOf({ skipped, finishedAt, end }: PlannedStart): MarkKind {
  if (skipped !== undefined) return 'skipped'
  if (finishedAt === undefined && end === undefined) return 'runs'
  if (end === 'failed') return 'failed'
  return end === undefined || end === 'completed' ? 'done' : 'early'
}

function endOf({ skipped, until, finishedAt }: PlannedStart, began: number, nowMs: number): number {
  if (skipped !== undefined) return until === undefined ? began : Date.parse(until)
  return finishedAt === undefined ? Math.max(began, nowMs) : Date.parse(finishedAt)
}

/** Marks that are apart by less than this share of the timeline can't be told apart. */
const FINEST = 1 / 1000

/** Of short marks of one kind that lie on each other the first, so that a drawing has a bounded number of them. */
export function thinned(marks: readonly Mark[]): Mark[] {
  const taken = new Set<string>()
  return marks.filter(({ kind, from, to, isLate }) => {
    if (to - from > 2 * FINEST) return true
    const place = `${kind} ${String(isLate)} ${Math.floor(from / FINEST)}`
    const isFree = !taken.has(place)
    taken.add(place)
    return isFree
  })
}

/** How many starts each stand for. */
export function countsOf(
  starts: readonly PlannedStart[],
  marks: readonly Mark[],
): { started: number; late: number; skipped: number; planned: number } {
  const shown = new Set(marks.map(({ key }) => key))
  const skipped = starts
    .filter((start) => start.skipped !== undefined && shown.has(start.plannedAt))
    .reduce((sum, { count = 1 }) => sum + count, 0)
  return {
    started: marks.filter(({ kind }) => kind !== 'skipped' && kind !== 'planned').length,
    late: marks.filter(({ isLate }) => isLate).length,
    skipped,
    planned: marks.filter(({ kind }) => kind === 'planned').length,
  }
}

/** A time that is written below the timeline. */
export interface Tick {
  ms: number
  share: number
  label: string
  isMidnight: boolean
  /** Left out where there is little room. */
  isMinor: boolean
}

/** Midnights of the reader's time zone with their date, and hours between them where there is room. */
export function ticksOf(span: Span, language: Language): Tick[] {
  const hours = (span.to - span.from) / HOUR
  const step = hours <= 12 ? 2 : hours <= 48 ? 6 : hours <= 144 ? 24 : 72
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })
  const ticks: Tick[] = []
  const at = new Date(span.from)
  at.setHours(0, 0, 0, 0)
  while (at.getTime() <= span.to) {
    const ms = at.getTime()
    const isMidnight = at.getHours() === 0
    if (ms >= span.from) {
      const label = isMidnight ? date.format(ms) : time.format(ms)
      const isMinor = step === 6 && at.getHours() % 12 !== 0
      ticks.push({ ms, share: shareOf(span, ms), label, isMidnight, isMinor })
    }
    // By the clock on the wall: a day on which clocks change has 23 or 25 hours.
    at.setHours(at.getHours() + step)
  }
  return ticks
}

/** Puts newer records of starts over those that are known, newest planned first. @returns `known` when nothing is new */
export function mergeStarts(
  known: readonly PlannedStart[],
  newer: readonly PlannedStart[],
): readonly PlannedStart[] {
  const keyOf = ({ schedule, plannedAt }: PlannedStart): string => `${schedule} ${plannedAt}`
  const before = new Map(known.map((start) => [keyOf(start), start]))
  const isNews = (start: PlannedStart): boolean =>
    JSON.stringify(before.get(keyOf(start))) !== JSON.stringify(start)
  if (!newer.some(isNews)) return known
  const all = new Map([...known, ...newer].map((start) => [keyOf(start), start]))
  return [...all.values()].toSorted((a, b) => b.plannedAt.localeCompare(a.plannedAt))
}
