import { holderName, type InstrumentDescription, type ReservationRecord } from '@golem/core'
import type { ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { ReservationBody } from '../api.ts'
import { formatDuration } from '../format.ts'
import { formatMinute, namesIn } from '../reservation.ts'
import { language, now, siteNow, t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** No quiet period. */
const NONE = '0'
/** For how long an instrument can be reserved here; others are a matter of the command line, in ms. */
const SPANS = [30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY]

interface ReserveDialogProps {
  instrument: InstrumentDescription
  /** The reservation to change; null: a new one, or a booking. */
  mine: ReservationRecord | null
  /** Somebody else has it: without a beginning to come, one waits in line. */
  isHeld: boolean
  onClose: () => void
}

/** Asks how long, what for and with whom an instrument is to be reserved. */
export function ReserveDialog({ instrument, mine, isHeld, onClose }: ReserveDialogProps) {
  const { commands } = usePage()
  const [span, setSpan] = useState(mine ? '' : String(HOUR))
  const [from, setFrom] = useState('')
  const [note, setNote] = useState(mine?.note ?? '')
  const [share, setShare] = useState(mine?.sharedWith.join(', ') ?? '')
  const [quiet, setQuiet] = useState(mine?.quietUntil === undefined ? NONE : '')
  const [isSafe, setSafe] = useState(mine?.onExpiry === 'safe')
  const [to, setTo] = useState('')
  const [isWrong, setWrong] = useState(false)
  const name = instrument.label

  const confirm = (): void => {
    if (to.trim() !== '') {
      void commands.reserve(instrument.id, { to: to.trim() })
      onClose()
      return
    }
    const begins = from === '' ? null : new Date(from)
    if (begins !== null && !(begins.getTime() > (siteNow() ?? 0))) {
      setWrong(true)
      return
    }
    const body: ReservationBody = {
      ...(span === '' ? {} : { forMs: Number(span) }),
      ...(note.trim() === '' && !mine?.note ? {} : { note: note.trim() }),
      ...(isSafe || mine ? { onExpiry: isSafe ? 'safe' : 'hold' } : {}),
    }
    if (begins !== null) body.from = begins.toISOString()
    else {
      if (isHeld) body.wait = true
      if (share.trim() !== '' || mine) body.share = namesIn(share)
      if (quiet === NONE) body.quietUntil = null
      else if (quiet !== '') body.quietUntil = new Date((siteNow() ?? 0) + Number(quiet)).toISOString()
    }
    void commands.reserve(instrument.id, body)
    onClose()
  }

  const spans = SPANS.map((ms) => ({ value: String(ms), words: formatDuration(ms, language.value) }))
  const asItIs = mine && {
    value: '',
    words: t('reserveKeep', { until: formatMinute(mine.until, now.value, language.value) }),
  }
  const quietAsItIs = mine?.quietUntil
    ? [
        {
          value: '',
          words: t('reserveKeep', { until: formatMinute(mine.quietUntil, now.value, language.value) }),
        },
      ]
    : []
  const isBooking = from !== ''
  return (
    <Dialog
      title={t(mine ? 'reserveChangeTitle' : 'reserveTitle', { name })}
      confirmLabel={t(mine ? 'reserveSave' : 'reserveLabel', { name })}
      onClose={onClose}
      onConfirm={confirm}
    >
      <div class="reserving">
        <p>{t('reserveText')}</p>
        <Choice
          label={t('reserveFor')}
          part="for"
          choices={asItIs ? [asItIs, ...spans] : spans}
          value={span}
          onChange={setSpan}
        />
        <Text label={t('reserveNote')} part="note" maxLength={200} value={note} onChange={setNote} />
        {!mine && (
          <Text
            label={t(isHeld ? 'bookFrom' : 'reserveFrom')}
            part="from"
            type="datetime-local"
            value={from}
            onChange={(text) => {
              setFrom(text)
              setWrong(false)
            }}
          >
            {isWrong && (
              <p class="wrong" role="alert">
                {t('reserveWrongTime')}
              </p>
            )}
          </Text>
        )}
        {!isBooking && !isHeld && (
          <>
            <Text label={t('reserveShare')} part="share" maxLength={400} value={share} onChange={setShare} />
            <Choice
              label={t('reserveQuiet')}
              part="quiet"
              choices={[...quietAsItIs, { value: NONE, words: t('reserveQuietNone') }, ...spans]}
              value={quiet}
              onChange={setQuiet}
            />
          </>
        )}
        <div class="field">
          <label class="check">
            <input
              type="checkbox"
              data-field="safe"
              checked={isSafe}
              onChange={(event) => setSafe(event.currentTarget.checked)}
            />
            {t('reserveSafe')}
          </label>
        </div>
        {mine && <Text label={t('reserveHandOver')} part="to" maxLength={100} value={to} onChange={setTo} />}
      </div>
    </Dialog>
  )
}

interface EndDialogProps {
  instrument: InstrumentDescription
  current: ReservationRecord
  onClose: () => void
}

/** Asks an admin why somebody's reservation is to end. */
export function EndDialog({ instrument, current, onClose }: EndDialogProps) {
  const { commands } = usePage()
  const [reason, setReason] = useState('')
  // The one that was seen when the dialog was opened: not whoever has it by the time it is confirmed.
  const [seen] = useState(current)
  const by = holderName(seen.holder)
  const { quietUntil } = seen
  return (
    <Dialog
      title={t('endReservationTitle', { by })}
      confirmLabel={t('endReservationConfirm')}
      isDangerous
      onClose={onClose}
      onConfirm={() => {
        if (reason.trim() === '') return
        void commands.giveBack(instrument.id, { reason: reason.trim(), fence: String(seen.fence) })
        onClose()
      }}
    >
      <div class="reserving">
        <p>{t('endReservationText', { by })}</p>
        {quietUntil !== undefined && (
          <p>{t('quietUntil', { until: formatMinute(quietUntil, now.value, language.value) })}</p>
        )}
        <Text
          label={t('endReservationReason')}
          part="reason"
          maxLength={200}
          value={reason}
          onChange={setReason}
        />
      </div>
    </Dialog>
  )
}

interface FieldProps {
  label: string
  /** For tests: `data-field`. */
  part: string
  value: string
  onChange: (value: string) => void
}

function Text({
  label,
  part,
  value,
  onChange,
  type = 'text',
  maxLength,
  children,
}: FieldProps & { type?: 'text' | 'datetime-local'; maxLength?: number; children?: ComponentChildren }) {
  const id = useId()
  const field = {
    id,
    value,
    class: 'line',
    'data-field': part,
    onInput: (event: Event) => onChange((event.currentTarget as HTMLInputElement).value),
  }
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === 'text' ? (
        <input type="text" maxLength={maxLength} {...field} />
      ) : (
        <input type="datetime-local" {...field} />
      )}
      {children}
    </div>
  )
}

function Choice({
  label,
  part,
  value,
  onChange,
  choices,
}: FieldProps & { choices: readonly { value: string; words: string }[] }) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        data-field={part}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.words}
          </option>
        ))}
      </select>
    </div>
  )
}
