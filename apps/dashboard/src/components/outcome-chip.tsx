import type { CommandRecord, Effect } from '@golem/core'
import type { MessageKey } from '../i18n.ts'
import { t } from '../store.ts'

const OUTCOMES = {
  done: { key: 'outcomeDone', look: 'ok' },
  refused: { key: 'outcomeRefused', look: 'off' },
  failed: { key: 'outcomeFailed', look: 'bad' },
  unknown: { key: 'outcomeUnknown', look: 'warn' },
} as const

const EFFECTS: Record<Effect, MessageKey> = {
  done: 'effectDone',
  none: 'effectNone',
  unknown: 'effectUnknown',
}

/** The sentence a person at the bench asks for first. */
export function effectSentence(effect: Effect): string {
  return t(EFFECTS[effect])
}

/** How a command ended, or that it waits or runs. */
export function OutcomeChip({ record }: { record: CommandRecord }) {
  const ended = record.state === 'ended' ? OUTCOMES[record.outcome ?? 'unknown'] : null
  const word = ended ? t(ended.key) : t(record.state === 'running' ? 'stateRunning' : 'stateQueued')
  return (
    <span class={`chip ${ended?.look ?? 'wait'}`}>
      <span class="glyph" aria-hidden="true" />
      {word}
    </span>
  )
}
