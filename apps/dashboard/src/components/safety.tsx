import type { InstrumentDescription, InstrumentState, PowerReturnChoice } from '@golem/core'
import { useState } from 'preact/hooks'
import { descriptions, session, t } from '../store.ts'
import { usePage } from './page-context.ts'
import { useListing } from './use-listing.ts'

interface SafetyProps {
  instrument: InstrumentDescription
  state: InstrumentState | undefined
}

const CHOICES: readonly PowerReturnChoice[] = ['device', 'golem', 'safe']
const CHOICE_KEYS = { device: 'powerKeepDevice', golem: 'powerKeepGolem', safe: 'powerKeepSafe' } as const

/** After a power cut outputs are no longer as they were: which values win? */
export function PowerReturnQuestion({ instrument, state }: SafetyProps) {
  const { commands } = usePage()
  const question = state?.powerReturn
  if (!question) return null
  return (
    <div class="banner warn" role="alert" data-part="power-return">
      <p>
        <strong>{t('powerReturned')}</strong>{' '}
        {question.differences
          .map(({ parameter, before, now }) =>
            t('powerDifference', {
              name: instrument.parameters[parameter]?.label ?? parameter,
              before: String(before),
              now: String(now),
            }),
          )
          .join('; ')}
      </p>
      {session.value?.role !== 'viewer' &&
        CHOICES.map((keep) => (
          <button
            key={keep}
            type="button"
            data-keep={keep}
            onClick={() => void commands.settlePowerReturn(instrument.id, keep)}
          >
            {t(CHOICE_KEYS[keep])}
          </button>
        ))}
    </div>
  )
}

/** How long each output may stay in a state that nobody wants; asked for when it is opened. */
export function WorstCases({ instrument }: { instrument: InstrumentDescription }) {
  const [isOpen, setOpen] = useState(false)
  if (!Object.values(instrument.parameters).some(({ writable }) => writable)) return null
  return (
    <details class="worst-cases" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('worstCases')}</summary>
      {isOpen && <WorstCaseList instrument={instrument} />}
    </details>
  )
}

function WorstCaseList({ instrument }: { instrument: InstrumentDescription }) {
  const { api } = usePage()
  const { rows, error } = useListing(() => api.worstCases(instrument.id), null, descriptions.value)
  if (error !== '') return <p>{error}</p>
  return (
    <dl>
      {(rows ?? []).map(([name, sentences]) => (
        <div key={name}>
          <dt>{instrument.parameters[name]?.label ?? name}</dt>
          {sentences.map((sentence) => (
            <dd key={sentence}>{sentence}</dd>
          ))}
        </div>
      ))}
    </dl>
  )
}
