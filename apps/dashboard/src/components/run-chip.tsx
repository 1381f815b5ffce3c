import type { RunEnd, RunRecord, RunState } from '@golem/core'
import type { MessageKey } from '../i18n.ts'
import { t } from '../store.ts'

const STATES: Record<Exclude<RunState, 'ended'>, { key: MessageKey; look: string }> = {
  waiting: { key: 'runWaiting', look: 'wait' },
  running: { key: 'runRunning', look: 'go' },
  paused: { key: 'runPaused', look: 'hold' },
  asking: { key: 'runAsking', look: 'ask' },
  stopping: { key: 'runStopping', look: 'warn' },
}

const ENDS: Record<RunEnd, { key: MessageKey; look: string }> = {
  completed: { key: 'runCompleted', look: 'ok' },
  stopped: { key: 'runStopped', look: 'off' },
  aborted: { key: 'runAborted', look: 'warn' },
  failed: { key: 'runFailed', look: 'bad' },
  killed: { key: 'runKilled', look: 'warn' },
}

/** How a run is, or how it ended. */
export function RunChip({ run: { state, end } }: { run: Pick<RunRecord, 'state' | 'end'> }) {
  const { key, look } =
    state !== 'ended'
      ? STATES[state]
      : end === undefined
        ? { key: 'runEndedUnknown' as const, look: 'off' }
        : ENDS[end]
  return (
    <span class={`chip ${look}`} data-part="run-state">
      <span class="glyph" aria-hidden="true" />
      {t(key)}
    </span>
  )
}
