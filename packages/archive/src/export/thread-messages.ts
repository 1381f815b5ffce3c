/** Pieces that a thread makes before the first of them is taken. */
export const MOST_UNDER_WAY = 4

/** What the thread of an export says. */
export type ThreadMessage =
  | { what: 'begun'; rows: number | null }
  | { what: 'bytes'; bytes: Uint8Array }
  | { what: 'ended' }
  | { what: 'failed'; code?: string; message: string; field?: string }

/** What it is asked for: one piece more, or to end. */
export type ThreadRequest = 'more' | 'stop'
