import { type AlarmRecord, SEVERITIES, type Severity, timeInWords } from '@golem/core'

/** Why an alarm is in a message. */
export type Reason = 'raised' | 'repeated' | 'acknowledged' | 'over'

export interface Item {
  reason: Reason
  alarm: AlarmRecord
}

/** What one notifier is told at one time. */
export interface Notification {
  /** The same however often it is sent: whoever gets it twice can tell. */
  id: string
  notifier: string
  /** When it was made, ISO 8601 UTC. */
  at: string
  /** The worst of what was raised or repeated; info when nothing was. */
  severity: Severity
  subject: string
  lines: readonly string[]
  /** Those that are shown. */
  items: readonly Item[]
  /** How many more there are that are not shown. */
  more: number
}

/** So many alarms are shown in one message. */
const SHOWN = 10

const HEADS: Readonly<Record<Reason, string>> = {
  raised: 'ALARM',
  repeated: 'STILL',
  acknowledged: 'acknowledged',
  over: 'over',
}

/** @param items - at least one @param title - of the site */
export function makeNotification(
  { id, notifier, at, title }: { id: string; notifier: string; at: string; title: string },
  items: readonly Item[],
): Notification {
  const sorted = items.toSorted((a, b) => rank(b) - rank(a) || a.alarm.since.localeCompare(b.alarm.since))
  const shown = sorted.slice(0, SHOWN)
  const more = sorted.length - shown.length
  const [first] = shown
  const others = sorted.length > 1 ? ` and ${sorted.length - 1} more` : ''
  return {
    id,
    notifier,
    at,
    severity: worstOf(sorted),
    subject: first ? `[${title}] ${headOf(first)}${others}` : `[${title}]`,
    lines: [...shown.flatMap(linesOf), ...(more > 0 ? [`... and ${more} more.`] : [])],
    items: shown,
    more,
  }
}

/** What is sent to find out whether a notifier works. */
export function makeTest(
  { id, notifier, at, title }: { id: string; notifier: string; at: string; title: string },
  by: string,
): Notification {
  return {
    id,
    notifier,
    at,
    severity: 'info',
    subject: `[${title}] test of ${notifier}`,
    lines: [`This is a test that ${by} asked for at ${timeInWords(at)}. Nothing is wrong.`],
    items: [],
    more: 0,
  }
}

function headOf({ reason, alarm }: Item): string {
  const urgency = alarm.severity === 'critical' ? 'CRITICAL ' : ''
  const head = reason === 'raised' || reason === 'repeated' ? `${urgency}${HEADS[reason]}` : HEADS[reason]
  return `${head}: ${alarm.message.replace(/\.$/, '')}`
}

function linesOf(item: Item): string[] {
  const { reason, alarm } = item
  const since = `since ${timeInWords(alarm.since)}`
  const until = alarm.returnedAt === undefined ? '' : `, over since ${timeInWords(alarm.returnedAt)}`
  const often = alarm.count > 1 ? `, ${alarm.count} times` : ''
  const lines = [`${headOf(item)} (${alarm.id}, ${alarm.severity}, ${since}${until}${often})`]
  if (alarm.acknowledged) {
    const { by, note } = alarm.acknowledged
    lines.push(`  acknowledged by ${by}${note === '' ? '' : `: ${note}`}`)
  }
  if (alarm.guidance !== undefined && (reason === 'raised' || reason === 'repeated'))
    lines.push(`  ${alarm.guidance}`)
  return lines
}

/** What calls somebody comes first, the worst of it at the top. */
function rank({ reason, alarm }: Item): number {
  const calls = reason === 'raised' ? 2 : reason === 'repeated' ? 1 : 0
  return calls * SEVERITIES.length + SEVERITIES.indexOf(alarm.severity)
}

function worstOf(items: readonly Item[]): Severity {
  const calling = items.filter(({ reason }) => reason === 'raised' || reason === 'repeated')
  const ranks = calling.map(({ alarm }) => SEVERITIES.indexOf(alarm.severity))
  return SEVERITIES[Math.max(0, ...ranks)] ?? 'info'
}
