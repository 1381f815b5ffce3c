import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ArchivedDocument, PageData } from './contents.ts'

/** The longest part of a file name that comes from outside, in characters. */
const MAX_NAME = 80

/**
 * Writes the texts that a run depended on, each version under `documents/KIND/NAME-TIME`.
 *
 * @returns where each is
 */
export function writeDocuments(
  folder: string,
  documents: readonly ArchivedDocument[],
): PageData['documents'] {
  return documents.map(({ kind, name, at, digest, body }) => {
    const place = `documents/${safe(kind)}`
    mkdirSync(join(folder, place), { recursive: true })
    const time = at.replaceAll(/[-:]|\.\d+/g, '')
    const file = `${place}/${safe(name)}-${time}-${safe(digest).slice(0, 8)}.${endingOf(body)}`
    writeFileSync(join(folder, file), isJson(body) ? `${JSON.stringify(JSON.parse(body), null, 2)}\n` : body)
    return { kind, name, at, file }
  })
}

/** A text as a part of a file name: it leaves no folder, and is no hidden file. */
function safe(text: string): string {
  return (
    text
      .replaceAll(/[^\w.-]+/g, '_')
      .replace(/^\.+/, '_')
      .slice(0, MAX_NAME) || '_'
  )
}

function endingOf(body: string): string {
  return isJson(body) ? 'json' : 'txt'
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body)
    return true
  } catch {
    // A text of another kind, e.g. a recipe as its author wrote it.
    return false
  }
}
