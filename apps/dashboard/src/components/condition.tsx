import type { InstrumentDescription, InstrumentState } from '@golem/core'
import { formatDuration, formatTarget } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { language, said, site, t } from '../store.ts'

/** Word and look of each condition; the glyph differs in shape, so that colour is never alone. */
const CONDITIONS: Record<InstrumentState['condition'], { key: MessageKey; look: string }> = {
  connecting: { key: 'conditionConnecting', look: 'wait' },
  ok: { key: 'conditionOk', look: 'ok' },
  degraded: { key: 'conditionDegraded', look: 'warn' },
  lost: { key: 'conditionLost', look: 'bad' },
  stopped: { key: 'conditionStopped', look: 'off' },
}

export function ConditionChip({ state }: { state: InstrumentState | undefined }) {
  const condition = state && CONDITIONS[state.condition]
  return (
    <span class={`chip ${condition?.look ?? 'wait'}`} title={said(state?.message ?? '')}>
      <span class="glyph" aria-hidden="true" />
      {t(condition?.key ?? 'conditionNone')}
    </span>
  )
}

/** Shown beside the condition when the emergency stop holds an instrument: it may answer perfectly well. */
export function StopChip({ instrument }: { instrument: string }) {
  const stop = site.value?.stop
  if (!stop || (!stop.site && !Object.hasOwn(stop.instruments, instrument))) return null
  return (
    <span class="chip held">
      <span class="glyph" aria-hidden="true" />
      {t('emergencyStopped')}
    </span>
  )
}

/** What waits and runs at an instrument, whoever sent it. */
export function QueueLine({
  instrument,
  state,
}: {
  instrument: InstrumentDescription
  state: InstrumentState
}) {
  const { running, waiting, oldestMs } = state.queue
  if (!running && waiting === 0) return null
  return (
    <p class="queue" data-part="queue">
      {running && (
        <span>
          {t('running', { by: running.by, what: formatTarget(running, instrument, language.value) })}
        </span>
      )}
      {waiting > 0 && (
        <span>{t('waiting', { count: waiting, age: formatDuration(oldestMs, language.value) })}</span>
      )}
    </p>
  )
}
