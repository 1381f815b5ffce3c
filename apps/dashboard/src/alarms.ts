import { type AlarmRecord, SEVERITIES } from '@golem/core'

/** Calls somebody: nobody has acknowledged it, and no run keeps it quiet. */
export function isCalling({ acknowledged, inhibited }: AlarmRecord): boolean {
  return acknowledged === null && inhibited === undefined
}

/** Those that call somebody first, the worst of them at the top, then the newest. */
export function inOrder(alarms: readonly AlarmRecord[]): AlarmRecord[] {
  const rank = (alarm: AlarmRecord): number =>
    SEVERITIES.indexOf(alarm.severity) + (isCalling(alarm) ? SEVERITIES.length : 0)
  return alarms.toSorted((a, b) => rank(b) - rank(a) || b.since.localeCompare(a.since))
}

/** Can it be acknowledged: nobody has, or it is over and waits for somebody to see that? */
export function canAcknowledge({ acknowledged, condition }: AlarmRecord): boolean {
  return acknowledged === null || condition === 'returned'
}
