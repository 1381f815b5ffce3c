import type { PlannedStart } from '@golem/core'
import { useMemo } from 'preact/hooks'
import type { ComingStart } from '../automation-api.ts'
import { formatDuration, formatTime } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { language, t } from '../store.ts'
import {
  countsOf,
  type Mark,
  type MarkKind,
  marksOf,
  shareOf,
  type Span,
  thinned,
  type Tick,
} from '../timeline.ts'

const WIDTH = 1000
const HEIGHT = 40
/** A run of seconds is still to be seen between days. */
const LEAST_WIDTH = 2

/** Top and height of each kind: they differ in shape and not in colour alone. */
const SHAPES: Readonly<Record<MarkKind, { y: number; height: number }>> = {
  done: { y: 10, height: 24 },
  runs: { y: 10, height: 24 },
  early: { y: 22, height: 12 },
  failed: { y: 2, height: 36 },
  skipped: { y: 30, height: 8 },
  planned: { y: 17, height: 10 },
}

const LEGEND: readonly { kind: MarkKind | 'late'; key: MessageKey }[] = [
  { kind: 'done', key: 'legendDone' },
  { kind: 'runs', key: 'legendRuns' },
  { kind: 'early', key: 'legendEarly' },
  { kind: 'failed', key: 'legendFailed' },
  { kind: 'skipped', key: 'legendSkipped' },
  { kind: 'late', key: 'legendLate' },
  { kind: 'planned', key: 'legendPlanned' },
]

interface TimelineProps {
  label: string
  starts: readonly PlannedStart[]
  coming: readonly ComingStart[]
  span: Span
  nowMs: number
}

/** The starts of one schedule, past ones left of the line of now, coming ones right of it. */
export function Timeline({ label, starts, coming, span, nowMs }: TimelineProps) {
  const lang = language.value
  const drawing = useMemo(() => {
    const marks = marksOf(starts, coming, span, nowMs)
    return <Drawing label={label} starts={starts} marks={marks} now={shareOf(span, nowMs)} />
  }, [label, starts, coming, span.from, span.to, nowMs, lang])
  return drawing
}

interface DrawingProps {
  label: string
  starts: readonly PlannedStart[]
  marks: readonly Mark[]
  /** 0 to 1 */
  now: number
}

function Drawing({ label, starts, marks, now }: DrawingProps) {
  const byKey = new Map(starts.map((start) => [start.plannedAt, start]))
  const shown = thinned(marks)
  return (
    <svg
      class="timeline"
      role="img"
      aria-label={t('scheduleTimeline', { name: label, ...countsOf(starts, marks) })}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      focusable="false"
    >
      {shown
        .filter(({ kind }) => kind !== 'planned')
        .map((mark) => (
          <MarkShape key={mark.key} mark={mark} title={titleOf(mark, byKey.get(mark.key))} />
        ))}
      <Planned at={shown.filter(({ kind }) => kind === 'planned').map(({ from }) => from)} />
      <path class="now" d={`M${now * WIDTH} 0V${HEIGHT}`} vector-effect="non-scaling-stroke" />
    </svg>
  )
}

/** All that is to come, as one line: there can be a thousand of them. */
function Planned({ at }: { at: readonly number[] }) {
  const { y, height } = SHAPES.planned
  return (
    <path
      class="planned"
      d={at.map((share) => `M${share * WIDTH} ${y}v${height}`).join('')}
      vector-effect="non-scaling-stroke"
    />
  )
}

function MarkShape({ mark: { kind, from, to, isLate }, title }: { mark: Mark; title?: string }) {
  const { y, height } = SHAPES[kind]
  const x = from * WIDTH
  const width = Math.max(LEAST_WIDTH, (to - from) * WIDTH)
  return (
    <g class={kind}>
      {title !== undefined && <title>{title}</title>}
      <rect x={x} y={y} width={width} height={height} vector-effect="non-scaling-stroke" />
      {/* A line of no length with round ends is a dot that the stretching leaves round. */}
      {isLate && <path class="late" d={`M${x + width / 2} 4h0`} vector-effect="non-scaling-stroke" />}
    </g>
  )
}

function titleOf({ kind }: Mark, start: PlannedStart | undefined): string {
  if (start === undefined) return ''
  const time = (at: string): string => formatTime(at, null, language.value)
  const words = [`${time(start.plannedAt)}: ${t(keyOf(kind))}`]
  const { lateMs = 0, skipped, startedAt, finishedAt } = start
  if (startedAt && lateMs >= 1000) {
    words.push(`${t('legendLate')}: ${formatDuration(lateMs, language.value)}`)
  }
  if (startedAt && finishedAt) {
    const duration = formatDuration(Date.parse(finishedAt) - Date.parse(startedAt), language.value)
    words.push(t('runTook', { duration }))
  }
  if (skipped) words.push(skipped)
  return words.join(', ')
}

function keyOf(kind: MarkKind): MessageKey {
  return LEGEND.find((each) => each.kind === kind)?.key ?? 'legendPlanned'
}

/** What the signs mean. */
export function Legend() {
  return (
    <ul class="legend" aria-label={t('scheduleLegend')}>
      {LEGEND.map(({ kind, key }) => (
        <li key={kind}>
          <svg class="timeline" viewBox="0 0 20 40" aria-hidden="true" focusable="false">
            {kind === 'planned' ? (
              <Planned at={[0.01]} />
            ) : (
              <MarkShape
                mark={{
                  key,
                  from: 0.006,
                  to: 0.014,
                  kind: kind === 'late' ? 'done' : kind,
                  isLate: kind === 'late',
                }}
              />
            )}
          </svg>
          {t(key)}
        </li>
      ))}
    </ul>
  )
}

/** The times above the timelines. */
export function TimeAxis({ ticks }: { ticks: readonly Tick[] }) {
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map(({ ms, share, label, isMidnight, isMinor }) => (
        <span
          key={ms}
          class={isMidnight ? 'tick midnight' : isMinor ? 'tick minor' : 'tick'}
          style={{ left: `${Math.round(share * 1000) / 10}%` }}
        >
          {label}
        </span>
      ))}
    </div>
  )
}
