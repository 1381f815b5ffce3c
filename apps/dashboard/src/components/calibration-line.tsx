import type { InstrumentDescription, ParameterDescription } from '@golem/core'
import { useState } from 'preact/hooks'
import { session, t } from '../store.ts'
import { CalibrateDialog } from './calibrate-dialog.tsx'

interface CalibrationLineProps {
  instrument: InstrumentDescription
  name: string
  parameter: ParameterDescription
  blocked: string | null
}

/** By which calibration a parameter is made of others, and the button that begins a new one. */
export function CalibrationLine({ instrument, name, parameter, blocked }: CalibrationLineProps) {
  const [isOpen, setOpen] = useState(false)
  const { calibration } = parameter
  if (!calibration) return null
  const { name: curve, at, by = '' } = calibration
  return (
    <div class="calibration" data-part="calibration" data-version={calibration.version}>
      <p>
        {at === undefined
          ? t('calibratedNot', { name: curve })
          : t('calibratedBy', { name: curve, at: at.slice(0, 10), by })}
      </p>
      {session.value?.role !== 'viewer' && (
        <button
          type="button"
          class="plain"
          data-role="calibrate"
          disabled={blocked !== null}
          aria-label={t('calibrateLabel', { label: parameter.label })}
          onClick={() => setOpen(true)}
        >
          {t('calibrate')}
        </button>
      )}
      {isOpen && (
        <CalibrateDialog
          instrument={instrument}
          parameter={name}
          calibration={calibration}
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  )
}
