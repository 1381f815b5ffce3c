import type { PlannedStart } from '@golem/core'
import type { ComingStart } from '../automation-api.ts'
import { formatDuration, formatTime } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { language, t } from '../store.ts'
import { countsOf, type Mark, type MarkKind, marksOf, shareOf, type Span, type Tick } from '../timeline.ts'

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
  const marks = marksOf(starts, coming, span, nowMs)
  const byKey = new Map(starts.map((start) => [start.plannedAt, start]))
  const x = shareOf(span, nowMs) * WIDTH
  return (
    <svg
      class="timeline"
      role="img"
      aria-label={t('scheduleTimeline', { name: label, ...countsOf(starts, marks) })}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      focusable="false"
    >
      {marks.map((mark) => (
        <MarkShape key={mark.key} mark={mark} title={titleOf(mark, byKey.get(mark.key))} />
      ))}
      <path class="now" d={`M${x} 0V${HEIGHT}`} vector-effect="non-scaling-stroke" />
    </svg>
  )
}

function MarkShape({ mark: { kind, from, to, isLate }, title }: { mark: Mark; title?: string }) {
  const { y, height } = SHAPES[kind]
  const x = from * WIDTH
  const width = Math.max(LEAST_WIDTH, (to - from) * WIDTH)
  return (
    <g class={kind}>
      {title !== undefined && <title>{title}</title>}
      {kind === 'planned' ? (
        <path d={`M${x} ${y}v${height}`} vector-effect="non-scaling-stroke" />
      ) : (
        <rect x={x} y={y} width={width} height={height} vector-effect="non-scaling-stroke" />
      )}
      {/* A line of no length with round ends is a dot that the stretching leaves round. */}
      {isLate && <path class="late" d={`M${x + width / 2} 4h0`} vector-effect="non-scaling-stroke" />}
    </g>
  )
}

function titleOf({ kind, key }: Mark, start: PlannedStart | undefined): string {
  const time = (at: string): string => formatTime(at, null, language.value)
  if (start === undefined) return `${time(key.replace('planned ', ''))}: ${t('legendPlanned')}`
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
            <MarkShape
              mark={{
                key: '',
                kind: kind === 'late' ? 'done' : kind,
                from: 0.006,
                to: 0.014,
                isLate: kind === 'late',
              }}
            />
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
      {ticks.map(({ ms, share, label, isMidnight }) => (
        <span
          key={ms}
          class={isMidnight ? 'tick midnight' : 'tick'}
          style={{ left: `${Math.round(share * 1000) / 10}%` }}
        >
          {label}
        </span>
      ))}
    </div>
  )
}
