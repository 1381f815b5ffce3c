import type { CalibrationMark, InstrumentDescription, MeasuredPoint } from '@golem/core'
import { useId } from 'preact/hooks'
import type { SweepRange } from '../sweep.ts'
import { t } from '../store.ts'

interface PlanProps {
  instrument: InstrumentDescription
  calibration: CalibrationMark
  isSwept: boolean
  ranges: readonly SweepRange[]
  onRanges: (ranges: readonly SweepRange[]) => void
  settleS: number
  onSettle: (seconds: number) => void
  /** How many are to be measured still. */
  count: number
  /** Those that were measured before. */
  kept: readonly MeasuredPoint[]
  onDiscard: () => void
}

/** What is going to be measured. */
export function PlanStep(props: PlanProps) {
  const { instrument, calibration, isSwept, ranges, onRanges, settleS, onSettle, count, kept, onDiscard } =
    props
  const change = (index: number, part: Partial<SweepRange>): void =>
    onRanges(ranges.map((range, n) => (n === index ? { ...range, ...part } : range)))
  return (
    <>
      <p>{isSwept ? t('calibratePlan', { instrument: instrument.label }) : t('calibratePlanRead')}</p>
      {isSwept &&
        calibration.from.map((name, index) => (
          <div class="range" key={name} data-range={name}>
            <NumberField
              label={t('calibrateFrom', { label: instrument.parameters[name]?.label ?? name })}
              name={`${name}-from`}
              value={ranges[index]?.from}
              onValue={(from) => change(index, { from })}
            />
            <NumberField
              label={t('calibrateTo')}
              name={`${name}-to`}
              value={ranges[index]?.to}
              onValue={(to) => change(index, { to })}
            />
            <NumberField
              label={t('calibrateStep')}
              name={`${name}-step`}
              value={ranges[index]?.step}
              onValue={(step) => change(index, { step })}
            />
          </div>
        ))}
      {isSwept && (
        <div class="range">
          <NumberField label={t('calibrateSettle')} name="settle" value={settleS} onValue={onSettle} />
          <p class="detail" data-part="count">
            {t('calibrateCount', { count })}
          </p>
        </div>
      )}
      {kept.length > 0 && (
        <p class="detail" data-part="draft">
          {t('calibrateDraft', { count: kept.length, by: kept.at(-1)?.by ?? '' })}{' '}
          <button type="button" data-role="discard" onClick={onDiscard}>
            {t('calibrateDiscard')}
          </button>
        </p>
      )}
    </>
  )
}

interface NumberFieldProps {
  label: string
  name: string
  value: number | undefined
  onValue: (value: number) => void
}

function NumberField({ label, name, value, onValue }: NumberFieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        step="any"
        class="line"
        data-field={name}
        value={value === undefined || Number.isNaN(value) ? '' : value}
        onInput={(event) => onValue(event.currentTarget.valueAsNumber)}
      />
    </div>
  )
}
