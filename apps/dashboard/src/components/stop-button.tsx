import type { InstrumentDescription } from '@golem/core'
import { t, unconfirmedStops } from '../store.ts'
import { usePage } from './page-context.ts'

/** Acts at the first press, whatever the state or the role: a stop is never greyed out on a guess. */
export function StopButton({ instrument }: { instrument: InstrumentDescription | null }) {
  const { commands } = usePage()
  const isSending = unconfirmedStops.value.has(instrument?.id ?? '')
  return (
    <button
      type="button"
      class={instrument ? 'stop small' : 'stop'}
      data-role="stop"
      data-instrument={instrument?.id}
      aria-label={instrument ? t('stopOneLabel', { name: instrument.label }) : t('stopAllLabel')}
      aria-busy={isSending}
      onClick={() => void commands.stop(instrument?.id ?? null)}
    >
      {isSending ? t('stopping') : instrument ? t('stopOne') : t('stopAll')}
    </button>
  )
}
