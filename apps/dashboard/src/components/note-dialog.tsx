import { useId, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import { descriptions, siteNow, t } from '../store.ts'
import { type NoteBody, TimelineApi } from '../timeline-api.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

interface NoteDialogProps {
  /** What it is about at first: of the filter. */
  instrument: string
  run: string
  onDone: () => void
  onClose: () => void
}

/** Asks what is to be noted, and about which moment or span of time. */
export function NoteDialog({ instrument: first, run, onDone, onClose }: NoteDialogProps) {
  const { api } = usePage()
  const [text, setText] = useState('')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [instrument, setInstrument] = useState(first)
  const [wrong, setWrong] = useState('')
  const id = useId()

  const confirm = (): void => {
    const [begin, end] = [Date.parse(from), Date.parse(to)]
    if (text.trim() === '') return setWrong(t('noteEmpty'))
    if (to !== '' && !(end > (from === '' ? (siteNow() ?? Date.now()) : begin)))
      return setWrong(t('noteSpanWrong'))
    const body: NoteBody = {
      text: text.trim(),
      ...(Number.isNaN(begin) ? {} : { from: new Date(begin).toISOString() }),
      ...(to === '' ? {} : { to: new Date(end).toISOString() }),
      ...(instrument === '' ? {} : { instrument }),
      ...(run === '' ? {} : { run }),
    }
    new TimelineApi(api).note(body).then(onDone, (error: unknown) => {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      setWrong(t('noteFailed', { message: error.message }))
    })
  }

  return (
    <Dialog title={t('noteTitle')} confirmLabel={t('noteSave')} onClose={onClose} onConfirm={confirm}>
      <div class="noting">
        <label for={`${id}-text`}>{t('noteText')}</label>
        <textarea
          id={`${id}-text`}
          data-field="text"
          rows={4}
          maxLength={4000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <div class="span">
          <label>
            {t('noteFrom')}
            <input
              type="datetime-local"
              data-field="from"
              value={from}
              onInput={(event) => setFrom(event.currentTarget.value)}
            />
          </label>
          <label>
            {t('noteTo')}
            <input
              type="datetime-local"
              data-field="to"
              value={to}
              onInput={(event) => setTo(event.currentTarget.value)}
            />
          </label>
        </div>
        <label for={`${id}-instrument`}>{t('timelineInstrument')}</label>
        <select
          id={`${id}-instrument`}
          data-field="instrument"
          value={instrument}
          onChange={(event) => setInstrument(event.currentTarget.value)}
        >
          <option value="">{t('noteOfAll')}</option>
          {(descriptions.value ?? []).map((one) => (
            <option key={one.id} value={one.id}>
              {one.label}
            </option>
          ))}
        </select>
        {run !== '' && <p class="quiet">{t('noteOfRun', { run })}</p>}
        {wrong !== '' && (
          <p class="error" role="alert">
            {wrong}
          </p>
        )}
      </div>
    </Dialog>
  )
}
