import type { PlannedStart, ScheduleState } from '@golem/core'
import { useId, useMemo, useState } from 'preact/hooks'
import type { ComingStart } from '../automation-api.ts'
import { formatDuration } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { formatMinute } from '../reservation.ts'
import { language, now, said, t } from '../store.ts'
import { drawnAt, ticksOf, type Span, spanAround } from '../timeline.ts'
import { usePage } from './page-context.ts'
import { ScheduleSwitch } from './schedule-switch.tsx'
import { StartsTable } from './starts-table.tsx'
import { Legend, TimeAxis, Timeline } from './timeline.tsx'
import { useListing } from './use-listing.ts'
import { useStarts } from './use-starts.ts'

const SCHEDULES_EVERY_MS = 3000
const COMING_EVERY_MS = 60_000
/** Of each schedule. */
const COMING = 1000
/** How many hours back and ahead can be looked at. */
const SPANS = [6, 24, 72, 168]
const DAY_HOURS = 24

const MISSED: Readonly<Record<ScheduleState['missed'], MessageKey>> = {
  skip: 'scheduleMissedSkip',
  once: 'scheduleMissedOnce',
  'catch-up': 'scheduleMissedCatchUp',
}

/** When runs start by themselves: what was planned, what became of it, and what is to come. */
export function SchedulesPanel() {
  const { automation } = usePage()
  const [hours, setHours] = useState(DAY_HOURS)
  const [switched, setSwitched] = useState(0)
  const schedules = useListing(() => automation.schedules(), SCHEDULES_EVERY_MS, switched)
  const starts = useStarts()
  // What is to come changes when a schedule is switched, here or by somebody else.
  const enabled = schedules.rows?.map(({ id, enabled: isOn }) => `${id} ${String(isOn)}`).join()
  const coming = useListing(() => automation.planned(hours, COMING), COMING_EVERY_MS, `${hours} ${enabled}`)
  const nowMs = now.value
  if (schedules.rows === null) {
    return schedules.error ? (
      <p class="error">{t('loadFailed', { message: schedules.error })}</p>
    ) : (
      <p class="quiet">{t('loading')}</p>
    )
  }
  if (schedules.rows.length === 0) return <p class="empty">{t('schedulesNone')}</p>
  if (nowMs === null) return null
  const drawn = drawnAt(nowMs)
  const span = spanAround(drawn, hours)
  const errors = new Set([schedules.error, starts.error, coming.error].filter((error) => error !== ''))
  return (
    <div class="schedules">
      {[...errors].map((error) => (
        <p class="error" key={error}>
          {t('loadFailed', { message: error })}
        </p>
      ))}
      <div class="looks">
        <SpanChoice hours={hours} onChoose={setHours} />
        <Legend />
      </div>
      <TimeAxis ticks={ticksOf(span, language.value)} />
      {schedules.rows.map((schedule) => (
        <Schedule
          key={schedule.id}
          schedule={schedule}
          starts={starts.rows ?? NO_STARTS}
          coming={coming.rows ?? NO_STARTS}
          span={span}
          drawn={drawn}
          nowMs={nowMs}
          onSwitched={() => setSwitched((count) => count + 1)}
        />
      ))}
      <p class="detail">{t('schedulesZone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</p>
    </div>
  )
}

const NO_STARTS: readonly PlannedStart[] = []

interface SpanChoiceProps {
  hours: number
  onChoose: (hours: number) => void
}

function SpanChoice({ hours, onChoose }: SpanChoiceProps) {
  return (
    <div class="spans" role="group" aria-label={t('scheduleSpan')}>
      {SPANS.map((each) => (
        <button
          key={each}
          type="button"
          class="link"
          data-span={each}
          aria-pressed={each === hours}
          onClick={() => onChoose(each)}
        >
          ± {formatDuration(each * 3_600_000, language.value)}
        </button>
      ))}
    </div>
  )
}

interface ScheduleProps {
  schedule: ScheduleState
  /** Of all schedules, newest first. */
  starts: readonly PlannedStart[]
  coming: readonly ComingStart[]
  span: Span
  /** The time at which timelines were drawn. */
  drawn: number
  nowMs: number
  onSwitched: () => void
}

function Schedule({ schedule, starts: all, coming: ahead, span, drawn, nowMs, onSwitched }: ScheduleProps) {
  const titleId = useId()
  const { id, label, recipe, when, missed, enabled, message, next } = schedule
  const starts = useMemo(() => all.filter((start) => start.schedule === id), [all, id])
  const coming = useMemo(() => ahead.filter((start) => start.schedule === id), [ahead, id])
  return (
    <section class="schedule" aria-labelledby={titleId} data-schedule={id} data-enabled={String(enabled)}>
      <header>
        <div class="about">
          <h2 id={titleId}>
            {label} <code>{id}</code>
          </h2>
          <p class="detail">
            {recipe} · {said(when)} · {t(MISSED[missed])}
          </p>
          <p class="detail">
            <Next at={next[0]} nowMs={nowMs} />{' '}
            {message && (
              <span class="warning" data-part="message">
                {said(message)}
              </span>
            )}
          </p>
        </div>
        <ScheduleSwitch schedule={schedule} onSwitched={onSwitched} />
      </header>
      <Timeline label={label} starts={starts} coming={coming} span={span} nowMs={drawn} />
      <StartsTable starts={starts} />
    </section>
  )
}

function Next({ at, nowMs }: { at: string | undefined; nowMs: number }) {
  if (at === undefined) return null
  const left = Date.parse(at) - nowMs
  const time = formatMinute(at, nowMs, language.value)
  return (
    <span data-part="next">
      {left > 0
        ? t('scheduleNext', { at: time, left: formatDuration(left, language.value) })
        : t('scheduleDue', { at: time })}
    </span>
  )
}
