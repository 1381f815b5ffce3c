import type { CommandRecord } from '@golem/core'
import { formatTarget, formatTime } from '../format.ts'
import { descriptions, language, now, said, t } from '../store.ts'
import { effectSentence, OutcomeChip } from './outcome-chip.tsx'
import { usePage } from './page-context.ts'
import { Result } from './result.tsx'
import { TimelinePanel } from './timeline-panel.tsx'
import { useListing } from './use-listing.ts'

const COMMANDS = 50
const REFRESH_MS = 2000

/** What happened on the site, and the last commands with what they gave; newest first. */
export function LogPanel() {
  return (
    <div class="log">
      <TimelinePanel />
      <CommandTable />
    </div>
  )
}

function CommandTable() {
  const { api } = usePage()
  const { rows, error } = useListing(() => api.commands({ limit: COMMANDS }), REFRESH_MS, '')
  return (
    <section aria-label={t('commands')}>
      <h2>{t('commands')}</h2>
      {error && <p class="error">{t('loadFailed', { message: error })}</p>}
      {rows === null && !error && <p class="quiet">{t('loading')}</p>}
      {rows?.length === 0 && <p class="quiet">{t('noCommands')}</p>}
      {rows !== null && rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('time')}</th>
              <th scope="col">{t('command')}</th>
              <th scope="col">{t('by')}</th>
              <th scope="col">{t('outcome')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((record) => (
              <CommandRow key={record.id} record={record} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function CommandRow({ record }: { record: CommandRecord }) {
  const { commands } = usePage()
  const instrument = descriptions.value?.find(({ id }) => id === record.instrument)
  const what = formatTarget(record, instrument, language.value)
  return (
    <tr data-command={record.id} data-result={record.outcome ?? record.state}>
      <td class="time">{formatTime(record.submittedAt, now.value, language.value)}</td>
      <td>
        <span class="quiet">{instrument?.label ?? record.instrument}:</span> {what}
      </td>
      <td class="by">{record.by}</td>
      <td>
        <OutcomeChip record={record} />
        {record.state === 'queued' && (
          <button
            type="button"
            class="link"
            aria-label={t('cancelCommandLabel', { what })}
            onClick={() => void commands.cancel(record.id)}
          >
            {t('cancelCommand')}
          </button>
        )}
        <Result record={record} />
        {record.message && <p class="detail">{said(record.message, record.code)}</p>}
        {record.outcome !== undefined && record.outcome !== 'done' && (
          <p class="detail">{effectSentence(record.settled?.effect ?? record.effect ?? 'unknown')}</p>
        )}
        {record.settled && <p class="detail">{t('settledBy', { message: said(record.settled.message) })}</p>}
      </td>
    </tr>
  )
}
