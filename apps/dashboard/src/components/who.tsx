import { useState } from 'preact/hooks'
import { type Session, validName } from '../api.ts'
import { t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

const ROLES = { viewer: 'roleViewer', operator: 'roleOperator', admin: 'roleAdmin' } as const

/** Who commands from this page are from. Where nobody has to prove it, a name can be given here. */
export function Who({ who }: { who: Session }) {
  const [isAsking, setAsking] = useState(false)
  return (
    <span class="who" data-role="who">
      <span class="hidden">{t('signedInAs')} </span>
      {who.auth === 'tokens' ? (
        who.name
      ) : (
        <button type="button" class="link" title={t('nameChange')} onClick={() => setAsking(true)}>
          {who.name}
        </button>
      )}{' '}
      <span class="quiet">· {t(ROLES[who.role])}</span>
      {isAsking && <NameDialog onClose={() => setAsking(false)} />}
    </span>
  )
}

function NameDialog({ onClose }: { onClose: () => void }) {
  const { memory, poller } = usePage()
  const [text, setText] = useState(memory.get('name') ?? '')
  const [isWrong, setWrong] = useState(false)
  const save = (): void => {
    const name = validName(text)
    if (name === null && text.trim() !== '') {
      setWrong(true)
      return
    }
    memory.set('name', name)
    onClose()
    poller.whoAmI()
  }
  return (
    <Dialog title={t('nameTitle')} confirmLabel={t('nameSave')} onClose={onClose} onConfirm={save}>
      <p>{t('nameText')}</p>
      <input
        type="text"
        class="line"
        aria-label={t('nameTitle')}
        aria-invalid={isWrong}
        autocomplete="name"
        maxLength={64}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {isWrong && (
        <p class="wrong" role="alert">
          {t('nameWrong')}
        </p>
      )}
    </Dialog>
  )
}
