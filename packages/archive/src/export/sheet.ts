import type { Gap } from '@golem/core'
import type { Cell } from '../database.ts'
import type { Series } from '../batch.ts'

/** A series with what a reader of a file has to know of it. */
export interface ExportedSeries extends Series {
  /** `instrument.parameter` */
  name: string
  /** Which calibration made its readings at the end of the span, in words; null: they are as the instrument gave them. */
  calibration: string | null
  /**
   * Its last reading before the span: what is within its dead band is stored only now and then, so this is what it was
   * when the span began. null: there is none.
   */
  before: { time: string; value: number | string } | null
}

/** exact: each reading that was stored, at its own time; minute, hour: gathered. */
export type Every = 'exact' | 'minute' | 'hour'

/** long: a line for each reading; wide: a line for each time, with a column for each series. */
export type Layout = 'long' | 'wide'

/** Where an export was cut off: the time of its last row and, in the long layout, the series of it. */
export interface Position {
  t: number
  series?: string
}

/** What is to be exported. Times in ms since 1970. */
export interface Selection {
  /** In the order in which they are to be written. */
  series: readonly ExportedSeries[]
  from: number
  /** Not included. */
  to: number
  every: Every
  layout: Layout
  /** Only what comes after this row. */
  after?: Position
}

export interface Column {
  name: string
  kind: 'time' | 'number' | 'text'
}

/** Some rows, and gaps that are to be told before them. The first cell of a row is its time. */
export interface Page {
  gaps: readonly { series: string; gap: Gap }[]
  rows: readonly (readonly Cell[])[]
}

/** Rows in the order of their file. However long it is, only a few thousand of them are in memory. */
export interface Sheet {
  columns: readonly Column[]
  pages: AsyncIterable<Page>
}
