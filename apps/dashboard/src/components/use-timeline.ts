import type { TimelineDocument, TimelineEntry } from '@golem/core'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { TimelineApi } from '../timeline-api.ts'
import { merged, queryOf, type TimelineFilter } from '../timeline-filter.ts'
import { usePage } from './page-context.ts'

const REFRESH_MS = 2_000
const PAGE = 100
/** Older pages are asked for until so many more entries are there, or nothing is left. */
const EMPTY_PAGES = 20

interface Shown {
  /** Newest first; null: not loaded yet. */
  entries: readonly TimelineEntry[] | null
  /** Where older ones begin; null: there are none. */
  before: string | null
  /** Why entries may be missing. */
  note: string
  error: string
}

export interface Timeline extends Shown {
  /** Loads what came before. */
  older: () => void
  isLoading: boolean
  /** Looks at once for what is new. */
  refresh: () => void
}

const NOTHING: Shown = { entries: null, before: null, note: '', error: '' }

/** The entries that a filter takes: the newest as they come, older ones when they are asked for. */
export function useTimeline(filter: TimelineFilter): Timeline {
  const { api } = usePage()
  const key = queryOf(filter).toString()
  const [shown, setShown] = useState<Shown>(NOTHING)
  const [isLoading, setLoading] = useState(false)
  const [looks, setLooks] = useState(0)
  const current = useRef(key)
  current.current = key
  const isLive = filter.to === ''

  useEffect(() => setShown(NOTHING), [key])

  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async (): Promise<void> => {
      try {
        const page = await ask(new TimelineApi(api), key)
        if (!isOver) setShown((before) => withNewest(before, page))
      } catch (error) {
        const message = reasonOf(error)
        if (!isOver) setShown((before) => ({ ...before, error: message }))
      }
      if (!isOver && isLive) timer = setTimeout(() => void next(), REFRESH_MS)
    }
    void next()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [key, looks, isLive])

  const older = useCallback(() => {
    if (isLoading || shown.before === null) return
    setLoading(true)
    olderThan(new TimelineApi(api), key, shown.before)
      .then(
        ({ entries, before }) => {
          if (current.current !== key) return
          setShown((was) => ({ ...was, entries: merged(was.entries ?? [], entries), before, error: '' }))
        },
        (error: unknown) => {
          const message = reasonOf(error)
          if (current.current === key) setShown((was) => ({ ...was, error: message }))
        },
      )
      .finally(() => setLoading(false))
  }, [key, shown.before, isLoading])

  return { ...shown, older, isLoading, refresh: () => setLooks((n) => n + 1) }
}

function ask(api: TimelineApi, key: string, before?: string): Promise<TimelineDocument> {
  const query = new URLSearchParams(key)
  query.set('limit', String(PAGE))
  if (before !== undefined) query.set('before', before)
  return api.page(query)
}

/** The next page that has something: one may be empty while a rare word is looked for. */
async function olderThan(
  api: TimelineApi,
  key: string,
  from: string,
): Promise<Pick<TimelineDocument, 'entries' | 'before'>> {
  let page = await ask(api, key, from)
  for (let n = 0; n < EMPTY_PAGES && page.entries.length === 0 && page.before !== null; n += 1) {
    page = await ask(api, key, page.before)
  }
  return page
}

/** When more has come than a page holds, what was there before is left: nothing may be missing in between. */
function withNewest({ entries, before }: Shown, page: TimelineDocument): Shown {
  const known = new Set(entries?.map(({ id }) => id))
  const isJoined = entries !== null && (page.before === null || page.entries.some(({ id }) => known.has(id)))
  return {
    entries: merged(isJoined ? entries : [], page.entries),
    before: isJoined ? before : page.before,
    note: page.note ?? '',
    error: '',
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem || error instanceof Unreachable) return error.message
  throw error
}
