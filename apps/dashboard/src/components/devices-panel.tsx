import type { InstrumentDescription, InstrumentState } from '@golem/core'
import type { ComponentChildren } from 'preact'
import { pendingKey } from '../commands.ts'
import { formatDuration, formatPeriod, formatTime } from '../format.ts'
import { DEVICES, sectionsOf } from '../groups.ts'
import { readingOf } from '../model.ts'
import { allBlockedReason, blockedReason, descriptions, language, now, pending, site, t } from '../store.ts'
import { ActionButton } from './action-button.tsx'
import { Age } from './age.tsx'
import { ConditionChip, QueueLine, StopChip } from './condition.tsx'
import { Control } from './controls.tsx'
import { InterlockLines } from './interlocks.tsx'
import { LastCommands } from './last-commands.tsx'
import { AgeAndQuality, hooksOf, ReadValue } from './parameter-card.tsx'
import { PlotLink } from './plot-link.tsx'
import { ReservationLine } from './reservation.tsx'
import { PowerReturnQuestion, WorstCases } from './safety.tsx'
import { StopButton } from './stop-button.tsx'
import { UnclaimedDevices } from './unclaimed-devices.tsx'

/** Every instrument with all that is known of it. */
export function DevicesPanel() {
  const instruments = descriptions.value ?? []
  return (
    <>
      {instruments.length === 0 && <p class="empty">{t('noInstruments')}</p>}
      <div class="devices">
        {instruments.map((instrument) => (
          <Device key={instrument.id} instrument={instrument} />
        ))}
      </div>
      <UnclaimedDevices />
    </>
  )
}

function Device({ instrument }: { instrument: InstrumentDescription }) {
  const state = site.value?.instruments.get(instrument.id)
  const own = blockedReason(instrument.id)
  const blocked = allBlockedReason() ?? own
  const actions = Object.entries(instrument.actions)
  return (
    <article
      class="device"
      aria-label={instrument.label}
      data-instrument={instrument.id}
      data-condition={state?.condition ?? 'none'}
    >
      <header>
        <h2>
          {instrument.label} <code>{instrument.id}</code>
        </h2>
        <StopButton instrument={instrument} />
      </header>
      <p class="standing">
        <ConditionChip state={state} /> <StopChip instrument={instrument.id} />{' '}
        {state && <Since at={state.conditionSince} />}
      </p>
      {state?.message && <p class="sentence">{state.message}</p>}
      {state && <QueueLine instrument={instrument} state={state} />}
      <PowerReturnQuestion instrument={instrument} state={state} />
      <InterlockLines instrument={instrument} state={state} />
      <ReservationLine instrument={instrument} state={state} />
      <Facts instrument={instrument} state={state} />
      <WorstCases instrument={instrument} />
      {actions.length > 0 && (
        <div class="actions" role="group" aria-label={t('actions')}>
          {actions.map(([name, action]) => (
            <ActionButton key={name} instrument={instrument} name={name} action={action} blocked={blocked} />
          ))}
        </div>
      )}
      {own !== null && (
        <p class="blocked" data-part="blocked">
          {own}
        </p>
      )}
      <Parameters instrument={instrument} state={state} blocked={blocked} />
      <LastCommands instrument={instrument} newest={state?.queue.last?.id ?? null} />
    </article>
  )
}

function Since({ at }: { at: string }) {
  const ms = now.value
  const age = ms === null ? '—' : formatDuration(ms - Date.parse(at), language.value)
  return <span class="quiet">{t('since', { since: formatTime(at, ms, language.value), age })}</span>
}

function Facts({
  instrument,
  state,
}: {
  instrument: InstrumentDescription
  state: InstrumentState | undefined
}) {
  const uptime = readingOf(state, 'uptime')?.value
  return (
    <dl class="facts">
      <Fact name={t('model')}>
        {instrument.model} <span class="quiet">({instrument.kind})</span>
      </Fact>
      <Fact name={t('address')}>
        <code>{instrument.address}</code> <span class="quiet">{instrument.host ?? t('anyHost')}</span>
      </Fact>
      <Fact name={t('owner')}>{state?.owner ?? t('ownerNone')}</Fact>
      <Fact name={t('seen')}>
        {state?.seenAt ? <Ago at={state.seenAt} /> : t('seenNever')}{' '}
        <span class="quiet">
          · {t('polled').toLowerCase()} {formatPeriod(instrument.pollEveryMs, language.value)}
        </span>
      </Fact>
      {typeof uptime === 'number' && (
        <Fact name={t('uptime')}>{formatDuration(uptime * 1000, language.value)}</Fact>
      )}
      <Fact name={t('onWorkerStop')}>{t(instrument.onStop === 'safe' ? 'onStopSafe' : 'onStopHold')}</Fact>
    </dl>
  )
}

function Ago({ at }: { at: string }) {
  const [before, after] = t('ago', { age: '\u0000' }).split('\u0000')
  return (
    <>
      {before}
      <Age at={at} />
      {after}
    </>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

interface ParametersProps {
  instrument: InstrumentDescription
  state: InstrumentState | undefined
  blocked: string | null
}

/** Controls stand in the tabs of the groups; here stand those of parameters that have no other tab. */
function Parameters({ instrument, state, blocked }: ParametersProps) {
  return (
    <table class="parameters">
      <caption class="hidden">{t('parameters')}</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">{t('parameter')}</th>
          <th scope="col">{t('value')}</th>
          <th scope="col">{t('age')}</th>
        </tr>
      </thead>
      {sectionsOf(Object.entries(instrument.parameters), []).map(({ heading, parameters }) => (
        <tbody key={heading}>
          {heading !== '' && (
            <tr>
              <th class="heading" scope="rowgroup" colSpan={3}>
                {heading}
              </th>
            </tr>
          )}
          {parameters.map(([name, parameter]) => {
            const reading = readingOf(state, name)
            return (
              <tr key={name} {...hooksOf(instrument.id, name, reading)}>
                <th scope="row" title={parameter.note ?? name}>
                  {parameter.label}
                </th>
                <td>
                  <ReadValue parameter={parameter} reading={reading} />
                  {parameter.writable && (parameter.group ?? instrument.group) === DEVICES && (
                    <Control
                      instrument={instrument}
                      name={name}
                      parameter={parameter}
                      value={reading?.value ?? null}
                      blocked={blocked}
                      isPending={pending.value.has(pendingKey(instrument.id, name))}
                    />
                  )}
                </td>
                <td title={reading?.error}>
                  <AgeAndQuality parameter={parameter} reading={reading} />
                  <PlotLink instrument={instrument.id} name={name} parameter={parameter} />
                </td>
              </tr>
            )
          })}
        </tbody>
      ))}
    </table>
  )
}
