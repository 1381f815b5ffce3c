import type { RunRecord, SiteEvent } from '@golem/core'
import type { View } from './lines.ts'

/** Something that happened, as a line across the plot. Times in ms since 1970. */
export interface Mark {
  at: number
  /** What it looks like. */
  look: 'plain' | 'warning' | 'stage' | 'note'
  text: string
}

/** A run as a band above the plot. */
export interface RunBand {
  id: string
  label: string
  from: number
  to: number
  stages: readonly Mark[]
}

const STAGE = /^run (\S+): (Stage \d+ of \d+: .+?)\.?$/

/**
 * What is marked of the site's log: what concerns the shown instruments or all of them. Commands of runs are left out
 * where the run itself is shown.
 */
export function marksOf(events: readonly SiteEvent[], instruments: ReadonlySet<string>): Mark[] {
  return events.flatMap((event): Mark[] => {
    const { at, kind, instrument, level = 'info', message } = event
    if (instrument !== undefined && !instruments.has(instrument)) return []
    if (kind === 'run') return []
    const isSerious = level === 'warning' || level === 'error' || level === 'critical' || kind === 'stop'
    const look = kind === 'note' ? 'note' : isSerious ? 'warning' : 'plain'
    return [{ at: Date.parse(at), look, text: message }]
  })
}

/** Runs that were under way in the view, with their stages. @param now - how far those go that have not ended */
export function bandsOf(
  runs: readonly RunRecord[],
  events: readonly SiteEvent[],
  { from, to }: View,
  now: number,
): RunBand[] {
  return runs.flatMap((run): RunBand[] => {
    const begin = Date.parse(run.startedAt ?? '')
    const end = run.endedAt === undefined ? now : Date.parse(run.endedAt)
    if (Number.isNaN(begin) || begin > to || end < from) return []
    return [{ id: run.id, label: run.label, from: begin, to: end, stages: stagesOf(run.id, events) }]
  })
}

function stagesOf(run: string, events: readonly SiteEvent[]): Mark[] {
  return events.flatMap(({ at, message, run: of }): Mark[] => {
    const [, id, text] = STAGE.exec(message) ?? []
    return text !== undefined && (of ?? id) === run ? [{ at: Date.parse(at), look: 'stage', text }] : []
  })
}

/** Rows for bands, so that none lies on another. @returns the row of each, from 0 */
export function rowsFor(bands: readonly RunBand[]): number[] {
  const ends: number[] = []
  return bands.map(({ from, to }) => {
    const free = ends.findIndex((end) => end <= from)
    const row = free === -1 ? ends.length : free
    ends[row] = to
    return row
  })
}

/** Marks close to a time, the nearest first. @param within - in ms */
export function marksAt(marks: readonly Mark[], at: number, within: number): Mark[] {
  return marks
    .filter((mark) => Math.abs(mark.at - at) <= within)
    .toSorted((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at))
}
