import { type CalibrationMark, type InstrumentDescription, type MeasuredPoint, messageOf } from '@golem/core'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Calibrating } from '../calibrating.ts'
import { CalibrationApi } from '../calibration-api.ts'
import { leftOf, MAX_SET_POINTS, setPoints, type SweepRange, usualRange } from '../sweep.ts'
import { addToast, t } from '../store.ts'
import { FitStep } from './calibrate-fit.tsx'
import { type Measuring, MeasureStep, PointsTable } from './calibrate-measure.tsx'
import { PlanStep } from './calibrate-plan.tsx'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

interface CalibrateDialogProps {
  instrument: InstrumentDescription
  parameter: string
  calibration: CalibrationMark
  onClose: () => void
}

type Step = 'plan' | 'measure' | 'fit'

const CONFIRM = { plan: 'calibrateBegin', measure: 'calibrateKeep', fit: 'calibrateSave' } as const

/**
 * A guided calibration: a sweep of set points, each set by an ordinary command; after it has settled somebody enters
 * what the meter shows. Points are kept by the server as they come: after a break, or in another browser, it goes on.
 */
export function CalibrateDialog({ instrument, parameter, calibration, onClose }: CalibrateDialogProps) {
  const { api, poller } = usePage()
  const label = instrument.parameters[parameter]?.label ?? parameter
  const calibrations = useRef(new CalibrationApi(api)).current
  const work = useRef(new Calibrating(api, calibrations, instrument, parameter, calibration)).current
  const [step, setStep] = useState<Step>('plan')
  const [ranges, setRanges] = useState<readonly SweepRange[]>(() =>
    calibration.from.map((name) => usualRange(instrument, name)),
  )
  const [settleS, setSettleS] = useState(5)
  const [points, setMeasured] = useState<readonly MeasuredPoint[]>([])
  const [measuring, setMeasuring] = useState<Measuring | null>(null)
  const [text, setText] = useState('')
  const [why, setWhy] = useState('')
  const save = useRef<(() => Promise<string | null>) | null>(null)
  const complain = (error: unknown): void => setWhy(messageOf(error))
  useEffect(() => {
    void calibrations.all().then(({ drafts }) => {
      const draft = drafts.find(({ name, of }) => name === calibration.name && of === work.of)
      if (draft) setMeasured(draft.points)
    }, complain)
    return () => void work.end()
  }, [])
  const all = work.isSwept ? setPoints(ranges) : []

  const goTo = async (left: readonly number[][]): Promise<void> => {
    const [next] = left
    setText('')
    if (!next && work.isSwept) return setStep('fit')
    setStep('measure')
    if (!next) return setMeasuring({ point: null, phase: 'ready', left: [] })
    setMeasuring({ point: next, phase: 'setting', left })
    const failed = await work.set(next)
    setWhy(failed ?? '')
    const phase = failed === null ? 'settling' : 'failed'
    setMeasuring((now) => (now?.point === next ? { point: next, phase, left } : now))
  }
  const keep = async (): Promise<void> => {
    const value = Number(text.trim().replace(',', '.'))
    const inputs = measuring?.point ?? work.inputsNow
    if (text.trim() === '' || !Number.isFinite(value)) return setWhy(t('calibrateNumber'))
    if (!measuring || inputs === null) return
    const point = { inputs, value }
    const failed = await work.keep(point)
    if (failed !== null) return setWhy(failed)
    const same = JSON.stringify(inputs)
    setMeasured((before) => [...before.filter((one) => JSON.stringify(one.inputs) !== same), point])
    await goTo(measuring.left.slice(1))
  }
  const confirm = async (): Promise<void> => {
    setWhy('')
    if (step === 'plan') {
      if (work.isSwept && (all.length === 0 || all.length > MAX_SET_POINTS)) {
        return setWhy(t('calibrateWrong', { most: MAX_SET_POINTS }))
      }
      return goTo(leftOf(all, points))
    }
    if (step === 'measure') {
      if (measuring?.phase === 'failed') return goTo(measuring.left)
      // What the meter shows before it has settled is not what is asked for.
      return measuring?.phase === 'ready' ? keep() : undefined
    }
    const failed = (await save.current?.()) ?? null
    if (failed !== null) return setWhy(failed)
    addToast({
      outcome: 'done',
      effect: null,
      title: t('calibrateSaved', { name: calibration.name }),
      message: '',
    })
    poller.soon()
    onClose()
  }
  const shown = { instrument, calibration, parameter }
  return (
    <Dialog
      title={t('calibrateTitle', { label })}
      confirmLabel={t(measuring?.phase === 'failed' ? 'calibrateAgain' : CONFIRM[step])}
      onClose={onClose}
      onConfirm={() => void confirm()}
    >
      <div class="calibrating" data-step={step}>
        {step === 'plan' && (
          <PlanStep
            {...shown}
            isSwept={work.isSwept}
            ranges={ranges}
            onRanges={setRanges}
            settleS={settleS}
            onSettle={setSettleS}
            count={leftOf(all, points).length}
            kept={points}
            onDiscard={() =>
              void calibrations.discard(calibration.name).then(() => setMeasured([]), complain)
            }
          />
        )}
        {step === 'measure' && measuring && (
          <MeasureStep
            {...shown}
            measuring={measuring}
            of={all.length}
            settleMs={settleS * 1000}
            inputsNow={work.inputsNow}
            text={text}
            onText={setText}
            onReady={() => setMeasuring({ ...measuring, phase: 'ready' })}
            onSkip={() => void goTo(measuring.left.slice(1))}
            onFinish={() => setStep('fit')}
          />
        )}
        {step === 'measure' && <PointsTable {...shown} points={points} residuals={null} />}
        {step === 'fit' && <FitStep {...shown} of={work.of} api={calibrations} points={points} save={save} />}
        {why && (
          <p class="wrong" role="alert" data-part="refusal">
            {why}
          </p>
        )}
      </div>
    </Dialog>
  )
}
