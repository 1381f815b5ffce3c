import type { HistoryDocument, HistorySeries, RunRecord } from '@golem/core'
import type { Point } from '../history.ts'
import type { PlotAddress, PlotSpan } from './address.ts'
import type { SeriesChoice } from './choices.ts'
import type { PlotLine, View } from './lines.ts'

/** Room behind the longer of two runs, as a share of it. */
const AFTER_RUN = 0.02

const GROWS_MS = 10_000

/** Begin and length of a run, in ms. @param now - the site's time, for one that goes on */
export interface RunTimes {
  start: number
  length: number
}

export function timesOf({ startedAt, endedAt }: RunRecord, now: number): RunTimes {
  const start = Date.parse(startedAt ?? '')
  // One that goes on is looked at anew every ten seconds, not every second.
  const end = endedAt === undefined ? Math.ceil(now / GROWS_MS) * GROWS_MS : Date.parse(endedAt)
  return { start, length: Math.max(1_000, end - start) }
}

/** What is seen: of the day, or from the start of two runs on. */
export function viewOf(span: PlotSpan, runs: readonly RunTimes[], now: number): View {
  if (span.kind === 'fixed') return { from: span.from, to: span.to }
  if (runs.length === 0) return { from: now - span.ms, to: now }
  return { from: 0, to: Math.max(...runs.map(({ length }) => length)) * (1 + AFTER_RUN) }
}

/**
 * The span for a view that somebody has moved to: one that reaches up to now goes on to follow.
 *
 * @param now - null: it does not follow, because runs are compared
 */
export function spanFor({ from, to }: View, now: number | null): PlotSpan {
  const [begin, end] = [Math.round(from), Math.max(Math.round(from) + 1, Math.round(to))]
  if (now !== null && end >= now) return { kind: 'live', ms: end - begin }
  return { kind: 'fixed', from: begin, to: end }
}

interface LineSource {
  address: PlotAddress
  /** One, or one for each of two runs. */
  documents: readonly HistoryDocument[]
  runs: readonly (RunTimes & { name: string })[]
  choices: readonly SeriesChoice[]
  tailOf: (instrument: string, parameter: string) => readonly Point[]
}

/** The lines of a plot, in the order of its address; a second run has the colours of the first, dashed. */
export function linesOf({ address, documents, runs, choices, tailOf }: LineSource): PlotLine[] {
  return documents.flatMap((document, part) => {
    const run = runs[part]
    return address.series.flatMap((name, colour): PlotLine[] => {
      const data = document.series.find(({ series }) => series === name)
      if (!data) return []
      const choice = choices.find((each) => each.name === name)
      const label = labelOf(data, choice)
      const at = name.indexOf('.')
      return [
        {
          key: `${part} ${name}`,
          label: run ? `${label} · ${run.name}` : label,
          unit: choice?.unit || data.unit || '',
          colour,
          isDashed: part > 0,
          data,
          shift: run?.start ?? 0,
          tail: run ? [] : tailOf(name.slice(0, at), name.slice(at + 1)),
          decimals: choice?.decimals,
        },
      ]
    })
  })
}

function labelOf({ series, label }: HistorySeries, choice: SeriesChoice | undefined): string {
  return choice ? `${choice.instrument}: ${choice.label}` : `${series.split('.')[0] ?? series}: ${label}`
}
