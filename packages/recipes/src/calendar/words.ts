import { type DayPattern, formatDuration, type When } from '@golem/config'

const HOUR_MS = 3_600_000
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** When a schedule starts, e.g. `every 10 min from the top of the hour` or `daily at 06:00 (Europe/Berlin)`. */
export function whenInWords(when: When): string {
  switch (when.kind) {
    case 'every': {
      const from = when.everyMs > HOUR_MS ? 'midnight UTC' : 'the top of the hour'
      const later = when.offsetMs === 0 ? '' : `${formatDuration(when.offsetMs)} after `
      return `every ${formatDuration(when.everyMs)} from ${later}${from}`
    }
    case 'at':
      return `${daysInWords(when.days)} at ${listed(when.times.map(shortTime))} (${when.zone})`
    case 'once': {
      const isLocal = when.moments.some((moment) => !/(Z|[+-]\d{2}:\d{2})$/.test(moment))
      const moments = when.moments.map((moment) => moment.replace('T', ' '))
      return `once at ${listed(moments)}${isLocal ? ` (${when.zone})` : ''}`
    }
  }
}

function daysInWords(days: readonly DayPattern[]): string {
  if (days.length === 0) return 'daily'
  const weekdays = days.map(({ weekday = 0 }) => weekday)
  if (weekdays.join('') === '12345') return 'Monday to Friday'
  return listed(days.map(dayInWords))
}

function dayInWords({ weekday, year, month, day }: DayPattern): string {
  if (weekday !== undefined) return WEEKDAYS[weekday - 1] ?? ''
  if (month === undefined) return `day ${day} of each month`
  const date = [month, day].map((part) => String(part).padStart(2, '0')).join('-')
  return year === undefined ? `${date} of each year` : `${String(year).padStart(4, '0')}-${date}`
}

function shortTime(time: string): string {
  return time.endsWith(':00') ? time.slice(0, 5) : time
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}
