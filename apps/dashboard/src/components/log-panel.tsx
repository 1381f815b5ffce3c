import type { CommandRecord } from '@golem/core'
import { formatTarget, formatTime } from '../format.ts'
import { descriptions, language, now, said, t } from '../store.ts'
import { EntryDetails, LevelChip, LoggerName } from './log-entry.tsx'
import { effectSentence, OutcomeChip } from './outcome-chip.tsx'
import { usePage } from './page-context.ts'
import { Result } from './result.tsx'
import { useListing } from './use-listing.ts'

const COMMANDS = 50
const EVENTS = 100
const REFRESH_MS = 2000

/** What was asked of the instruments, and what happened on the site; newest first. */
export function LogPanel() {
  return (
    <div class="log">
      <CommandTable />
      <EventTable />
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

/** What the site calls an instrument. */
function labelOf(instrument: string): string {
  return descriptions.value?.find(({ id }) => id === instrument)?.label ?? instrument
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

function EventTable() {
  const { api } = usePage()
  const { rows, error } = useListing(() => api.events(EVENTS), REFRESH_MS, '')
  const newestFirst = rows?.toReversed() ?? null
  return (
    <section aria-label={t('events')}>
      <h2>{t('events')}</h2>
      {error && <p class="error">{t('loadFailed', { message: error })}</p>}
      {rows === null && !error && <p class="quiet">{t('loading')}</p>}
      {rows?.length === 0 && <p class="quiet">{t('noEvents')}</p>}
      {newestFirst !== null && newestFirst.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('time')}</th>
              <th scope="col">{t('eventKind')}</th>
              <th scope="col">{t('message')}</th>
            </tr>
          </thead>
          <tbody>
            {newestFirst.map((event) => (
              <tr key={event.id} data-event={event.id}>
                <td class="time">{formatTime(event.at, now.value, language.value)}</td>
                <td class="kind">{event.kind}</td>
                <td>
                  <LevelChip event={event} />{' '}
                  {event.instrument && <span class="quiet">{labelOf(event.instrument)}:</span>}{' '}
                  <LoggerName event={event} /> <span class="said">{said(event.message)}</span>{' '}
                  {event.by && <span class="quiet">({event.by})</span>}
                  <EntryDetails event={event} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
