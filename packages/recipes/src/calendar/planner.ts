import type { ScheduleConfig } from '@golem/config'
import { isoTime } from '@golem/core'
import { nextStart, startsBetween } from './starts.ts'

/** What is remembered of a schedule, as plain JSON: it is written together with what comes of it. Times in ms since 1970. */
export interface ScheduleMemory {
  /** What it was planned by: when the site file says otherwise, it is planned anew. */
  plan: string
  enabled: boolean
  /** Each planned start up to here is accounted for, or stands in `owed`. */
  upToMs: number
  /** Planned starts that are still to be made, one after the other, the oldest first. */
  owed: readonly number[]
  /** What was started and has not ended. */
  going: readonly { plannedMs: number; run: string }[]
  /** How often the clock was found so far back that it was planned anew. */
  era: number
}

/** What became of a planned start. */
export type Settled =
  | { plannedMs: number; run: string; lateMs: number }
  /** `count` of them, up to the one at `untilMs`, were skipped for the same reason. */
  | { plannedMs: number; untilMs: number; count: number; skipped: string }

/** What a look at a schedule has to know of the world. */
export interface Surroundings {
  /** The site's clock, ms since 1970: it may be set. */
  nowMs: number
  /** Why that clock is not trusted, as a sentence; null: it is. */
  clockFault: string | null
  /** Why nothing can be started now, as a sentence; null: nothing is in the way. Asked when something is to be. */
  obstacle: () => string | null
  /** Why it was not looked at in time, if it was not, as a sentence. */
  absence: string
}

export interface Looked {
  memory: ScheduleMemory
  settled: readonly Settled[]
  /** The next planned start; null: none. */
  nextMs: number | null
  /** There is more to account for: look again at once. */
  more: boolean
  /** For the site's log. */
  news: string | null
}

/** With the policy `catch-up` not more than these are made up for. */
const CATCH_UP_MAX = 24
/** A look accounts for at most so many. */
const BATCH = 10_000
/** A clock that was set back further than this was wrong before: it is planned anew, instead of waiting until it gets there. */
const BACK_MS = 6 * 3_600_000

/**
 * Looks at a schedule: what is due is started, or skipped for a reason. Each planned start is settled exactly once,
 * provided that `memory` is written together with what was settled. The memory that was given is not changed.
 *
 * A clock that is set back up to six hours starts nothing a second time; one that is set forward has missed what was
 * planned in between.
 *
 * @param known - undefined: it is new
 */
export function lookAt(
  schedule: ScheduleConfig,
  known: ScheduleMemory | undefined,
  around: Surroundings,
): Looked {
  const { when } = schedule
  const { nowMs } = around
  const look = new Look(schedule, planned(schedule, known, nowMs), around)
  const { memory } = look
  if (known && known.plan !== memory.plan) look.dropOwed('The schedule was changed.')
  if (!memory.enabled) {
    look.dropOwed('It was switched off.')
    return look.result(null)
  }
  let news: string | null = null
  if (memory.upToMs - nowMs > BACK_MS && when.kind !== 'once') {
    news = `the clock was ahead and was set back to ${isoTime(nowMs)}: it is planned anew`
    look.memory = { ...memory, upToMs: nowMs, era: memory.era + 1 }
  }
  // What only has to be evenly apart may go by any clock.
  if (around.clockFault !== null && when.kind !== 'every') {
    return look.result(nextStart(when, Math.max(nowMs, look.memory.upToMs)), news)
  }
  const due = startsBetween(when, look.memory.upToMs, nowMs, BATCH)
  const newest = due.at(-1)
  if (newest !== undefined) {
    look.memory = { ...look.memory, upToMs: newest }
    if (due.length === BATCH) {
      look.skip(due, around.absence)
      return { ...look.result(newest, news), more: true }
    }
    look.takeDue(due, newest)
  }
  look.startOwed()
  return look.result(nextStart(when, look.memory.upToMs), news)
}

/** A schedule is switched on or off. */
export function switched(memory: ScheduleMemory, enabled: boolean, nowMs: number): ScheduleMemory {
  return { ...memory, enabled, upToMs: fromNow(memory, nowMs) }
}

/** A run of it has ended. */
export function ended(memory: ScheduleMemory, run: string): ScheduleMemory {
  return { ...memory, going: memory.going.filter((one) => one.run !== run) }
}

function planned(
  { when, enabled }: ScheduleConfig,
  known: ScheduleMemory | undefined,
  nowMs: number,
): ScheduleMemory {
  const plan = JSON.stringify({ when, enabled })
  if (!known) return { plan, enabled, upToMs: nowMs, owed: [], going: [], era: 0 }
  if (known.plan === plan) return known
  return { ...known, plan, enabled, upToMs: fromNow(known, nowMs) }
}

/** Nothing is planned for the past, and nothing a second time. */
function fromNow({ upToMs }: ScheduleMemory, nowMs: number): number {
  return upToMs - nowMs > BACK_MS ? nowMs : Math.max(upToMs, nowMs)
}

class Look {
  memory: ScheduleMemory
  readonly #schedule: ScheduleConfig
  readonly #around: Surroundings
  readonly #settled: Settled[] = []

  constructor(schedule: ScheduleConfig, memory: ScheduleMemory, around: Surroundings) {
    this.#schedule = schedule
    this.memory = memory
    this.#around = around
  }

  result(nextMs: number | null, news: string | null = null): Looked {
    return { memory: this.memory, settled: this.#settled, nextMs, more: false, news }
  }

  skip(starts: readonly number[], skipped: string): void {
    const [plannedMs] = starts
    const untilMs = starts.at(-1)
    if (plannedMs === undefined || untilMs === undefined) return
    this.#settled.push({ plannedMs, untilMs, count: starts.length, skipped })
  }

  dropOwed(why: string): void {
    this.skip(this.memory.owed, why)
    this.memory = { ...this.memory, owed: [] }
  }

  /** Of several that are due at once only the newest can be on time. */
  takeDue(due: readonly number[], newest: number): void {
    const { missed, withinMs, onOverlap } = this.#schedule
    const isOnTime = this.#around.nowMs - newest <= withinMs
    const late = isOnTime ? due.slice(0, -1) : due
    let owed = [...this.memory.owed]
    if (missed === 'skip') this.skip(late, this.#around.absence)
    else owed.push(...late)
    const [going] = this.memory.going
    if (isOnTime && going && onOverlap === 'skip' && owed.length === 0) {
      this.skip([newest], `Its run ${going.run} was still going on.`)
    } else if (isOnTime) owed.push(newest)
    const most = missed === 'catch-up' ? CATCH_UP_MAX : 1
    if (owed.length > most) {
      const first = isoTime(owed[owed.length - most] ?? newest)
      this.skip(
        owed.slice(0, -most),
        most === 1 ? `The start of ${first} stands for it.` : `More than ${most} were missed.`,
      )
      owed = owed.slice(-most)
    }
    this.memory = { ...this.memory, owed }
  }

  startOwed(): void {
    const { owed, going } = this.memory
    const [plannedMs, ...later] = owed
    if (plannedMs === undefined || going.length > 0) return
    const { nowMs } = this.#around
    const obstacle = this.#around.obstacle()
    if (obstacle !== null) return this.dropOwed(obstacle)
    const run = runOf(this.#schedule.id, plannedMs, this.memory.era)
    this.memory = { ...this.memory, owed: later, going: [{ plannedMs, run }] }
    this.#settled.push({ plannedMs, run, lateMs: Math.max(0, nowMs - plannedMs) })
  }
}

/**
 * The id of the run of a planned start, always the same: should Redis lose the last second, its commands are known to
 * the workers and not given again.
 */
function runOf(schedule: string, plannedMs: number, era: number): string {
  const time = isoTime(plannedMs).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  return `${schedule}-${time}${era === 0 ? '' : `-${era}`}`
}
