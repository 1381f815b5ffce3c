import { LANGUAGES } from '../i18n.ts'
import { language, session, t } from '../store.ts'
import { usePage } from './page-context.ts'

export function Footer() {
  const { memory, poller } = usePage()
  return (
    <footer class="bottom">
      <span class="quiet">golem {session.value?.version}</span>
      <a href="docs">{t('apiDocs')}</a>
      {memory.get('token') !== null && session.value && (
        <button
          type="button"
          class="link"
          onClick={() => {
            memory.set('token', null)
            poller.restart()
          }}
        >
          {t('tokenForget')}
        </button>
      )}
      <span class="space" />
      <span role="group" aria-label={t('language')}>
        {LANGUAGES.map(({ code, name }) => (
          <button
            key={code}
            type="button"
            class="link"
            lang={code}
            data-language={code}
            aria-pressed={language.value === code}
            onClick={() => {
              language.value = code
              memory.set('language', code)
            }}
          >
            {name}
          </button>
        ))}
      </span>
    </footer>
  )
}
