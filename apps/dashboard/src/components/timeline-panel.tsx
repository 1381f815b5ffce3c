import type { TimelineEntry as Entry } from '@golem/core'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { choicesOf } from '../plots/choices.ts'
import { descriptions, language, session, t } from '../store.ts'
import { formatFilter, parseFilter, type TimelineFilter } from '../timeline-filter.ts'
import { NoteDialog } from './note-dialog.tsx'
import { TimelineEntry } from './timeline-entry.tsx'
import { TimelineFilters } from './timeline-filters.tsx'
import { useTimeline } from './use-timeline.ts'

/** What happened on the site, and why; newest first, as far back as it is archived. */
export function TimelinePanel() {
  const [filter, setFilter] = useFilter()
  const { entries, before, note, error, older, isLoading, refresh } = useTimeline(filter)
  const [isNoting, setNoting] = useState(false)
  const known = descriptions.value ?? []
  const series = useMemo(() => choicesOf(known, []).map(({ name }) => name), [known])
  return (
    <section
      aria-label={t('events')}
      class="happenings"
      data-part="timeline"
      data-loading={isLoading ? '' : undefined}
    >
      <div class="title">
        <h2>{t('events')}</h2>
        {session.value?.role !== 'viewer' && (
          <button type="button" data-role="add-note" onClick={() => setNoting(true)}>
            {t('noteAdd')}
          </button>
        )}
      </div>
      <TimelineFilters filter={filter} onChange={setFilter} />
      {error !== '' && <p class="error">{t('loadFailed', { message: error })}</p>}
      {note !== '' && (
        <p class="quiet" data-part="timeline-note">
          {note}
        </p>
      )}
      {entries === null && error === '' && <p class="quiet">{t('loading')}</p>}
      {entries?.length === 0 && before === null && <p class="quiet">{t('timelineNothing')}</p>}
      {daysOf(entries ?? []).map(({ day, rows }) => (
        <section key={day}>
          <h3>{day}</h3>
          <ol>
            {rows.map((entry) => (
              <TimelineEntry key={entry.id} entry={entry} series={series} />
            ))}
          </ol>
        </section>
      ))}
      {before !== null && <Older onReached={older} isLoading={isLoading} isFailing={error !== ''} />}
      {isNoting && (
        <NoteDialog
          instrument={filter.instrument}
          run={filter.run}
          onClose={() => setNoting(false)}
          onDone={() => {
            setNoting(false)
            refresh()
          }}
        />
      )}
    </section>
  )
}

interface OlderProps {
  onReached: () => void
  isLoading: boolean
  /** The last attempt failed: the next is not at once, unless somebody asks for it. */
  isFailing: boolean
}

/** Asks for older entries when it comes into sight; by its button also where that is not noticed. */
function Older({ onReached, isLoading, isFailing }: OlderProps) {
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const { current } = ref
    if (!current || isFailing) return undefined
    const observer = new IntersectionObserver(([seen]) => {
      if (seen?.isIntersecting) onReached()
    })
    observer.observe(current)
    return () => observer.disconnect()
  }, [onReached, isFailing])
  return (
    <button type="button" ref={ref} class="older" data-role="older" onClick={onReached} disabled={isLoading}>
      {t(isLoading ? 'loading' : 'timelineOlder')}
    </button>
  )
}

/** The filter stands in the address of the page. */
function useFilter(): [TimelineFilter, (next: TimelineFilter) => void] {
  const [hash, setHash] = useState(() => location.hash)
  useEffect(() => {
    const changed = (): void => setHash(location.hash)
    globalThis.addEventListener('hashchange', changed)
    return () => globalThis.removeEventListener('hashchange', changed)
  }, [])
  const filter = useMemo(() => parseFilter(hash), [hash])
  return [
    filter,
    (next) => {
      location.hash = formatFilter(next)
      setHash(location.hash)
    },
  ]
}

/** Entries by the day of the reader's time zone. */
function daysOf(entries: readonly Entry[]): { day: string; rows: Entry[] }[] {
  const format = new Intl.DateTimeFormat(language.value, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  })
  const days = new Map<string, Entry[]>()
  for (const entry of entries) {
    const day = format.format(Date.parse(entry.when))
    days.set(day, [...(days.get(day) ?? []), entry])
  }
  return [...days].map(([day, rows]) => ({ day, rows }))
}
