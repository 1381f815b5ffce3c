import type { RunRow } from '@golem/core'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { finished } from 'node:stream/promises'
import type { ExportedGap, Shown } from './contents.ts'

/** Gaps that the page shows. */
const GAPS_SHOWN = 1_000

/** What an export of readings says of one series. */
interface SeriesLine {
  name: string
  calibration: string | null
}

/** What the comments of a CSV of readings say. */
export interface ReadingsNotes {
  gaps: Shown<ExportedGap>
  /** By series. */
  calibrations: Record<string, string>
}

/** Writes gaps.csv from what a CSV of readings says between its rows. */
export async function writeGaps(readings: string, file: string): Promise<ReadingsNotes> {
  const output = createWriteStream(file)
  const notes: ReadingsNotes = { gaps: { shown: [], all: 0 }, calibrations: {} }
  output.write('series,from,to,reason,message\n')
  for await (const line of createInterface({ input: createReadStream(readings) })) {
    if (line.startsWith('# series: ')) {
      const { name, calibration } = JSON.parse(line.slice('# series: '.length)) as SeriesLine
      if (calibration !== null) notes.calibrations[name] = calibration
    }
    if (!line.startsWith('# gap: ')) continue
    const gap = JSON.parse(line.slice('# gap: '.length)) as ExportedGap
    notes.gaps.all += 1
    if (notes.gaps.shown.length < GAPS_SHOWN) notes.gaps.shown.push(gap)
    output.write(csvLine([gap.series, gap.from, gap.to ?? '', gap.reason, gap.message]))
  }
  output.end()
  await finished(output)
  return notes
}

/** Writes rows.csv from rows.ndjson: a column for each reading and variable that occurs. @returns how many rows */
export async function writeRows(lines: string, file: string): Promise<number> {
  const names = new Set<string>()
  for await (const { values, variables } of rowsOf(lines)) {
    for (const name of [...Object.keys(variables), ...Object.keys(values)]) names.add(name)
  }
  const output = createWriteStream(file)
  output.write(csvLine(['at', 'table', 'samples', ...names]))
  let count = 0
  for await (const { at, table, samples, values, variables } of rowsOf(lines)) {
    const cells = [...names].map((name) => values[name] ?? variables[name] ?? '')
    output.write(csvLine([at, table, samples, ...cells]))
    count += 1
  }
  output.end()
  await finished(output)
  return count
}

async function* rowsOf(file: string): AsyncGenerator<RunRow> {
  for await (const line of createInterface({ input: createReadStream(file) }))
    yield JSON.parse(line) as RunRow
}

function csvLine(cells: readonly unknown[]): string {
  const texts = cells.map((cell) => {
    const text = Array.isArray(cell) ? cell.join(' ') : String(cell)
    return /[",#\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  })
  return `${texts.join(',')}\n`
}
