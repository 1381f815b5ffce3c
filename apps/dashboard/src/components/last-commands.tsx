import type { InstrumentDescription } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatTarget, formatTime } from '../format.ts'
import { language, now, t } from '../store.ts'
import { OutcomeChip } from './outcome-chip.tsx'
import { usePage } from './page-context.ts'
import { Result } from './result.tsx'
import { useListing } from './use-listing.ts'

const SHOWN = 5

interface LastCommandsProps {
  instrument: InstrumentDescription
  /** Id of the command that ended last: the list is loaded again when it changes. */
  newest: string | null
}

export function LastCommands(props: LastCommandsProps) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="last" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('lastCommands')}</summary>
      {isOpen && <List {...props} />}
    </details>
  )
}

function List({ instrument, newest }: LastCommandsProps) {
  const { api } = usePage()
  const load = () => api.commands({ instrument: instrument.id, limit: SHOWN })
  const { rows, error } = useListing(load, null, newest)
  if (error) return <p class="error">{t('loadFailed', { message: error })}</p>
  if (rows === null) return <p class="quiet">{t('loading')}</p>
  if (rows.length === 0) return <p class="quiet">{t('noCommands')}</p>
  return (
    <ul>
      {rows.map((record) => (
        <li key={record.id} data-command={record.id} title={record.message}>
          <span class="quiet">{formatTime(record.submittedAt, now.peek(), language.value)}</span>{' '}
          {formatTarget(record, instrument, language.value)} <span class="quiet">{record.by}</span>{' '}
          <OutcomeChip record={record} />
          <Result record={record} />
        </li>
      ))}
    </ul>
  )
}
