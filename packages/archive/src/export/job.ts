import { GolemError } from '@golem/core'
import type { Database } from '../database.ts'
import type { CsvDialect } from './csv.ts'
import { estimateReadings } from './estimate.ts'
import { type LogSelection, exportLog } from './log.ts'
import type { Origin } from './origin.ts'
import { type ExportFormat, exportReadings } from './readings.ts'
import { chooseSeries } from './select.ts'
import type { Every, Layout, Position, Selection } from './sheet.ts'

/** An export of readings. Times in ms since 1970. */
export interface ReadingsJob {
  of: 'readings'
  origin: Origin
  /** As `chooseSeries` takes them. */
  names: readonly string[]
  from: number
  /** Not included. */
  to: number
  every: Every
  layout: Layout
  format: ExportFormat
  dialect: CsvDialect
  /** Only what comes after this row, of which so many came before. */
  after?: Position
  rowsBefore: number
}

/** An export of events or commands. */
export interface LogJob {
  of: 'log'
  origin: Origin
  selection: LogSelection
  rowsBefore: number
}

export type ExportJob = ReadingsJob | LogJob

/** An export that has begun. */
export interface StartedExport {
  /** About how many rows it has; null: not estimated. */
  rows: number | null
  bytes: AsyncGenerator<Uint8Array>
}

/**
 * Looks up what is asked for; the bytes are made as they are taken.
 *
 * @throws GolemError UNKNOWN_NAME, INVALID_REQUEST: there is no such series
 */
export async function beginExport(database: Database, job: ExportJob): Promise<StartedExport> {
  if (job.of === 'log') {
    return { rows: null, bytes: exportLog(database, job.selection, job.origin, job.rowsBefore) }
  }
  const { names, from, to, every, layout, after, origin } = job
  const series = await chooseSeries(database, names, { from, to })
  const selection: Selection = { series, from, to, every, layout, ...(after === undefined ? {} : { after }) }
  checkPosition(selection)
  const rows = await estimateReadings(database, selection)
  return { rows, bytes: exportReadings(database, selection, origin, job) }
}

function checkPosition({ after, layout, series }: Selection): void {
  if (after === undefined) return
  const fits =
    layout === 'wide' ? after.series === undefined : series.some(({ name }) => name === after.series)
  if (fits) return
  throw new GolemError(
    'INVALID_REQUEST',
    layout === 'wide'
      ? 'Where a line is a time, "after" is the time of the last line.'
      : 'Where a line is a reading, "after" is the time of the last line, a comma, and its series, which has to be one of those asked for.',
    { field: 'query.after' },
  )
}
