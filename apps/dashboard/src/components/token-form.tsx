import { useState } from 'preact/hooks'
import { t, tokenWanted } from '../store.ts'
import { usePage } from './page-context.ts'

/** Asks for the access token; it stays in this tab's storage. */
export function TokenForm() {
  const { memory, poller } = usePage()
  const [text, setText] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    const token = text.trim()
    if (token === '') return
    memory.set('token', token)
    tokenWanted.value = null
    poller.restart()
  }
  return (
    <form class="token" data-role="token" onSubmit={submit}>
      <h2>{t('tokenTitle')}</h2>
      <p>{t('tokenText')}</p>
      {tokenWanted.value === 'wrong' && (
        <p class="wrong" role="alert">
          {t('tokenWrong')}
        </p>
      )}
      <label for="token">{t('tokenTitle')}</label>
      <input
        id="token"
        type="password"
        class="line"
        autocomplete="current-password"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {t('tokenSend')}
      </button>
    </form>
  )
}
