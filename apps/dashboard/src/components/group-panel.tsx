import type { InstrumentDescription, InstrumentState } from '@golem/core'
import { useId } from 'preact/hooks'
import { pendingKey } from '../commands.ts'
import { type GroupPart, partsOf, type Section } from '../groups.ts'
import { readingOf, sharedErrors } from '../model.ts'
import { allBlockedReason, blockedReason, descriptions, said, site, t } from '../store.ts'
import { ActionButton } from './action-button.tsx'
import { ConditionChip, QueueLine, StopChip } from './condition.tsx'
import { InterlockLines } from './interlocks.tsx'
import { ParameterCard } from './parameter-card.tsx'
import { ReservationLine } from './reservation.tsx'
import { Answer } from './result.tsx'
import { StopButton } from './stop-button.tsx'

/** All parameters of one group, under the instruments they belong to. */
export function GroupPanel({ group }: { group: string }) {
  return (
    <>
      {partsOf(descriptions.value ?? [], group).map((part) => (
        <InstrumentSection key={part.instrument.id} {...part} />
      ))}
    </>
  )
}

function InstrumentSection({ instrument, sections }: GroupPart) {
  const state = site.value?.instruments.get(instrument.id)
  const own = blockedReason(instrument.id)
  const blocked = allBlockedReason() ?? own
  const canBeCommanded = sections.some(
    ({ parameters, actions }) => actions.length > 0 || parameters.some(([, { writable }]) => writable),
  )
  const titleId = useId()
  return (
    <section
      class="instrument"
      aria-labelledby={titleId}
      data-instrument={instrument.id}
      data-condition={state?.condition ?? 'none'}
    >
      <header>
        <h2 id={titleId}>{instrument.label}</h2>
        <ConditionChip state={state} />
        <StopChip instrument={instrument.id} />
        {state && <QueueLine instrument={instrument} state={state} />}
        {canBeCommanded && <ReservationLine instrument={instrument} state={state} />}
        {canBeCommanded && (
          <div class="tools">
            <StopButton instrument={instrument} />
          </div>
        )}
      </header>
      {state && state.condition !== 'ok' && <p class="sentence">{said(state.message)}</p>}
      {canBeCommanded && <InterlockLines instrument={instrument} state={state} />}
      {canBeCommanded && own !== null && (
        <p class="blocked" data-part="blocked">
          {own}
        </p>
      )}
      <div class="sections">
        {sections.map((section) => (
          <SectionPart
            key={section.heading}
            instrument={instrument}
            section={section}
            state={state}
            blocked={blocked}
          />
        ))}
      </div>
    </section>
  )
}

interface SectionPartProps {
  instrument: InstrumentDescription
  section: Section
  state: InstrumentState | undefined
  blocked: string | null
}

/** What stands under one heading of an instrument, e.g. a channel of a supply. */
function SectionPart({ instrument, section, state, blocked }: SectionPartProps) {
  const { heading, parameters, actions } = section
  const id = useId()
  const errors = sharedErrors(
    state,
    parameters.map(([name]) => name),
  )
  const headed = heading === '' ? {} : { role: 'group' as const, 'aria-labelledby': `${id}-heading` }
  return (
    <div class={heading === '' ? 'section' : 'section headed'} data-section={heading} {...headed}>
      {heading !== '' && <h3 id={`${id}-heading`}>{heading}</h3>}
      {errors.map((error, index) => (
        <p class="error" key={error} id={`${id}-error-${index}`} data-part="shared-error">
          {error}
        </p>
      ))}
      {parameters.length > 0 && (
        <div class="cards">
          {parameters.map(([name, parameter]) => (
            <ParameterCard
              key={name}
              instrument={instrument}
              name={name}
              parameter={parameter}
              state={state}
              blocked={blocked}
              errorSaidAt={saidAt(id, errors, readingOf(state, name)?.error)}
            />
          ))}
        </div>
      )}
      {actions.length > 0 && (
        <div class="actions" role="group" aria-label={t('actions')}>
          {actions.map(([name, action]) => (
            <ActionButton key={name} instrument={instrument} name={name} action={action} blocked={blocked} />
          ))}
        </div>
      )}
      {actions.map(([name]) => (
        <Answer key={name} of={pendingKey(instrument.id, `${name}()`)} />
      ))}
    </div>
  )
}

function saidAt(id: string, errors: readonly string[], error: string | undefined): string | undefined {
  const index = error === undefined ? -1 : errors.indexOf(error)
  return index === -1 ? undefined : `${id}-error-${index}`
}
