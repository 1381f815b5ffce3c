import type { Database } from '../database.ts'
import { type CsvDialect, csvOf } from './csv.ts'
import { longSheet } from './long.ts'
import { ndjsonOf } from './ndjson.ts'
import type { Origin } from './origin.ts'
import { parquetOf } from './parquet.ts'
import type { Selection } from './sheet.ts'
import { wideSheet } from './wide.ts'

export const EXPORT_FORMATS = ['csv', 'parquet', 'ndjson'] as const

export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export interface ReadingsOptions {
  format: ExportFormat
  dialect: CsvDialect
  /** Rows that came before, where an export goes on. */
  rowsBefore: number
}

/**
 * Readings as a file, piece by piece: the next piece is made when it is asked for. Of a span that lies in the past it is the
 * same each time, up to the line that says when it was made.
 */
export async function* exportReadings(
  database: Database,
  selection: Selection,
  origin: Origin,
  { format, dialect, rowsBefore }: ReadingsOptions,
): AsyncGenerator<Uint8Array> {
  const sheet = selection.layout === 'long' ? longSheet(database, selection) : wideSheet(database, selection)
  if (format === 'parquet') yield* parquetOf(sheet, selection, origin)
  else {
    const texts =
      format === 'csv'
        ? csvOf(sheet, selection, origin, { dialect, rowsBefore })
        : ndjsonOf(sheet, selection, origin, rowsBefore)
    for await (const text of texts) yield Buffer.from(text)
  }
}
