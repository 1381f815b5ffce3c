import type { PlannedStart, ScheduleState } from '@golem/core'
import { ageInWords, spanInWords, table } from '../format.ts'

/** Schedules, one a line. @param nowMs - the site's clock */
export function schedulesTable(schedules: readonly ScheduleState[], nowMs: number): Promise<string> {
  return table([
    ['schedule', 'recipe', 'when', 'is', 'next', 'last', ''],
    ...schedules.map((one) => [
      one.id,
      one.recipe,
      one.when,
      one.enabled ? 'on' : 'OFF',
      nextInWords(one, nowMs),
      one.last === null ? '' : `${becameOf(one.last)}, ${ageInWords(one.last.plannedAt, nowMs)}`,
      one.enabled ? one.message : '',
    ]),
  ])
}

/** What became of planned starts, one a line. @param nowMs - the site's clock */
export function startsTable(starts: readonly PlannedStart[], nowMs: number): Promise<string> {
  return table([
    ['planned', 'schedule', 'started', 'run', 'what became of it'],
    ...starts.map((one) => [
      ageInWords(one.plannedAt, nowMs),
      one.schedule,
      one.lateMs === undefined ? '' : `${spanInWords(one.lateMs)} late`,
      one.run ?? '',
      becameOf(one),
    ]),
  ])
}

function nextInWords({ next: [next], enabled }: ScheduleState, nowMs: number): string {
  if (!enabled || next === undefined) return 'none'
  return `in ${spanInWords(Date.parse(next) - nowMs)}`
}

function becameOf({ skipped, finishedAt, end, count, until }: PlannedStart): string {
  if (skipped !== undefined) {
    const several = count === undefined ? '' : ` (${count} of them, up to ${until ?? ''})`
    return `SKIPPED${several}: ${skipped}`
  }
  if (finishedAt === undefined) return 'goes on'
  return end === 'completed' || end === 'stopped' ? end : (end ?? 'ended').toUpperCase()
}
