import type { AlarmCondition, Value } from '@golem/core'

/** So many times active within `FLAPPING_WITHIN_MS`: it comes and goes, and is held active until it has been quiet. */
const FLAPPING_COUNT = 5
const FLAPPING_WITHIN_MS = 600_000
/** For how long one that comes and goes has to be over before it has returned, in ms. */
const FLAPPING_OFF_MS = 60_000

/** The two clocks an alarm goes by. */
export interface Now {
  /** Steady: it never jumps, so delays are as long as they say. */
  ms: number
  /** For people, ms since 1970. */
  utc: number
}

/** How an alarm comes and goes. */
export interface Manner {
  delayMs: number
  offDelayMs: number
  latch: boolean
}

export interface Acknowledgement {
  by: string
  /** ms since 1970 */
  at: number
  note: string
}

/** Everything about one alarm that has to survive the process that watches it. Plain JSON. */
export interface AlarmMemory {
  condition: AlarmCondition
  /** Since when it has been otherwise than `condition` says, steady ms: a delay is running; null: none is. */
  turningAt: number | null
  message: string
  value: Value | null
  /** When it became active the last time: steady ms, and ms since 1970. */
  raisedAt: number
  since: number
  /** ms since 1970; null: it has not returned. */
  returnedAt: number | null
  count: number
  acknowledged: Acknowledgement | null
  /** When it became active lately, steady ms. */
  raises: readonly number[]
}

/** What has become of an alarm; null: nothing that anybody has to hear of. */
export type Turn = 'raised' | 'returned' | 'settled' | null

const QUIET: AlarmMemory = {
  condition: 'normal',
  turningAt: null,
  message: '',
  value: null,
  raisedAt: 0,
  since: 0,
  returnedAt: null,
  count: 0,
  acknowledged: null,
  raises: [],
}

/**
 * Takes in what is so now.
 *
 * @param memory - undefined: it has never been active
 * @returns the same memory when nothing has changed
 */
export function advance(
  memory: AlarmMemory | undefined,
  manner: Manner,
  facts: { so: boolean | null; message: string; value: Value | null },
  now: Now,
): { memory: AlarmMemory; turn: Turn } {
  const before = memory ?? QUIET
  const isActive = before.condition === 'active'
  if (facts.so === null) return { memory: before, turn: null }
  if (facts.so === isActive) {
    return { memory: before.turningAt === null ? before : { ...before, turningAt: null }, turn: null }
  }
  const turningAt = Math.min(before.turningAt ?? now.ms, now.ms)
  const waiting = before.turningAt === turningAt ? before : { ...before, turningAt }
  if (now.ms - turningAt < (isActive ? offDelay(before, manner) : manner.delayMs)) {
    return { memory: waiting, turn: null }
  }
  return isActive ? comeDown(waiting, manner, now) : goUp(waiting, facts, now)
}

/**
 * Somebody has seen it. One that is over is settled with that.
 *
 * @returns undefined: there is nothing to acknowledge
 */
export function acknowledge(
  memory: AlarmMemory,
  acknowledgement: Acknowledgement,
): { memory: AlarmMemory; turn: Turn } | undefined {
  if (memory.condition === 'normal') return undefined
  const acknowledged = { ...memory, acknowledged: acknowledgement }
  return memory.condition === 'returned'
    ? { memory: settled(acknowledged), turn: 'settled' }
    : { memory: acknowledged, turn: null }
}

/** Has to be remembered: it is not as if it had never been. */
export function isWorthKeeping({ condition, turningAt }: AlarmMemory): boolean {
  return condition !== 'normal' || turningAt !== null
}

function goUp(
  before: AlarmMemory,
  { message, value }: { message: string; value: Value | null },
  now: Now,
): { memory: AlarmMemory; turn: Turn } {
  const memory: AlarmMemory = {
    condition: 'active',
    turningAt: null,
    message,
    value,
    raisedAt: now.ms,
    since: now.utc,
    returnedAt: null,
    count: before.count + 1,
    acknowledged: null,
    raises: [...before.raises, now.ms].slice(-FLAPPING_COUNT),
  }
  return { memory, turn: 'raised' }
}

function comeDown(before: AlarmMemory, { latch }: Manner, now: Now): { memory: AlarmMemory; turn: Turn } {
  const memory: AlarmMemory = {
    ...before,
    condition: 'returned',
    turningAt: null,
    returnedAt: now.utc,
  }
  // A latched one wants somebody who has seen that it is over.
  if (before.acknowledged === null || latch) return { memory, turn: 'returned' }
  return { memory: settled(memory), turn: 'settled' }
}

function settled(memory: AlarmMemory): AlarmMemory {
  return { ...memory, condition: 'normal', count: 0 }
}

/** One that comes and goes calls a few times, not each time: it counts as active until it has been quiet. */
function offDelay({ raises }: AlarmMemory, { offDelayMs }: Manner): number {
  const span = (raises.at(-1) ?? 0) - (raises[0] ?? 0)
  const isFlapping = raises.length === FLAPPING_COUNT && span < FLAPPING_WITHIN_MS
  return isFlapping ? Math.max(offDelayMs, FLAPPING_OFF_MS) : offDelayMs
}
