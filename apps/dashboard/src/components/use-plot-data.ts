import type { HistoryDocument } from '@golem/core'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { HistoryApi } from '../plots/history-api.ts'
import { usePage } from './page-context.ts'

/** What is asked of the archive, of which plots show one or, to compare, two. */
export interface PlotPart {
  /** As the API takes them. */
  from: string
  to: string
}

interface PlotData {
  /** One for each part; null: not loaded yet. What was loaded before stays until what comes next is there. */
  documents: readonly HistoryDocument[] | null
  /** Which runs they are of. */
  runs: string
  error: string
}

const NOTHING: PlotData = { documents: null, runs: '', error: '' }

/**
 * Loads what a plot shows, anew when that changes, and every so often while it follows what happens.
 *
 * @param runs - what they are of: answers for other ones are not shown, as their times count from elsewhere
 * @param points - as many as the plot is wide
 * @param everyMs - null: it does not follow
 */
export function usePlotData(
  series: readonly string[],
  parts: readonly PlotPart[],
  runs: string,
  points: number,
  everyMs: number | null,
): PlotData & { isLoading: boolean } {
  const { api } = usePage()
  const history = useMemo(() => new HistoryApi(api), [api])
  const [data, setData] = useState(NOTHING)
  const [isLoading, setLoading] = useState(false)
  const latest = useRef(0)
  const what = JSON.stringify([series, parts, runs, points])
  useEffect(() => {
    if (series.length === 0 || parts.length === 0) {
      setData(NOTHING)
      return
    }
    latest.current += 1
    const mine = latest.current
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      setLoading(true)
      try {
        const documents = await Promise.all(
          parts.map(({ from, to }) => history.history(series, from, to, points)),
        )
        if (mine === latest.current) setData({ documents, runs, error: '' })
      } catch (error) {
        if (!(error instanceof Problem || error instanceof Unreachable)) throw error
        if (mine === latest.current) setData((before) => ({ ...before, error: error.message }))
      }
      if (mine !== latest.current) return
      setLoading(false)
      if (everyMs !== null) timer = setTimeout(() => void load(), everyMs)
    }
    void load()
    return () => {
      latest.current += 1
      clearTimeout(timer)
    }
  }, [what, everyMs])
  return { ...data, documents: data.runs === runs ? data.documents : null, isLoading }
}
