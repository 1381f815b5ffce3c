import type { RunRecord, RunRequest, SiteEvent } from '@golem/core'
import type { MessageKey } from './i18n.ts'

/** Going on first, the newest first among them; what asks before all others. */
export function goingOn(runs: readonly RunRecord[]): RunRecord[] {
  return runs
    .filter(({ state }) => state !== 'ended')
    .toSorted(
      (a, b) =>
        Number(b.state === 'asking') - Number(a.state === 'asking') ||
        b.submittedAt.localeCompare(a.submittedAt),
    )
}

/**
 * The runs that have ended, the last first.
 *
 * @param listed - as they were fetched a while ago; what `known` has of the same run is newer
 */
export function endedRuns(known: readonly RunRecord[], listed: readonly RunRecord[]): RunRecord[] {
  const all = new Map([...listed, ...known].map((run) => [run.id, run]))
  const endOf = (run: RunRecord): string => run.endedAt ?? run.submittedAt
  return [...all.values()]
    .filter(({ state }) => state === 'ended')
    .toSorted((a, b) => endOf(b).localeCompare(endOf(a)))
}

/** How long it will still take, in ms; null: not known. */
export function msLeft({ progress: { endsAt } }: RunRecord, nowMs: number | null): number | null {
  return endsAt === null || nowMs === null ? null : Math.max(0, Date.parse(endsAt) - nowMs)
}

/**
 * The share that is done by now, 0 to 1; null: not known. A run that only waits writes its record once a minute, so
 * in between it is counted on from the time it will end.
 */
export function fractionAt(run: RunRecord, nowMs: number | null): number | null {
  const { fraction, endsAt } = run.progress
  const goesOn = run.state === 'running' || run.state === 'stopping'
  if (!goesOn || fraction === null || endsAt === null || nowMs === null || fraction >= 1) return fraction
  const seen = Date.parse(run.seenAt)
  const whole = (Date.parse(endsAt) - seen) / (1 - fraction)
  if (!(whole > 0)) return fraction
  return Math.min(1, Math.max(fraction, fraction + (nowMs - seen) / whole))
}

/** Why a run can't be asked this now, as the key of a sentence; null: it can. The scheduler decides by the same rules. */
export function whyNotAsk({ state, choices }: RunRecord, request: RunRequest): MessageKey | null {
  if (state === 'ended') return 'runHasEnded'
  if (request === 'ping' || request === 'kill' || request === 'abort') return null
  if (state === 'waiting') return request === 'stop' ? null : 'runHasNotBegun'
  if (request === 'resume') {
    if (state === 'asking') return choices?.includes('resume') === false ? 'runIsNotPaused' : null
    return state === 'paused' ? null : 'runIsNotPaused'
  }
  if (state === 'stopping') return request === 'skip' ? null : 'runIsEnding'
  if (request === 'pause') return state === 'running' ? null : 'runIsPaused'
  if (request === 'skip') return state === 'running' ? null : 'runIsPaused'
  return null
}

/** What must be confirmed: what can't be taken back, or leaves out what somebody wanted. */
export function mustBeConfirmed(request: RunRequest): boolean {
  return request !== 'pause' && request !== 'resume' && request !== 'ping'
}

/**
 * Why the scheduler did not do what was asked of a run: it says so in the site's log.
 *
 * @param events - oldest first
 * @param sinceMs - the site's time when it was asked
 */
export function refusalIn(events: readonly SiteEvent[], run: string, sinceMs: number): string | null {
  const words = `run ${run}: not done: `
  const found = events.findLast(({ at, message }) => message.startsWith(words) && Date.parse(at) >= sinceMs)
  return found === undefined ? null : found.message.slice(words.length)
}
