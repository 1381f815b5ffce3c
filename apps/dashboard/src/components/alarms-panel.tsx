import type { AlarmRecord, Severity } from '@golem/core'
import { useId, useState } from 'preact/hooks'
import { canAcknowledge, inOrder, isCalling } from '../alarms.ts'
import { formatTime } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { descriptions, language, now, said, session, site, t } from '../store.ts'
import { Age } from './age.tsx'
import { AlarmHistory } from './alarm-history.tsx'
import { Dialog } from './dialog.tsx'
import { Notifiers } from './notifiers.tsx'
import { useAlarms } from './use-alarms.ts'

const SEVERITY_WORDS: Record<Severity, MessageKey> = {
  info: 'severityInfo',
  warning: 'severityWarning',
  critical: 'severityCritical',
}
const SEVERITY_LOOKS: Record<Severity, string> = { info: 'off', warning: 'warn', critical: 'bad' }

/** What calls somebody, what became of it, and who is told. */
export function AlarmsPanel() {
  const alarms = inOrder(site.value?.alarms ?? [])
  return (
    <div class="alarms">
      <section aria-label={t('tabAlarms')}>
        {alarms.length === 0 ? (
          <p class="empty">{t('noAlarms')}</p>
        ) : (
          <ul class="alarm-list">
            {alarms.map((alarm) => (
              <Alarm key={alarm.id} alarm={alarm} />
            ))}
          </ul>
        )}
      </section>
      <AlarmHistory />
      <Notifiers />
    </div>
  )
}

function Alarm({ alarm }: { alarm: AlarmRecord }) {
  const { id, severity, condition, message, guidance, since, returnedAt, acknowledged, inhibited, count } =
    alarm
  const label = descriptions.value?.find((one) => one.id === alarm.instrument)?.label
  const isOver = condition === 'returned'
  return (
    <li
      class={`alarm ${isCalling(alarm) ? SEVERITY_LOOKS[severity] : 'seen'}`}
      data-alarm={id}
      data-severity={severity}
      data-condition={condition}
      data-acknowledged={acknowledged ? '' : undefined}
    >
      <div class="facts">
        <span class={`chip ${SEVERITY_LOOKS[severity]}`}>
          <span class="glyph" aria-hidden="true" />
          {t(SEVERITY_WORDS[severity])}
        </span>
        <span title={timeOf(since)}>
          {t(isOver ? 'alarmOver' : 'alarmActive')} <Age at={isOver ? returnedAt : since} />
        </span>
        {count > 1 && <span class="quiet">{t('alarmTimes', { count })}</span>}
        <span class="quiet id">{label === undefined ? id : `${label} · ${id}`}</span>
      </div>
      <p class="message">{said(message)}</p>
      {guidance !== undefined && <p class="guidance">{said(guidance)}</p>}
      {inhibited !== undefined && <p class="quiet">{t('alarmInhibited', { why: said(inhibited) })}</p>}
      {acknowledged && (
        <p class="seen-by">
          {t('alarmSeenBy', { by: acknowledged.by, at: timeOf(acknowledged.at) })}
          {acknowledged.note !== '' && `: ${acknowledged.note}`}
        </p>
      )}
      {canAcknowledge(alarm) && <Acknowledge alarm={alarm} />}
    </li>
  )
}

function Acknowledge({ alarm }: { alarm: AlarmRecord }) {
  const { acknowledge } = useAlarms()
  const [isAsking, setAsking] = useState(false)
  const [note, setNote] = useState('')
  const field = useId()
  const mayNot = session.value?.role === 'viewer'
  return (
    <>
      <button
        type="button"
        data-role="acknowledge"
        disabled={mayNot}
        title={mayNot ? t('blockedViewer') : undefined}
        aria-label={t('acknowledgeLabel', { message: said(alarm.message) })}
        onClick={() => setAsking(true)}
      >
        {t('acknowledge')}
      </button>
      {isAsking && (
        <Dialog
          title={t('acknowledgeTitle')}
          confirmLabel={t('acknowledgeConfirm')}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false)
            setNote('')
            void acknowledge(alarm.id, note.trim())
          }}
        >
          <p>{said(alarm.message)}</p>
          <p>{t('acknowledgeText')}</p>
          <div class="field">
            <label for={field}>{t('acknowledgeNote')}</label>
            <input
              id={field}
              type="text"
              class="line"
              maxLength={500}
              data-field="note"
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          </div>
        </Dialog>
      )}
    </>
  )
}

function timeOf(at: string): string {
  return formatTime(at, now.value, language.value)
}
