import type { MessageKey } from '../i18n.ts'
import { connection, pushed, session, site, t } from '../store.ts'
import { AlarmCount } from './alarm-notice.tsx'
import { Who } from './who.tsx'
import { StopButton } from './stop-button.tsx'

export function Header() {
  const who = session.value
  return (
    <header class="top">
      <div class="site">
        <h1>{who?.title ?? 'golem'}</h1>
        <div class="about">
          <ConnectionState />
          <AlarmCount />
          {who && <Who who={who} />}
        </div>
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
    live: busIsLost ? 'busLostShort' : pushed.value ? 'live' : 'livePolled',
    lost: 'serverLostShort',
  }
  const look = state === 'live' ? (busIsLost ? 'warn' : 'ok') : state === 'lost' ? 'bad' : 'wait'
  return (
    <span
      class={`chip ${look}`}
      data-connection={state}
      data-via={pushed.value ? 'push' : 'poll'}
      title={state === 'live' ? t(pushed.value ? 'livePushedAbout' : 'livePolledAbout') : ''}
      role="status"
    >
      <span class="glyph" aria-hidden="true" />
      {t(words[state])}
    </span>
  )
}
