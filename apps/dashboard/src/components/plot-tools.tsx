import type { PlotSpan } from '../plots/address.ts'
import { t } from '../store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const SPANS = [
  { ms: 5 * MINUTE, key: 'plot5min' },
  { ms: HOUR, key: 'plot1h' },
  { ms: 6 * HOUR, key: 'plot6h' },
  { ms: DAY, key: 'plot1d' },
  { ms: 7 * DAY, key: 'plot1w' },
  { ms: 30 * DAY, key: 'plot30d' },
  { ms: 365 * DAY, key: 'plot1y' },
] as const

interface PlotToolsProps {
  span: PlotSpan
  isComparing: boolean
  hasMarks: boolean
  onSpan: (span: PlotSpan) => void
  onBack: (() => void) | null
  onZoomOut: () => void
  onCompare: () => void
  onMarks: () => void
  onPicture: (() => void) | null
  onFile: (() => void) | null
}

/** What is looked at, and how. */
export function PlotTools(props: PlotToolsProps) {
  const { span, isComparing, hasMarks, onSpan, onBack, onZoomOut, onCompare, onMarks, onPicture, onFile } =
    props
  return (
    <div class="plot-tools">
      {!isComparing && (
        <div role="group" aria-label={t('plotSpans')} class="spans">
          {SPANS.map(({ ms, key }) => (
            <button
              key={key}
              type="button"
              data-plot-span={ms}
              aria-pressed={span.kind === 'live' && span.ms === ms}
              onClick={() => onSpan({ kind: 'live', ms })}
            >
              {t(key)}
            </button>
          ))}
        </div>
      )}
      <div role="group" aria-label={t('plotView')} class="spans">
        <button type="button" data-role="plot-back" disabled={onBack === null} onClick={() => onBack?.()}>
          {t('plotBack')}
        </button>
        <button type="button" data-role="zoom-out" onClick={onZoomOut}>
          {t('plotZoomOut')}
        </button>
        {!isComparing && span.kind === 'fixed' && (
          <button
            type="button"
            data-role="follow"
            onClick={() => onSpan({ kind: 'live', ms: Math.round(span.to - span.from) })}
          >
            {t('plotFollow')}
          </button>
        )}
      </div>
      <div class="spans">
        <button type="button" data-role="toggle-marks" aria-pressed={hasMarks} onClick={onMarks}>
          {t('plotMarks')}
        </button>
        <button type="button" data-role="compare-runs" aria-pressed={isComparing} onClick={onCompare}>
          {t('plotCompare')}
        </button>
        <button
          type="button"
          data-role="save-png"
          disabled={onPicture === null}
          onClick={() => onPicture?.()}
        >
          {t('plotPng')}
        </button>
        <button type="button" data-role="save-csv" disabled={onFile === null} onClick={() => onFile?.()}>
          {t('plotCsv')}
        </button>
      </div>
    </div>
  )
}
