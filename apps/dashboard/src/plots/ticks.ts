import type { Language } from '../i18n.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Steps of an axis that counts from the start of a run, in ms. */
export const ELAPSED_STEPS = [
  1,
  2,
  5,
  ...[10, 20, 50].flatMap((count) => [count, 10 * count]),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => count * DAY),
]

/** Words at the ticks of a time axis, in the reader's time zone: the date stands where a day begins, and at the first. */
export function timeLabels(ticks: readonly number[], step: number, language: Language): string[] {
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })
  const year = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' })
  const time = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(step < MINUTE ? { second: '2-digit' } : {}),
    ...(step < SECOND ? { fractionalSecondDigits: 3 } : {}),
  })
  let before = ''
  let yearBefore = ''
  return ticks.map((tick) => {
    const date = day.format(tick)
    const ofYear = String(new Date(tick).getFullYear())
    const isNewYear = ofYear !== yearBefore
    yearBefore = ofYear
    const isNewDay = date !== before
    before = date
    if (step >= DAY) return isNewYear ? year.format(tick) : date
    return isNewDay ? `${time.format(tick)}\n${date}` : time.format(tick)
  })
}

/** A time since the start of a run, as precise as the step of the axis: `1:30`, `2 d 06:00`, `0:01.5`. */
export function elapsedLabel(ms: number, step: number): string {
  const sign = ms < 0 ? '−' : ''
  const all = Math.abs(Math.round(ms))
  const days = Math.floor(all / DAY)
  const hours = Math.floor((all % DAY) / HOUR)
  const minutes = Math.floor((all % HOUR) / MINUTE)
  const seconds = Math.floor((all % MINUTE) / SECOND)
  const two = (count: number): string => String(count).padStart(2, '0')
  const fraction = step < SECOND ? `.${String(all % SECOND).padStart(3, '0')}` : ''
  const clock = `${days > 0 ? two(hours) : hours}:${two(minutes)}:${two(seconds)}${fraction}`
  return days > 0 ? `${sign}${days} d ${clock}` : `${sign}${clock}`
}
