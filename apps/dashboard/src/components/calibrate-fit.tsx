import {
  type CalibrationMark,
  type CurveKind,
  type InstrumentDescription,
  type MeasuredPoint,
  messageOf,
} from '@golem/core'
import { useEffect, useId, useState } from 'preact/hooks'
import { Problem, Unreachable } from '../api.ts'
import type { CalibrationApi, FitAnswer } from '../calibration-api.ts'
import { formatNumber } from '../format.ts'
import { language, t } from '../store.ts'
import { PointsTable } from './calibrate-measure.tsx'

const KINDS: Readonly<Record<number, readonly CurveKind[]>> = {
  1: ['linear', 'polynomial', 'table'],
  2: ['surface'],
}

interface FitProps {
  instrument: InstrumentDescription
  calibration: CalibrationMark
  parameter: string
  /** `INSTRUMENT.PARAMETER` */
  of: string
  api: CalibrationApi
  points: readonly MeasuredPoint[]
  /** Is given what saves it; that gives why it could not, as a sentence, or null. */
  save: { current: (() => Promise<string | null>) | null }
}

/** The curve through what was measured, how well it fits, and what is to be said of it. */
export function FitStep({ instrument, calibration, parameter, of, api, points, save }: FitProps) {
  const kinds = KINDS[calibration.from.length] ?? []
  const [kind, setKind] = useState<CurveKind>(kinds[0] ?? 'linear')
  const [fit, setFit] = useState<FitAnswer | null>(null)
  const [why, setWhy] = useState('')
  const [note, setNote] = useState('')
  const ids = { kind: useId(), note: useId() }
  useEffect(() => {
    let isCurrent = true
    const tell = (found: FitAnswer | null, reason: string): void => {
      if (!isCurrent) return
      setFit(found)
      setWhy(reason)
    }
    api.fit(kind, points).then(
      (found) => tell(found, ''),
      (error: unknown) => tell(null, points.length < 2 ? t('calibrateTooFew') : messageOf(error)),
    )
    return () => {
      isCurrent = false
    }
  }, [kind, points])
  const { unit } = instrument.parameters[parameter] ?? {}
  save.current = async () => {
    try {
      const about = {
        ...(unit === undefined ? {} : { unit }),
        ...(note.trim() === '' ? {} : { note: note.trim() }),
      }
      await api.make({ name: calibration.name, of, kind, points, ...about })
      return null
    } catch (error) {
      if (error instanceof Problem || error instanceof Unreachable) return error.message
      throw error
    }
  }
  const number = (value: number, decimals: number): string => formatNumber(value, decimals, language.value)
  return (
    <>
      <div class="field">
        <label for={ids.kind}>{t('calibrateKind')}</label>
        <select
          id={ids.kind}
          data-field="kind"
          value={kind}
          onChange={(event) => setKind(kinds.find((one) => one === event.currentTarget.value) ?? kind)}
        >
          {kinds.map((one) => (
            <option key={one} value={one}>
              {t(`curve_${one}`)}
            </option>
          ))}
        </select>
      </div>
      {fit && (
        <p data-part="fit" data-r-squared={fit.rSquared ?? ''}>
          {t('calibrateQuality', {
            rSquared: fit.rSquared === null ? '–' : number(fit.rSquared, 5),
            rmsd: `${number(fit.rmsd, 2)}${unit === undefined ? '' : ` ${unit}`}`,
          })}
        </p>
      )}
      {why && <p class="wrong">{why}</p>}
      <PointsTable
        instrument={instrument}
        calibration={calibration}
        parameter={parameter}
        points={points}
        residuals={fit?.residuals ?? null}
      />
      <div class="field">
        <label for={ids.note}>{t('calibrateNote')}</label>
        <input
          id={ids.note}
          type="text"
          class="line"
          maxLength={200}
          data-field="note"
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </div>
    </>
  )
}
