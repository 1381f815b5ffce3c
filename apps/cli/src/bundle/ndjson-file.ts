import { createInterface } from 'node:readline'
import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { ApiClient } from '../client.ts'
import { piecesOf } from '../export/download.ts'
import { CliError } from '../exit-codes.ts'
import type { Shown } from './contents.ts'

/** A line of an export of the log. */
type Line = { what: string } & Readonly<Record<string, unknown>>

/** What is to become of the lines. */
export interface Filter<T> {
  /** Of the entries of the site: those that belong in the file. */
  isWanted: (entry: T) => boolean
  /** So many of them are kept for the page. */
  shown: number
  /** Told of each wanted entry. */
  seen?: (entry: T) => void
}

/**
 * Fetches events, commands or rows into a file, a line of JSON for each, without head and end.
 *
 * @throws CliError refused when it broke off
 */
export async function fetchLines<T>(
  api: ApiClient,
  query: Readonly<Record<string, string>>,
  file: string,
  { isWanted, shown: most, seen }: Filter<T>,
): Promise<Shown<T>> {
  const response = await api.open(`/api/export/log?${String(new URLSearchParams(query))}`)
  const output = createWriteStream(file)
  const found: Shown<T> = { shown: [], all: 0 }
  let hasEnd = false
  try {
    for await (const text of createInterface({
      input: Readable.from(piecesOf(response), { objectMode: false }),
    })) {
      const { what, ...rest } = JSON.parse(text) as Line
      if (what === 'end') hasEnd = true
      const entry = rest as T
      if (what === 'export' || what === 'end' || !isWanted(entry)) continue
      found.all += 1
      if (found.shown.length < most) found.shown.push(entry)
      seen?.(entry)
      if (!output.write(`${JSON.stringify(entry)}\n`)) await drained(output)
    }
  } catch (error) {
    throw new CliError('refused', 'The connection broke while the log was fetched. Start it again.', {
      cause: error,
    })
  } finally {
    output.end()
    await finished(output)
  }
  if (!hasEnd) throw new CliError('refused', 'The log ended early. Start it again.')
  return found
}

function drained(output: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    output.once('drain', resolve)
    output.once('error', reject)
  })
}
