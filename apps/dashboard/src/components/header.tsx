import type { MessageKey } from '../i18n.ts'
import { connection, session, site, t } from '../store.ts'
import { StopButton } from './stop-button.tsx'

const ROLES = { viewer: 'roleViewer', operator: 'roleOperator', admin: 'roleAdmin' } as const

export function Header() {
  const who = session.value
  return (
    <header class="top">
      <div class="site">
        <h1>{who?.title ?? 'golem'}</h1>
        <p class="about">
          <ConnectionState />
          {who && (
            <span class="who" title={`${t('signedInAs')} ${who.name}`}>
              <span class="hidden">{t('signedInAs')} </span>
              {who.name} <span class="quiet">· {t(ROLES[who.role])}</span>
            </span>
          )}
        </p>
      </div>
      <StopButton instrument={null} />
    </header>
  )
}

function ConnectionState() {
  const { state } = connection.value
  const busIsLost = state === 'live' && site.value?.bus.ok === false
  const words: Record<typeof state, MessageKey> = {
    starting: 'connectingToServer',
    live: busIsLost ? 'busLostShort' : 'live',
    lost: 'serverLostShort',
  }
  const look = state === 'live' ? (busIsLost ? 'warn' : 'ok') : state === 'lost' ? 'bad' : 'wait'
  return (
    <span class={`chip ${look}`} data-connection={state} role="status">
      <span class="glyph" aria-hidden="true" />
      {t(words[state])}
    </span>
  )
}
