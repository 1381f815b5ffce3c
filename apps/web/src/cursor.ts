/** What a cursor of `GET /api/state` says. Clients take it as one opaque word. */
export interface Cursor {
  /** Of the database; a cursor of another epoch is void. */
  epoch: string
  /** Last change of the site's stream that is in the state, `<ms>-<n>`. */
  head: string
  /** The web process that made it. */
  process: string
  /** That process's own count of changes, which also counts what time alone changes. */
  revision: number
  /** Digest of what that process showed otherwise than the stream says (stale, lost). */
  alterations: string
}

/** The longest text that is looked at as a cursor. */
const MAX_LENGTH = 200

/** @returns the cursor as one word without characters that need quoting in JSON, URLs or an ETag */
export function formatCursor(cursor: Cursor): string {
  const { epoch, head, process, revision, alterations } = cursor
  return [encodeURIComponent(epoch), head, process, revision.toString(36), alterations].join('~')
}

/** @returns what the cursor says, or null when it is none of ours */
export function parseCursor(text: string): Cursor | null {
  if (text.length > MAX_LENGTH) return null
  const match = /^([^~"]+)~(\d+-\d+)~(\w+)~([0-9a-z]+)~(\w+)$/.exec(text)
  if (!match) return null
  const [, epoch = '', head = '', process = '', revision = '', alterations = ''] = match
  try {
    return {
      epoch: decodeURIComponent(epoch),
      head,
      process,
      revision: Number.parseInt(revision, 36),
      alterations,
    }
  } catch (error) {
    if (error instanceof URIError) return null
    throw error
  }
}

/** Orders two ids of the stream. @returns below 0 when `a` is older, 0 when equal, above 0 when newer */
export function compareHeads(a: string, b: string): number {
  if (a === b) return 0
  const [aMs = 0, aN = 0] = a.split('-').map(Number)
  const [bMs = 0, bN = 0] = b.split('-').map(Number)
  return aMs - bMs || aN - bN
}
