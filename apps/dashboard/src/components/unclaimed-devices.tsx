import { session, t } from '../store.ts'
import { usePage } from './page-context.ts'
import { useListing } from './use-listing.ts'

const REFRESH_MS = 10_000

/** What hangs on the machines of the workers and is no instrument yet: for those who write site.yaml. */
export function UnclaimedDevices() {
  return session.value?.role === 'admin' ? <List /> : null
}

function List() {
  const { api } = usePage()
  const { rows, error } = useListing(() => api.unclaimed(), REFRESH_MS, '')
  if (error) return <p class="error">{t('loadFailed', { message: error })}</p>
  if (rows === null || rows.length === 0) return null
  return (
    <section class="unclaimed" aria-label={t('unclaimed')} data-part="unclaimed">
      <h2>{t('unclaimed')}</h2>
      <p class="quiet">{t('unclaimedHint')}</p>
      <ul>
        {rows.map(({ host, address, label, note }) => (
          <li key={`${host} ${address}`}>
            {label} <span class="quiet">({host})</span> <code>{address}</code>
            {note && <p class="detail">{note}</p>}
          </li>
        ))}
      </ul>
    </section>
  )
}
