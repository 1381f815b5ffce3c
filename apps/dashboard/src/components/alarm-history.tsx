import { formatTime } from '../format.ts'
import { language, now, said, site, t } from '../store.ts'
import { useAlarms } from './use-alarms.ts'
import { useListing } from './use-listing.ts'

const ROWS = 100
const REFRESH_MS = 5000

/** What became of alarms and of messages about them, newest first. */
export function AlarmHistory() {
  const { api } = useAlarms()
  const changed = JSON.stringify(site.value?.alarms.map(({ id, condition }) => [id, condition]))
  const { rows, error } = useListing(() => api.history(ROWS), REFRESH_MS, changed)
  return (
    <section class="log alarm-history" aria-label={t('alarmHistory')}>
      <div>
        <h2>{t('alarmHistory')}</h2>
        {error && <p class="error">{t('loadFailed', { message: error })}</p>}
        {rows === null && !error && <p class="quiet">{t('loading')}</p>}
        {rows?.length === 0 && <p class="quiet">{t('noEvents')}</p>}
        {rows !== null && rows.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col">{t('time')}</th>
                <th scope="col">{t('message')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, at, message }) => (
                <tr key={id} data-event={id}>
                  <td class="time">{formatTime(at, now.value, language.value)}</td>
                  <td>{said(message)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  )
}
