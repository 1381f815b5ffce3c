import { type GroupPart, partsOf } from '../groups.ts'
import { allBlockedReason, blockedReason, descriptions, site } from '../store.ts'
import { ActionButton } from './action-button.tsx'
import { ConditionChip, QueueLine, StopChip } from './condition.tsx'
import { ParameterCard } from './parameter-card.tsx'
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

function InstrumentSection({ instrument, parameters, actions }: GroupPart) {
  const state = site.value?.instruments.get(instrument.id)
  const own = blockedReason(instrument.id)
  const blocked = allBlockedReason() ?? own
  const canBeCommanded = actions.length > 0 || parameters.some(([, parameter]) => parameter.writable)
  return (
    <section
      class="instrument"
      aria-label={instrument.label}
      data-instrument={instrument.id}
      data-condition={state?.condition ?? 'none'}
    >
      <header>
        <h2>{instrument.label}</h2>
        <ConditionChip state={state} />
        <StopChip instrument={instrument.id} />
        {state && <QueueLine instrument={instrument} state={state} />}
        <div class="tools">
          {actions.map(([name, action]) => (
            <ActionButton key={name} instrument={instrument} name={name} action={action} blocked={blocked} />
          ))}
          {canBeCommanded && <StopButton instrument={instrument} />}
        </div>
      </header>
      {state && state.condition !== 'ok' && <p class="sentence">{state.message}</p>}
      {canBeCommanded && own !== null && (
        <p class="blocked" data-part="blocked">
          {own}
        </p>
      )}
      <div class="cards">
        {parameters.map(([name, parameter]) => (
          <ParameterCard
            key={name}
            instrument={instrument}
            name={name}
            parameter={parameter}
            state={state}
            blocked={blocked}
          />
        ))}
      </div>
    </section>
  )
}
