import type { HistorySeries } from '@golem/core'
import { useMemo } from 'preact/hooks'
import { formatNumber, formatTime } from '../format.ts'
import { columnsOf, findAt, type Found, isStepped, isText, type PlotLine } from '../plots/lines.ts'
import type { Mark } from '../plots/marks.ts'
import { elapsedLabel } from '../plots/ticks.ts'
import { language, t } from '../store.ts'

interface PlotReadoutProps {
  lines: readonly PlotLine[]
  /** The time under the pointer, or the end of the plot. */
  at: number
  isElapsed: boolean
  /** How exactly times are told, in ms. */
  step: number
  now: number
  /** What happened close to it. */
  marks: readonly Mark[]
  onRemove: (series: string) => void
}

/** In numbers and words what the plot shows at one time; the legend, too. */
export function PlotReadout({ lines, at, isElapsed, step, now, marks, onRemove }: PlotReadoutProps) {
  const time = isElapsed
    ? elapsedLabel(at, step)
    : formatTime(new Date(at).toISOString(), null, language.value)
  return (
    <div class="plot-readout" data-part="readout">
      <p class="at" data-part="at">
        {time}
      </p>
      <ul>
        {lines.map((line) => (
          <Line key={line.key} line={line} at={at} now={now} onRemove={onRemove} />
        ))}
      </ul>
      {marks.length > 0 && (
        <ul class="marks" data-part="marks">
          {marks.map((mark) => (
            <li key={`${mark.at} ${mark.text}`} class={mark.look}>
              <span class="quiet">
                {isElapsed
                  ? elapsedLabel(mark.at, step)
                  : formatTime(new Date(mark.at).toISOString(), now, language.value)}
              </span>{' '}
              {mark.text}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

interface LineProps {
  line: PlotLine
  at: number
  now: number
  onRemove: (series: string) => void
}

function Line({ line, at, now, onRemove }: LineProps) {
  const columns = useMemo(() => (isText(line) ? null : columnsOf(line, now)), [line, now])
  const found = findAt(line, columns, at, now)
  const { completeness, series } = line.data
  return (
    <li data-series={series} data-found={found?.kind ?? 'none'} data-points={line.data.times.length}>
      <span class={`swatch plot-${line.colour}${line.isDashed ? ' dashed' : ''}`} aria-hidden="true" />
      <span class="name">{line.label}</span>
      <span class="found" data-part="found">
        <FoundWords found={found} line={line} />
      </span>
      <span class="quiet coverage" data-part="completeness">
        {completeness === null
          ? t('plotNothingArchived')
          : t('plotComplete', { percent: percentOf(completeness) })}
        {' · '}
        {levelWords(line.data)}
      </span>
      {!line.isDashed && (
        <button
          type="button"
          class="link remove"
          data-role="remove-series"
          aria-label={t('plotRemove', { name: line.label })}
          onClick={() => onRemove(series)}
        >
          ×
        </button>
      )}
    </li>
  )
}

function FoundWords({ found, line }: { found: Found; line: PlotLine }) {
  if (found === null) return <>—</>
  if (found.kind === 'gap') return <span class="gap">{t('plotGap', { reason: found.gap.message })}</span>
  if (found.kind === 'text') return <>{found.text}</>
  const { mean, min, max } = found
  if (isStepped(line) && min === max) return <>{t(mean === 1 ? 'on' : 'off')}</>
  const shown = (value: number): string =>
    formatNumber(value, isStepped(line) ? 2 : line.decimals, language.value)
  return (
    <>
      {shown(mean)} {line.unit && <span class="unit">{line.unit}</span>}
      {min !== max && (
        <span class="quiet">
          {' '}
          ({shown(min)} … {shown(max)})
        </span>
      )}
    </>
  )
}

/** Not rounded up to 100 % while something is missing. */
function percentOf(share: number): string {
  return formatNumber(Math.floor(share * 1000) / 10, 1, language.value)
}

function levelWords({ bucketMs, times }: HistorySeries): string {
  if (bucketMs === 0) return t('plotSingle', { count: times.length })
  return t('plotGathered', { step: stepWords(bucketMs) })
}

function stepWords(ms: number): string {
  const units = [
    ['unitDay', 86_400_000],
    ['unitHour', 3_600_000],
    ['unitMinute', 60_000],
    ['unitSecond', 1_000],
  ] as const
  const [key, size] = units.find(([, each]) => ms >= each) ?? ['unitMs', 1]
  return `${formatNumber(Math.round((ms / size) * 10) / 10, undefined, language.value)} ${t(key)}`
}
