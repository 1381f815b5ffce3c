import { createReadStream } from 'node:fs'

/** What is left of an export that was cut off. */
export interface PartialFile {
  /** The request that it is of, as path and query; null: not even its head is whole. */
  query: string | null
  /** Whole rows, and the byte behind the last of them. */
  rows: number
  end: number
  /** What `after` has to be to go on; null: there is no whole row. */
  after: string | null
  /** It has its last line, so there is nothing to go on with. */
  isWhole: boolean
}

const NEWLINE = 0x0a
const QUOTE = 0x22
const HASH = 0x23

/** Reads through a file, of whatever length. @param format - of an export; Parquet has no rows that could be counted */
export function readPartial(file: string, format: 'csv' | 'ndjson'): Promise<PartialFile> {
  return format === 'csv' ? readCsv(file) : readNdjson(file)
}

async function readCsv(file: string): Promise<PartialFile> {
  const found: PartialFile = { query: null, rows: 0, end: 0, after: null, isWhole: false }
  let hasNames = false
  let isWide = false
  for await (const { text, end } of records(file, true)) {
    if (text.startsWith('# ') || text.startsWith('"# ')) {
      const comment = text.startsWith('"') ? text.slice(3, -1).replaceAll('""', '"') : text.slice(2)
      if (comment.startsWith('query: ')) found.query = comment.slice('query: '.length)
      if (/^end, \d+ rows$/.test(comment)) found.isWhole = true
    } else if (!hasNames) {
      hasNames = true
      isWide = new URLSearchParams(found.query?.split('?')[1]).get('layout') === 'wide'
    } else {
      found.rows += 1
      found.end = end
      const [time = '', series = ''] = text.split(/[,;]/, 2)
      const iso = time.endsWith('Z') ? time : `${time.replace(' ', 'T')}Z`
      found.after = isWide ? iso : `${iso},${series.replaceAll('"', '')}`
    }
  }
  return found
}

async function readNdjson(file: string): Promise<PartialFile> {
  const found: PartialFile = { query: null, rows: 0, end: 0, after: null, isWhole: false }
  let last: string | null = null
  for await (const { text, end } of records(file, false)) {
    // What a line is stands first in it, so that not each of millions has to be parsed.
    const [, what] = /^\{"what":"(\w+)"/.exec(text) ?? []
    if (what === 'export') found.query = (JSON.parse(text) as { query: string }).query
    else if (what === 'end') found.isWhole = true
    else if (what !== 'gap' && what !== undefined) {
      found.rows += 1
      found.end = end
      last = text
    }
  }
  if (last !== null) {
    const { t, id, time, series } = JSON.parse(last) as Record<string, string | number | undefined>
    found.after =
      time === undefined ? `${t},${id}` : series === undefined ? String(time) : `${time},${series}`
  }
  return found
}

/** The whole records of a file: lines, and in CSV also what a quoted text spreads over several. Without their line ends. */
async function* records(file: string, hasQuotes: boolean): AsyncGenerator<{ text: string; end: number }> {
  let rest: Buffer = Buffer.alloc(0)
  let begin = 0
  for await (const piece of createReadStream(file, { highWaterMark: 1_048_576 }) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    let from = 0
    for (let to = endOfRecord(bytes, from, hasQuotes); to !== -1; to = endOfRecord(bytes, from, hasQuotes)) {
      const text = bytes.toString('utf8', from, to)
      yield { text: text.replace(/^\uFEFF/, '').replace(/\r$/, ''), end: begin + to + 1 }
      from = to + 1
    }
    rest = bytes.subarray(from)
    begin += from
  }
}

/** Where the line end of the record is that begins at `from`; -1: it is not there yet. */
function endOfRecord(bytes: Buffer, from: number, hasQuotes: boolean): number {
  let end = bytes.indexOf(NEWLINE, from)
  // Quotes in a comment are nobody's.
  if (!hasQuotes || bytes[from] === HASH) return end
  let quotes = 0
  let at = from
  while (end !== -1) {
    quotes += quotesIn(bytes.subarray(at, end))
    if (quotes % 2 === 0) return end
    at = end + 1
    end = bytes.indexOf(NEWLINE, at)
  }
  return -1
}

function quotesIn(line: Buffer): number {
  let count = 0
  for (let at = line.indexOf(QUOTE); at !== -1; at = line.indexOf(QUOTE, at + 1)) count += 1
  return count
}
