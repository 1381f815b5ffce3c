import { useEffect, useRef, useState } from 'preact/hooks'
import type { MessageKey } from '../i18n.ts'
import { descriptions, site, t } from '../store.ts'
import { GROUPS, type KindGroup, NO_FILTER, type TimelineFilter } from '../timeline-filter.ts'

const GROUP_WORDS: Readonly<Record<KindGroup, MessageKey>> = {
  commands: 'groupCommands',
  safety: 'groupSafety',
  alarms: 'groupAlarms',
  runs: 'groupRuns',
  reservations: 'groupReservations',
  site: 'groupSite',
  notes: 'groupNotes',
  programs: 'groupPrograms',
}

const LEVEL_WORDS: readonly { level: TimelineFilter['level']; key: MessageKey }[] = [
  { level: '', key: 'timelineAllLevels' },
  { level: 'notice', key: 'timelineFromNotice' },
  { level: 'warning', key: 'timelineFromWarning' },
  { level: 'error', key: 'timelineFromError' },
]
/** After the last letter of a search, in ms. */
const TYPED_MS = 400

interface Props {
  filter: TimelineFilter
  onChange: (next: TimelineFilter) => void
}

/** What of the timeline is to be seen. */
export function TimelineFilters({ filter, onChange }: Props) {
  const runs = site.value?.runs ?? []
  /** A search that begins anew forgets what was typed and not yet looked for. */
  const [searches, setSearches] = useState(0)
  const isFiltered = JSON.stringify(filter) !== JSON.stringify(NO_FILTER)
  const showAll = (): void => {
    setSearches(searches + 1)
    onChange(NO_FILTER)
  }
  return (
    <div class="filters" role="group" aria-label={t('timelineFilters')}>
      <div class="groups">
        {GROUPS.map((group) => (
          <button
            key={group}
            type="button"
            aria-pressed={filter.groups.includes(group)}
            data-filter={group}
            onClick={() => onChange({ ...filter, groups: toggled(filter.groups, group) })}
          >
            {t(GROUP_WORDS[group])}
          </button>
        ))}
      </div>
      <div class="fields">
        <Search key={searches} text={filter.text} onChange={(text) => onChange({ ...filter, text })} />
        <select
          aria-label={t('timelineInstrument')}
          data-filter="instrument"
          value={filter.instrument}
          onChange={(event) => onChange({ ...filter, instrument: event.currentTarget.value })}
        >
          <option value="">{t('timelineAllInstruments')}</option>
          {withChosen(descriptions.value ?? [], filter.instrument).map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
        <select
          aria-label={t('timelineRun')}
          data-filter="run"
          value={filter.run}
          onChange={(event) => onChange({ ...filter, run: event.currentTarget.value })}
        >
          <option value="">{t('timelineAllRuns')}</option>
          {withChosen(runs, filter.run).map(({ id, label }) => (
            <option key={id} value={id}>
              {label === id ? id : `${id}: ${label}`}
            </option>
          ))}
        </select>
        <select
          aria-label={t('timelineLevel')}
          data-filter="level"
          value={filter.level}
          onChange={(event) => {
            const level = LEVEL_WORDS.find((one) => one.level === event.currentTarget.value)?.level ?? ''
            onChange({ ...filter, level })
          }}
        >
          {LEVEL_WORDS.map(({ level, key }) => (
            <option key={level} value={level}>
              {t(key)}
            </option>
          ))}
        </select>
        <label class="until">
          {t('timelineUntil')}
          <input
            type="datetime-local"
            data-filter="to"
            value={localOf(filter.to)}
            onChange={(event) => {
              const ms = Date.parse(event.currentTarget.value)
              onChange({ ...filter, to: Number.isNaN(ms) ? '' : new Date(ms).toISOString() })
            }}
          />
        </label>
        {isFiltered && (
          <button type="button" class="link" data-role="no-filter" onClick={showAll}>
            {t('timelineShowAll')}
          </button>
        )}
      </div>
    </div>
  )
}

/** Looks for a text when nothing more has been typed for a moment. */
function Search({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  // What else is filtered by may change while somebody types.
  const change = useRef(onChange)
  change.current = onChange
  useEffect(() => setTyped(text), [text])
  useEffect(() => {
    if (typed.trim() === text) return undefined
    const timer = setTimeout(() => change.current(typed.trim()), TYPED_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <input
      type="search"
      data-filter="text"
      maxLength={200}
      placeholder={t('timelineSearch')}
      aria-label={t('timelineSearch')}
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
    />
  )
}

function toggled(groups: readonly KindGroup[], group: KindGroup): KindGroup[] {
  return GROUPS.filter((one) => (one === group ? !groups.includes(one) : groups.includes(one)))
}

/** What an address names may be gone by now; it is still what is filtered by. */
function withChosen(
  known: readonly { id: string; label: string }[],
  chosen: string,
): readonly { id: string; label: string }[] {
  return chosen === '' || known.some(({ id }) => id === chosen)
    ? known
    : [...known, { id: chosen, label: chosen }]
}

/** As an input of the browser's takes it, in the reader's time zone. */
function localOf(at: string): string {
  const ms = Date.parse(at)
  if (Number.isNaN(ms)) return ''
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
