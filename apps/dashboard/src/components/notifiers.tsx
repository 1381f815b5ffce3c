import type { NotifierDescription } from '../alarms-api.ts'
import { session, t } from '../store.ts'
import { useAlarms } from './use-alarms.ts'
import { useListing } from './use-listing.ts'

const REFRESH_MS = 10_000

/** Who is told of alarms; an admin can send tests. */
export function Notifiers() {
  const { api } = useAlarms()
  const { rows, error } = useListing(() => api.notifiers(), REFRESH_MS, '')
  return (
    <section class="notifiers" aria-label={t('notifiers')}>
      <h2>{t('notifiers')}</h2>
      {error && <p class="error">{t('loadFailed', { message: error })}</p>}
      {rows?.length === 0 && <p class="quiet">{t('noNotifiers')}</p>}
      {rows !== null && rows.length > 0 && (
        <ul>
          {rows.map((notifier) => (
            <Notifier key={notifier.name} notifier={notifier} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Notifier({ notifier: { name, kind, severities, failing } }: { notifier: NotifierDescription }) {
  const { test } = useAlarms()
  return (
    <li data-notifier={name} data-failing={failing === null ? undefined : ''}>
      <strong>{name}</strong>{' '}
      <span class="quiet">
        {kind}: {severities.join(', ')}
      </span>
      {failing !== null && (
        <span class="chip bad" title={failing}>
          <span class="glyph" aria-hidden="true" />
          {t('notifierFails')}
        </span>
      )}
      {session.value?.role === 'admin' && (
        <button
          type="button"
          class="small"
          data-role="test-notifier"
          aria-label={t('notifierTestLabel', { name })}
          onClick={() => void test(name)}
        >
          {t('notifierTest')}
        </button>
      )}
    </li>
  )
}
