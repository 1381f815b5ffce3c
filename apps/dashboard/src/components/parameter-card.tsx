import {
  type InstrumentDescription,
  type InstrumentState,
  type ParameterDescription,
  type Reading,
  valueInWords,
} from '@golem/core'
import { pendingKey } from '../commands.ts'
import { formatBare, formatTarget, hasUnit } from '../format.ts'
import { readingOf } from '../model.ts'
import { language, pending, t } from '../store.ts'
import { PendingMark } from './action-button.tsx'
import { Age } from './age.tsx'
import { CalibrationLine } from './calibration-line.tsx'
import { Control } from './controls.tsx'
import { ListPlot } from './list-plot.tsx'
import { OutputRulesLine } from './output-rules.tsx'
import { PlotLink } from './plot-link.tsx'
import { Sparkline } from './sparkline.tsx'

export interface ParameterProps {
  instrument: InstrumentDescription
  name: string
  parameter: ParameterDescription
  state: InstrumentState | undefined
  blocked: string | null
  /** Where the error of its reading is said already: id of that sentence. */
  errorSaidAt?: string | undefined
}

/** One parameter: what it is now, how old that is, how it went lately, and the control to change it. */
export function ParameterCard(props: ParameterProps) {
  const { instrument, name, parameter, state, blocked, errorSaidAt } = props
  const reading = readingOf(state, name)
  const running = state?.queue.running?.parameter === name ? state.queue.running : null
  const isPending = pending.value.has(pendingKey(instrument.id, name))
  const isSwitch = parameter.type === 'boolean'
  const age = <AgeAndQuality parameter={parameter} reading={reading} />
  const control = parameter.writable && (
    <Control
      instrument={instrument}
      name={name}
      parameter={parameter}
      value={reading?.value ?? null}
      blocked={blocked}
      isPending={isPending}
    />
  )
  return (
    <article
      class={`card ${lookOf(parameter)}`}
      aria-label={parameter.label}
      aria-describedby={errorSaidAt}
      {...hooksOf(instrument.id, name, reading)}
      data-pending={isPending || running !== null ? '' : undefined}
    >
      <header>
        <h3 title={parameter.note}>{parameter.label}</h3>
        {(isPending || running !== null) && <PendingMark />}
        {isSwitch ? control : age}
      </header>
      <div class="now">
        <ReadValue parameter={parameter} reading={reading} />
        {typeof reading?.value === 'object' && reading.value !== null && (
          <ListPlot values={reading.value} decimals={parameter.decimals} />
        )}
        <PlotLink instrument={instrument.id} name={name} parameter={parameter}>
          <Sparkline
            instrument={instrument.id}
            name={name}
            parameter={parameter}
            pollEveryMs={instrument.pollEveryMs}
          />
        </PlotLink>
        {isSwitch && age}
      </div>
      {reading?.error && errorSaidAt === undefined && (
        <p class="error" data-part="error">
          {reading.error}
        </p>
      )}
      {!isSwitch && control}
      <CalibrationLine instrument={instrument} name={name} parameter={parameter} blocked={blocked} />
      <OutputRulesLine parameter={parameter} output={state?.outputs?.[name]} />
      {running && (
        <p class="running" data-part="running">
          {t('running', { by: running.by, what: formatTarget(running, instrument, language.value) })}
        </p>
      )}
    </article>
  )
}

/** What its values need: a switch beside the name, or a line of their own where they can be long. */
function lookOf({ type }: ParameterDescription): string {
  if (type === 'boolean') return 'switched'
  return type === 'text' || type === 'array' ? 'long' : 'short'
}

/** The hooks of a parameter, on its card and on its row. */
export function hooksOf(instrument: string, name: string, reading: Reading | undefined) {
  return {
    'data-instrument': instrument,
    'data-parameter': name,
    'data-quality': reading?.quality ?? 'none',
    'data-value':
      reading?.value === null || reading?.value === undefined ? undefined : valueInWords(reading.value),
  }
}

export function ReadValue({
  parameter,
  reading,
}: {
  parameter: ParameterDescription
  reading: Reading | undefined
}) {
  const value = reading?.value ?? null
  if (value === '') {
    return (
      <p class="value empty-text" data-part="value">
        {t('emptyText')}
      </p>
    )
  }
  return (
    <p class="value" data-part="value">
      {formatBare(value, parameter, language.value)}
      {hasUnit(value, parameter) && <span class="unit"> {parameter.unit}</span>}
    </p>
  )
}

export function AgeAndQuality({
  parameter,
  reading,
}: {
  parameter: ParameterDescription
  reading: Reading | undefined
}) {
  if (!parameter.readable) return <p class="age">{t('noReading')}</p>
  return (
    <p class="age" title={t('ageOf')} data-part="age">
      {reading && reading.quality !== 'good' && <span class="quality">{t(reading.quality)}</span>}
      {reading?.at ? <Age at={reading.at} /> : t('neverRead')}
    </p>
  )
}
