import type { CalibrationMark, InstrumentDescription, MeasuredPoint } from '@golem/core'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { formatNumber, formatValue } from '../format.ts'
import { language, t } from '../store.ts'

/** Where the sweep stands. */
export interface Measuring {
  /** null: what is read counts, nothing is set. */
  point: readonly number[] | null
  phase: 'setting' | 'settling' | 'ready' | 'failed'
  /** What is to be measured still, this one first. */
  left: readonly number[][]
}

interface Shown {
  instrument: InstrumentDescription
  calibration: CalibrationMark
  parameter: string
}

interface MeasureProps extends Shown {
  measuring: Measuring
  of: number
  settleMs: number
  inputsNow: readonly number[] | null
  text: string
  onText: (text: string) => void
  onReady: () => void
  onSkip: () => void
  onFinish: () => void
}

/** One point: it is set, settles, and then somebody says what the meter shows. */
export function MeasureStep(props: MeasureProps) {
  const { instrument, calibration, parameter, measuring, of, settleMs, inputsNow, text } = props
  const { point, phase, left } = measuring
  const words = inWords(instrument, calibration, point ?? inputsNow ?? [])
  const remaining = useCountdown(phase === 'settling', settleMs, props.onReady)
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (phase === 'ready') field.current?.focus()
  }, [phase, point])
  const at = point
    ? t('calibrateAt', { point: words, n: of - left.length + 1, of })
    : t('calibrateRead', { point: words })
  return (
    <>
      <p aria-live="polite" data-part="point" data-phase={phase}>
        {phase === 'setting'
          ? t('calibrateSetting', { point: words })
          : phase === 'settling'
            ? `${at}. ${t('calibrateSettling', { left: remaining })}`
            : at}
      </p>
      <div class="field">
        <label for={id}>{withUnit(t('calibrateReading'), instrument.parameters[parameter]?.unit)}</label>
        <input
          id={id}
          ref={field}
          type="text"
          inputMode="decimal"
          class="line"
          autocomplete="off"
          data-field="reading"
          value={text}
          onInput={(event) => props.onText(event.currentTarget.value)}
        />
      </div>
      <p class="choices">
        {point && (
          <button type="button" data-role="skip-point" onClick={props.onSkip}>
            {t('calibrateSkip')}
          </button>
        )}
        <button type="button" data-role="to-fit" onClick={props.onFinish}>
          {t('calibrateFinish')}
        </button>
      </p>
    </>
  )
}

/** Counts whole seconds down while it is on, and says when it is over. */
function useCountdown(isOn: boolean, ms: number, onOver: () => void): number {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    if (!isOn) return undefined
    const endAt = performance.now() + ms
    const look = (): void => {
      const rest = endAt - performance.now()
      setLeft(Math.ceil(rest / 1000))
      if (rest <= 0) onOver()
    }
    look()
    const timer = setInterval(look, 100)
    return () => clearInterval(timer)
  }, [isOn])
  return Math.max(0, left)
}

interface PointsTableProps extends Shown {
  points: readonly MeasuredPoint[]
  /** Measured less fitted, in the order of the points; null: nothing is fitted yet. */
  residuals: readonly number[] | null
}

/** What was measured, and how far the fit is from it. */
export function PointsTable({ instrument, calibration, parameter, points, residuals }: PointsTableProps) {
  if (points.length === 0) return null
  const shown = instrument.parameters[parameter]
  const decimals = Math.max(shown?.decimals ?? 2, 1)
  // Never minus zero.
  const number = (value: number): string =>
    formatNumber(Number(value.toFixed(decimals)) + 0, decimals, language.value)
  return (
    <div class="points">
      <table>
        <thead>
          <tr>
            {calibration.from.map((name) => (
              <th key={name}>{instrument.parameters[name]?.label ?? name}</th>
            ))}
            <th>{withUnit(t('calibrateMeasured'), shown?.unit)}</th>
            {residuals && <th>{t('calibrateFitted')}</th>}
          </tr>
        </thead>
        <tbody>
          {points.map(({ inputs, value }, n) => (
            <tr key={inputs.join(' ')} data-point={inputs.join(' ')}>
              {inputs.map((input, index) => (
                <td key={calibration.from[index]}>{formatNumber(input, undefined, language.value)}</td>
              ))}
              <td>{number(value)}</td>
              {residuals && <td>{number(residuals[n] ?? 0)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function inWords(
  { parameters }: InstrumentDescription,
  { from }: CalibrationMark,
  inputs: readonly number[],
): string {
  return inputs
    .map((input, n) => {
      const parameter = parameters[from[n] ?? '']
      const value = parameter ? formatValue(input, parameter, language.value) : String(input)
      return `${parameter?.label ?? from[n]} ${value}`
    })
    .join(', ')
}

function withUnit(words: string, unit: string | undefined): string {
  return unit === undefined ? words : `${words}, ${unit}`
}
