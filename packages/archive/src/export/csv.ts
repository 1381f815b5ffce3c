import type { Cell } from '../database.ts'
import { isoClock } from './clock.ts'
import { type Origin, gapInFull, prefaceOf, seriesOf } from './origin.ts'
import type { Column, Selection, Sheet } from './sheet.ts'

/**
 * plain: for pandas, R and other programs; excel: opens by a double click where Excel speaks English; excel-semicolon: the
 * same where it expects semicolons and decimal commas, as in German and Russian.
 */
export type CsvDialect = 'plain' | 'excel' | 'excel-semicolon'

interface Style {
  begin: string
  separator: string
  lineEnd: string
  time: (t: number) => string
  timeName: string
  number: (value: number) => string
  text: (text: string) => string
  comment: (text: string) => string
}

const iso = isoClock()

/** Excel takes a text that begins so for a formula, and would work it out. */
const FORMULA = /^[=+\-@\t\r]/

function excel(separator: string, number: (value: number) => string): Style {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  return {
    // A byte order mark: without it Excel does not take the file for UTF-8.
    begin: '\uFEFF',
    separator,
    lineEnd: '\r\n',
    // Excel takes neither the T nor the Z of ISO 8601 for a time.
    time: (t) => iso(t).slice(0, -1).replace('T', ' '),
    timeName: 'time (UTC)',
    number,
    text: (text) => quoted(FORMULA.test(text) ? `'${text}` : text),
    comment: (text) => quoted(`# ${text}`),
  }
}

const STYLES: Readonly<Record<CsvDialect, Style>> = {
  plain: {
    begin: '',
    separator: ',',
    lineEnd: '\n',
    time: iso,
    timeName: 'time',
    number: String,
    // An empty text in quotes is a text, an empty cell is none. A # in quotes begins no comment.
    text: (text) =>
      text === '' || /[",#\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text,
    comment: (text) => `# ${text}`,
  },
  excel: excel(',', String),
  'excel-semicolon': excel(';', (value) => String(value).replace('.', ',')),
}

export interface CsvOptions {
  dialect: CsvDialect
  /** Rows that came before, where an export goes on. */
  rowsBefore: number
}

/**
 * A table as CSV. Lines that begin with `#` say where it comes from and where there are gaps, and the last one how many
 * rows there are: a file without it is not whole. What goes on from a position has no head.
 */
export async function* csvOf(
  sheet: Sheet,
  selection: Selection,
  origin: Origin,
  { dialect, rowsBefore }: CsvOptions,
): AsyncGenerator<string> {
  const style = STYLES[dialect]
  if (selection.after === undefined) yield head(sheet.columns, selection, origin, style)
  const writers = sheet.columns.map((column) => writerOf(column, style))
  let count = rowsBefore
  for await (const { gaps, rows } of sheet.pages) {
    const lines = gaps.map(({ series, gap }) =>
      style.comment(`gap: ${JSON.stringify(gapInFull(series, gap))}`),
    )
    for (const row of rows) {
      lines.push(
        row.map((cell, index) => (cell === null ? '' : writers[index]?.(cell))).join(style.separator),
      )
    }
    count += rows.length
    if (lines.length > 0) yield `${lines.join(style.lineEnd)}${style.lineEnd}`
  }
  yield `${style.comment(`end, ${count} rows`)}${style.lineEnd}`
}

function head(columns: readonly Column[], selection: Selection, origin: Origin, style: Style): string {
  const lines = [
    style.comment('golem: readings'),
    ...Object.entries(prefaceOf(origin, selection)).map(([name, text]) =>
      style.comment(`${name}: ${oneLine(text)}`),
    ),
    ...seriesOf(selection).map((series) => style.comment(`series: ${JSON.stringify(series)}`)),
    columns.map(({ name, kind }) => (kind === 'time' ? style.timeName : name)).join(style.separator),
  ]
  return `${style.begin}${lines.join(style.lineEnd)}${style.lineEnd}`
}

function writerOf({ kind }: Column, style: Style): (cell: Cell) => string {
  if (kind === 'time') return (cell) => style.time(Number(cell))
  return (cell) => (typeof cell === 'number' ? style.number(cell) : style.text(String(cell)))
}

/** A title with a line break in it must not begin a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
