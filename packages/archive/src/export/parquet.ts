import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Cell } from '../database.ts'
import { type Origin, gapInFull, prefaceOf, seriesOf } from './origin.ts'
import type { Column, Selection, Sheet } from './sheet.ts'

/** Cells that are written together, column by column, and how many rows these are at least and at most. */
const GROUP_CELLS = 400_000
const [LEAST_ROWS, MOST_ROWS] = [1_000, 50_000]
/** So many gaps are told in the file's own words about itself, which a reader has to read whole. */
const MAX_GAPS = 10_000

/** Where a file's first byte of data may be: behind `PAR1`. */
const AFTER_MAGIC = 4n

type RowGroup = ParquetWriter['row_groups'][number]
type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema']

const TYPES = {
  // By the format's definition these are times in UTC.
  time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
  number: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
} as const

/**
 * A table as Parquet. Where it comes from, units, calibrations and gaps stand in the file's key/value metadata under
 * `golem.*`. It is whole only with its footer, which comes last: it can't be gone on with.
 */
export async function* parquetOf(
  sheet: Sheet,
  selection: Selection,
  origin: Origin,
): AsyncGenerator<Uint8Array> {
  const { columns } = sheet
  const about = Object.entries(prefaceOf(origin, selection)).map(([name, value]) => ({
    key: `golem.${name}`,
    value,
  }))
  about.push({ key: 'golem.series', value: JSON.stringify(seriesOf(selection)) })
  const bytes = new ByteWriter()
  const schema: Schema = [
    { name: 'golem', num_children: columns.length },
    ...columns.map(({ name, kind }) => ({ name, ...TYPES[kind] })),
  ]
  const writer = new ParquetWriter({
    writer: bytes,
    schema,
    kvMetadata: about,
    createdBy: `golem ${origin.golem}`,
  })
  const groupRows = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(GROUP_CELLS / columns.length)))
  const gaps: Record<string, string | null>[] = []
  let gapsLeftOut = 0
  let misfits = 0
  let group: (readonly Cell[])[] = []
  const taken = (): Uint8Array => {
    const written = bytes.getBytes().slice()
    bytes.index = 0
    return written
  }
  const writeGroup = async (): Promise<Uint8Array> => {
    const columnData = columns.map((column, index) => {
      const { data, left } = columnOf(column, index, group)
      misfits += left
      // Times that follow each other evenly take hardly any room as differences.
      const encoding = column.kind === 'time' ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}
      return { name: column.name, data, offsetIndex: false, ...encoding }
    })
    await writer.write({ columnData, rowGroupSize: groupRows })
    group = []
    return taken()
  }

  for await (const page of sheet.pages) {
    for (const { series, gap } of page.gaps) {
      if (gaps.length < MAX_GAPS) gaps.push(gapInFull(series, gap))
      else gapsLeftOut += 1
    }
    for (const row of page.rows) {
      group.push(row)
      if (group.length === groupRows) yield await writeGroup()
    }
  }
  if (group.length > 0) yield await writeGroup()
  if (writer.row_groups.length === 0) writer.row_groups.push(emptyGroup(columns))
  about.push({ key: 'golem.gaps', value: JSON.stringify(gaps) })
  if (gapsLeftOut > 0) about.push({ key: 'golem.gapsLeftOut', value: String(gapsLeftOut) })
  if (misfits > 0) about.push({ key: 'golem.valuesOfAnotherType', value: String(misfits) })
  await writer.finish()
  yield taken()
}

/** A group without rows: some readers (those made of Rust's library) don't take a file without any group. */
function emptyGroup(columns: readonly Column[]): RowGroup {
  return {
    columns: columns.map(({ name, kind }) => ({
      file_offset: AFTER_MAGIC,
      meta_data: {
        type: TYPES[kind].type,
        encodings: ['PLAIN'],
        path_in_schema: [name],
        codec: 'UNCOMPRESSED',
        num_values: 0n,
        total_uncompressed_size: 0n,
        total_compressed_size: 0n,
        data_page_offset: AFTER_MAGIC,
      },
    })),
    total_byte_size: 0n,
    num_rows: 0n,
  }
}

/**
 * One column of a group. A column of numbers has no place for a text, e.g. from before a parameter became a number; the
 * long layout has one.
 *
 * @returns `left`: how many values had no place
 */
function columnOf(
  { kind }: Column,
  index: number,
  rows: readonly (readonly Cell[])[],
): { data: (bigint | number | string | null)[]; left: number } {
  let left = 0
  const data = rows.map((row) => {
    const cell = row[index] ?? null
    if (cell === null) return null
    if (kind === 'time') return BigInt(cell)
    if (kind === 'text') return String(cell)
    if (typeof cell === 'number') return cell
    left += 1
    return null
  })
  return { data, left }
}
