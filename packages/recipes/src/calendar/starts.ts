import type { DayPattern, When } from '@golem/config'
import { Temporal } from 'temporal-polyfill'
import { nextMark } from '../engine/marks.ts'

const HOUR_MS = 3_600_000
/** 29 February may be eight years away. */
const FURTHEST_DAYS = 366 * 8 + 31

/**
 * The next planned start after a moment.
 *
 * Periods up to an hour count in UTC from the top of each hour and begin anew with it, whole hours from midnight UTC.
 * A time of the day that does not exist, because clocks are put forward over it, is as much later as they are (02:30
 * is 03:30 on that day); one that exists twice starts once, the first time. Times that fall together are one start.
 *
 * @param afterMs - ms since 1970; what is planned for this very moment is over
 * @returns ms since 1970; null: none will come
 */
export function nextStart(when: When, afterMs: number): number | null {
  switch (when.kind) {
    case 'every': {
      const { everyMs, offsetMs } = when
      if (everyMs <= HOUR_MS) return nextMark(afterMs, everyMs, offsetMs)
      return (Math.floor((afterMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs
    }
    case 'at':
      return nextAt(when, afterMs)
    case 'once': {
      const moments = when.moments.map((moment) => momentOf(moment, when.zone))
      return soonest(moments, afterMs)
    }
  }
}

/** The planned starts after a moment up to and with another, the earliest first. @param most - not more than these */
export function startsBetween(when: When, afterMs: number, untilMs: number, most: number): number[] {
  const found: number[] = []
  let at = nextStart(when, afterMs)
  while (at !== null && at <= untilMs && found.length < most) {
    found.push(at)
    at = nextStart(when, at)
  }
  return found
}

function nextAt({ times, zone, days }: Extract<When, { kind: 'at' }>, afterMs: number): number | null {
  const today = Temporal.Instant.fromEpochMilliseconds(afterMs).toZonedDateTimeISO(zone).toPlainDate()
  const clock = times.map((time) => Temporal.PlainTime.from(time))
  const on = (day: Temporal.PlainDate): number[] =>
    clock.map((plainTime) => day.toZonedDateTime({ timeZone: zone, plainTime }).epochMilliseconds)
  // A time that a clock put forward moves past midnight still belongs to the day before.
  for (let n = -1; n <= FURTHEST_DAYS; n += 1) {
    const day = today.add({ days: n })
    if (!isWanted(day, days)) continue
    const next = day.add({ days: 1 })
    const at = soonest([...on(day), ...(isWanted(next, days) ? on(next) : [])], afterMs)
    if (at !== null) return at
  }
  return null
}

function isWanted(day: Temporal.PlainDate, days: readonly DayPattern[]): boolean {
  if (days.length === 0) return true
  return days.some(
    (wanted) =>
      (wanted.weekday ?? day.dayOfWeek) === day.dayOfWeek &&
      (wanted.year ?? day.year) === day.year &&
      (wanted.month ?? day.month) === day.month &&
      (wanted.day ?? day.day) === day.day,
  )
}

function momentOf(moment: string, zone: string): number {
  if (/(Z|[+-]\d{2}:\d{2})$/.test(moment)) return Temporal.Instant.from(moment).epochMilliseconds
  return Temporal.PlainDateTime.from(moment).toZonedDateTime(zone).epochMilliseconds
}

function soonest(moments: readonly number[], afterMs: number): number | null {
  const ahead = moments.filter((at) => at > afterMs)
  return ahead.length === 0 ? null : Math.min(...ahead)
}
