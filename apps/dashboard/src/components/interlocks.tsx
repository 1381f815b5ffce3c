import type { InstrumentDescription, InstrumentState, InterlockRecord, InterlockView } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatTime } from '../format.ts'
import { language, now, said, session, site, t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

/** Interlocks that have tripped and wait for a person. */
export function TrippedInterlocks() {
  return (
    <>
      {(site.value?.interlocks ?? []).map((record) => (
        <Tripped key={record.name} record={record} />
      ))}
    </>
  )
}

function Tripped({ record: { name, tripped, guidance } }: { record: InterlockRecord }) {
  const { commands } = usePage()
  const [isAsking, setAsking] = useState(false)
  const [note, setNote] = useState('')
  if (!tripped) return null
  const since = formatTime(tripped.at, now.peek(), language.value)
  return (
    <div class="banner bad" data-banner="interlock" data-interlock={name}>
      <p>
        <strong>{t('interlockTripped', { name, since })}</strong>{' '}
        <span class="detail">{said(tripped.message)}</span> {guidance}
      </p>
      {session.value?.role !== 'viewer' && (
        <button
          type="button"
          data-role="reset-interlock"
          aria-label={t('interlockResetLabel', { name })}
          onClick={() => setAsking(true)}
        >
          {t('interlockReset')}
        </button>
      )}
      {isAsking && (
        <Dialog
          title={t('interlockResetTitle')}
          confirmLabel={t('interlockResetConfirm')}
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false)
            void commands.resetInterlock(name, note)
          }}
        >
          <p>{t('interlockResetText')}</p>
          <label>
            {t('interlockResetNote')}
            <input
              name="note"
              maxLength={500}
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          </label>
        </Dialog>
      )}
    </div>
  )
}

/** What interlocks do to one instrument just now; nothing where all is well. */
export function InterlockLines({
  instrument,
  state,
}: {
  instrument: InstrumentDescription
  state: InstrumentState | undefined
}) {
  const acting = (state?.interlocks ?? []).filter(({ condition }) => condition !== 'clear')
  if (acting.length === 0) return null
  return (
    <ul class="interlocks" data-part="interlocks">
      {acting.map((one) => (
        <li key={one.name} data-interlock={one.name} data-condition={one.condition}>
          {inWords(one, instrument)}
        </li>
      ))}
    </ul>
  )
}

function inWords(
  { name, condition, message, refused, held }: InterlockView,
  instrument: InstrumentDescription,
) {
  const labels = (names: readonly string[]): string =>
    names.map((each) => (instrument.parameters[each] ?? instrument.actions[each])?.label ?? each).join(', ')
  if (Object.keys(held).length > 0)
    return t('interlockHolds', { name, message: said(message), names: labels(Object.keys(held)) })
  if (condition === 'waiting') return t('interlockWaits', { name, message: said(message) })
  return t('interlockRefuses', { name, message: said(message), names: labels(refused) })
}
