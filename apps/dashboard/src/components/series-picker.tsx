import { useMemo, useState } from 'preact/hooks'
import { MOST_SERIES } from '../plots/address.ts'
import type { SeriesChoice } from '../plots/choices.ts'
import { t } from '../store.ts'

interface SeriesPickerProps {
  choices: readonly SeriesChoice[]
  chosen: readonly string[]
  onChange: (series: readonly string[]) => void
}

/** More are found by typing. */
const MOST_SHOWN = 200

/** Which series are plotted: a list to tick, searched by what they are called. */
export function SeriesPicker({ choices, chosen, onChange }: SeriesPickerProps) {
  const [search, setSearch] = useState('')
  // Only how it begins: whoever ticks several wants it open until it is closed.
  const [isOpen] = useState(chosen.length === 0)
  const found = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean)
    return choices.filter(({ name, instrument, label }) => {
      const text = `${name} ${instrument} ${label}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
  }, [choices, search])
  const isFull = chosen.length >= MOST_SERIES
  return (
    <details class="series-picker" data-part="series-picker" open={isOpen}>
      <summary>{t('plotChoose', { count: chosen.length })}</summary>
      <input
        class="line"
        type="search"
        value={search}
        placeholder={t('plotSearch')}
        aria-label={t('plotSearch')}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      <ul>
        {found.slice(0, MOST_SHOWN).map(({ name, instrument, label, unit }) => {
          const isChosen = chosen.includes(name)
          return (
            <li key={name}>
              <label>
                <input
                  type="checkbox"
                  data-choice={name}
                  checked={isChosen}
                  disabled={isFull && !isChosen}
                  onChange={() =>
                    onChange(isChosen ? chosen.filter((one) => one !== name) : [...chosen, name])
                  }
                />
                <span>
                  <span class="quiet">{instrument}:</span> {label}
                  {unit && <span class="quiet"> ({unit})</span>}
                </span>
              </label>
            </li>
          )
        })}
      </ul>
      {found.length === 0 && <p class="quiet">{t('plotNoneFound')}</p>}
      {isFull && <p class="quiet">{t('plotMost', { count: MOST_SERIES })}</p>}
    </details>
  )
}
