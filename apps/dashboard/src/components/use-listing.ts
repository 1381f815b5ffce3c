import { useEffect, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'

export interface Listing<T> {
  /** null: not loaded yet. */
  rows: readonly T[] | null
  /** Why the last attempt failed; empty when it did not. What was loaded before stays. */
  error: string
}

/**
 * Loads a list and keeps it fresh while it is shown.
 *
 * @param everyMs - pause between two loads; null: only when `changed` changes
 * @param changed - loads at once when this changes
 */
export function useListing<T>(
  load: () => Promise<readonly T[]>,
  everyMs: number | null,
  changed: unknown,
): Listing<T> {
  const [listing, setListing] = useState<Listing<T>>({ rows: null, error: '' })
  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async (): Promise<void> => {
      try {
        const rows = await load()
        if (!isOver) setListing({ rows, error: '' })
      } catch (error) {
        if (!(error instanceof Problem || error instanceof Unreachable)) throw error
        if (!isOver) setListing((before) => ({ rows: before.rows, error: error.message }))
      }
      if (!isOver && everyMs !== null) timer = setTimeout(() => void next(), everyMs)
    }
    void next()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [changed])
  return listing
}
