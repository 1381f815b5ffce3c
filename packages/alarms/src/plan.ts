import { type AlarmRecord, type Severity, isoTime } from '@golem/core'
import type { Now } from './machine.ts'
import { type Item, type Notification, makeNotification } from './message.ts'

/** One that has been told of is told of again, when it comes back unacknowledged, after this time at the earliest. */
const AGAIN_MS = 300_000
/** Between two messages of one notifier, unless something critical has come up, in ms. */
const GAP_MS = 10_000

/** What a notifier is told of, and how often. Times in ms. */
export interface TellRule {
  name: string
  severities: readonly Severity[]
  /** An active alarm that nobody has acknowledged is told of again after this time; null: never. */
  repeatMs: number | null
  /** It is told only of what nobody has acknowledged for so long; 0: at once. */
  escalateAfterMs: number
  /** It also hears that an alarm was acknowledged, or is over. */
  followUps: boolean
  /** At most so many messages in this time; twice as many when something is critical. */
  rate: { messages: number; perMs: number }
  /** Then it is told of what is critical only, and of the rest afterwards. Minutes of the day there. */
  quiet: { from: number; until: number; timeZone: string } | null
}

/** What one notifier has been told of. Plain JSON. */
export interface TellMemory {
  /** By alarm. */
  told: Readonly<Record<string, Told>>
  /** When the last messages were made, steady ms. */
  madeAt: readonly number[]
}

interface Told {
  /** Steady ms. */
  at: number
  /** Which time it was active. */
  since: string
  isOver: boolean
  isAcknowledged: boolean
  /** How it was, for when it is gone. */
  alarm: AlarmRecord
}

/** An alarm that is not normal. */
export interface Calling {
  record: AlarmRecord
  /** When it became active the last time, steady ms. */
  raisedAt: number
}

export const TOLD_NOTHING: TellMemory = { told: {}, madeAt: [] }

/**
 * What a notifier has to be told now.
 *
 * @param calling - all alarms that are not normal and that this notifier may hear of
 * @param makeId - of a message
 * @returns the message, with the memory that holds once it is on its way; null: nothing, and the memory to go on with
 */
export function plan(
  rule: TellRule,
  memory: TellMemory,
  calling: readonly Calling[],
  now: Now,
  { title, makeId }: { title: string; makeId: () => string },
): { memory: TellMemory; notification: Notification | null } {
  const told = { ...memory.told }
  const items: Item[] = []
  const isQuiet = rule.quiet !== null && isWithin(rule.quiet, now.utc)
  for (const one of calling) {
    const item = itemOf(rule, told[one.record.id], one, now)
    if (item === null || (isQuiet && one.record.severity !== 'critical')) continue
    items.push(item)
    told[one.record.id] = {
      at: now.ms,
      since: one.record.since,
      isOver: one.record.condition !== 'active',
      isAcknowledged: one.record.acknowledged !== null,
      alarm: one.record,
    }
  }
  const left = new Set(calling.map(({ record }) => record.id))
  const gone = Object.entries(memory.told).filter(([id]) => !left.has(id))
  let isForgotten = false
  for (const [id, { alarm, isOver }] of gone) {
    if (rule.followUps && !isOver && isQuiet && alarm.severity !== 'critical') continue
    delete told[id]
    isForgotten = true
    if (rule.followUps && !isOver) items.push({ reason: 'over', alarm: { ...alarm, condition: 'normal' } })
  }
  if (items.length === 0) return { memory: isForgotten ? { ...memory, told } : memory, notification: null }
  const madeAt = memory.madeAt.filter((at) => now.ms - at < rule.rate.perMs && at <= now.ms)
  const isUrgent = items.some(({ reason, alarm }) => reason === 'raised' && alarm.severity === 'critical')
  const last = madeAt.at(-1) ?? -Infinity
  const isTooMuch = isUrgent
    ? madeAt.length >= 2 * rule.rate.messages
    : madeAt.length >= rule.rate.messages || now.ms - last < GAP_MS
  if (isTooMuch) return { memory, notification: null }
  const head = { id: makeId(), notifier: rule.name, at: isoTime(now.utc), title }
  return { memory: { told, madeAt: [...madeAt, now.ms] }, notification: makeNotification(head, items) }
}

function itemOf(
  rule: TellRule,
  told: Told | undefined,
  { record, raisedAt }: Calling,
  now: Now,
): Item | null {
  const { since, acknowledged, condition, inhibited } = record
  if (told && told.since === since) {
    if (rule.followUps) {
      if (acknowledged && !told.isAcknowledged) return { reason: 'acknowledged', alarm: record }
      if (condition !== 'active' && !told.isOver) return { reason: 'over', alarm: record }
    }
    const isDue =
      rule.repeatMs !== null &&
      condition === 'active' &&
      acknowledged === null &&
      inhibited === undefined &&
      now.ms - told.at >= rule.repeatMs
    return isDue ? { reason: 'repeated', alarm: record } : null
  }
  if (!rule.severities.includes(record.severity) || acknowledged !== null || inhibited !== undefined)
    return null
  if (now.ms - raisedAt < rule.escalateAfterMs) return null
  // It has come back while nobody had acknowledged it: that is one matter, not many.
  if (told && now.ms - told.at < AGAIN_MS) return null
  return { reason: 'raised', alarm: record }
}

/** Is it between these minutes of the day there? Over midnight, too. */
function isWithin({ from, until, timeZone }: NonNullable<TellRule['quiet']>, utc: number): boolean {
  const parts = clockOf(timeZone).formatToParts(utc)
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0)
  const minute = part('hour') * 60 + part('minute')
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timeZone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    clocks.set(timeZone, clock)
  }
  return clock
}
