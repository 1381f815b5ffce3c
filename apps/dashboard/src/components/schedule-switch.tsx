import type { ScheduleState } from '@golem/core'
import { useState } from 'preact/hooks'
import { serverLost, session, site, t } from '../store.ts'
import { usePage } from './page-context.ts'

interface ScheduleSwitchProps {
  schedule: ScheduleState
  /** Told when the scheduler has answered, or nobody has. */
  onSwitched: () => void
}

/** Switches a schedule on or off. It shows how the schedule is, never what was asked. */
export function ScheduleSwitch({ schedule, onSwitched }: ScheduleSwitchProps) {
  const { runs } = usePage()
  const [isBusy, setBusy] = useState(false)
  const { enabled, label } = schedule
  if (session.value?.role === 'viewer') {
    return <span class="detail">{t(enabled ? 'scheduleOn' : 'scheduleOff')}</span>
  }
  const press = async (): Promise<void> => {
    if (isBusy) return
    setBusy(true)
    await runs.enable(schedule, !enabled)
    setBusy(false)
    onSwitched()
  }
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      data-role="enable"
      aria-checked={enabled}
      aria-label={t('scheduleSwitch', { name: label })}
      aria-busy={isBusy}
      aria-disabled={isBusy}
      disabled={serverLost.value || site.value?.bus.ok === false}
      onClick={() => void press()}
    >
      <span class="track" aria-hidden="true">
        <span class="thumb" />
      </span>
    </button>
  )
}
