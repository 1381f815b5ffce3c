import type { ScheduleConfig } from '@golem/config'
import { type PlannedStart, type RunRecord, type ScheduleState, isoTime } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import { type ScheduleMemory, type Settled, startsBetween, whenInWords } from '@golem/recipes'

/** How many of the next starts are shown. */
const NEXT = 5

/** What the ledger has of a planned start. */
export function startOf(schedule: string, one: Settled, nowMs: number): PlannedStart {
  const plannedAt = isoTime(one.plannedMs)
  if ('run' in one) {
    return { schedule, plannedAt, run: one.run, startedAt: isoTime(nowMs), lateMs: one.lateMs }
  }
  const { count, untilMs, skipped } = one
  return { schedule, plannedAt, skipped, ...(count === 1 ? {} : { count, until: isoTime(untilMs) }) }
}

/**
 * What the ledger has of a planned start whose run has ended.
 *
 * @param waitedFor - what it was waiting for when it was given up, as a sentence
 */
export function finishedOf(
  schedule: string,
  plannedMs: number,
  run: RunRecord,
  waitedFor?: string,
): PlannedStart {
  const { id, startedAt, endedAt, end, message } = run
  const start = { schedule, plannedAt: isoTime(plannedMs), run: id }
  const finished = {
    ...(endedAt === undefined ? {} : { finishedAt: endedAt }),
    ...(end === undefined ? {} : { end }),
  }
  if (startedAt === undefined) {
    return { ...start, ...finished, skipped: waitedFor === undefined ? message : `${message} ${waitedFor}` }
  }
  return { ...start, startedAt, lateMs: Math.max(0, Date.parse(startedAt) - plannedMs), ...finished }
}

/** The record that pages show. */
export function stateOf(
  schedule: ScheduleConfig,
  memory: ScheduleMemory,
  { nowMs, fault, last }: { nowMs: number; fault: string | null; last: PlannedStart | null },
): ScheduleState {
  const { id, label, recipe, when, missed } = schedule
  const from = Math.max(nowMs, memory.upToMs)
  const next = memory.enabled ? startsBetween(when, from, Number.MAX_SAFE_INTEGER, NEXT) : []
  const why = (): string => {
    if (!memory.enabled) return 'It is switched off.'
    if (fault !== null && when.kind !== 'every') return fault
    if (next.length === 0) return 'None is to come any more.'
    if (memory.upToMs > nowMs) {
      return `The clock was set back: what was planned up to ${isoTime(memory.upToMs)} is not started again.`
    }
    return ''
  }
  return {
    id,
    label,
    recipe,
    when: whenInWords(when),
    missed,
    enabled: memory.enabled,
    next: next.map(isoTime),
    message: why(),
    last,
  }
}

/** What a planned start says in the site's log; null: its run does. */
export function eventOf(
  schedule: string,
  { plannedAt, skipped, count, until }: PlannedStart,
): SchedulerWrite[] {
  if (skipped === undefined) return []
  const which =
    count === undefined ? `the start of ${plannedAt} was` : `${count} starts, ${plannedAt} to ${until}, were`
  return [
    {
      op: 'event',
      kind: 'schedule',
      level: 'notice',
      data: { schedule, planned: plannedAt },
      message: `schedule ${schedule}: ${which} skipped: ${skipped}`,
    },
  ]
}
