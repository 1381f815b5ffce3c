import type { CommandRecord, HistorySeries, RunRecord, SiteEvent } from '@golem/core'

/** A text that a run depended on, as `GET /api/runs/:id/archive` gives it. */
export interface ArchivedDocument {
  kind: string
  name: string
  /** Since when it was in force, ISO 8601 UTC. */
  at: string
  digest: string
  body: string
}

/** The answer of `GET /api/runs/:id/archive`. */
export interface RunArchiveDocument {
  run: RunRecord
  instruments: readonly string[]
  documents: readonly ArchivedDocument[]
}

/** A gap as exports tell it. */
export interface ExportedGap {
  series: string
  from: string
  to: string | null
  reason: string
  message: string
}

/** The beginning of a list, and how long it is. */
export interface Shown<T> {
  shown: T[]
  all: number
}

/** What the page of a bundle draws: `page/data.js`. */
export interface PageData {
  run: RunRecord
  origin: { site: string; title: string; golem: string; exportedAt: string }
  /** ISO 8601 UTC */
  span: { from: string; to: string }
  instruments: readonly string[]
  series: readonly HistorySeries[]
  /** By series, in words. */
  calibrations: Readonly<Record<string, string>>
  /** Begin of each stage, ms since 1970. */
  stages: readonly { name: string; from: number }[]
  gaps: Shown<ExportedGap>
  commands: Shown<CommandRecord>
  events: Shown<SiteEvent>
  documents: readonly { kind: string; name: string; at: string; file: string }[]
  files: readonly { file: string; bytes: number }[]
}
