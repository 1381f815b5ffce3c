import type { Plan, PlanEntry } from '@golem/recipes'
import { table, valueInWords } from '../format.ts'

/** The most lines of a timeline that are printed. */
const MOST_LINES = 200
const POLICIES: Readonly<Record<Plan['crashes'][number]['policy'], string>> = {
  resume: 'it goes on where it would be by then',
  hold: 'it is paused',
  safe: 'it is aborted: outputs go to their safe state',
  ask: 'it is paused and asks',
}

/** Time since the beginning, e.g. `0:04:05` or `0:00:00.5`. */
function clock(ms: number): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = Math.floor(ms / 1000)
  const rest =
    ms % 1000 === 0
      ? ''
      : `.${String(Math.floor(ms % 1000))
          .padStart(3, '0')
          .replace(/0+$/, '')}`
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${rest}`
}

/** A plan for people. @param conflicts - as sentences; @param unseen - why reservations were not looked at */
export async function planInWords(
  plan: Plan,
  conflicts: readonly string[],
  unseen: string | null,
): Promise<string> {
  const { endsAt, startsAt, entries, end, message } = plan
  const lasts = endsAt === null ? null : Date.parse(endsAt) - Date.parse(startsAt)
  const how =
    lasts === null
      ? `does not end before ${plan.lookedUntil}, further it was not looked`
      : `${clock(lasts)} long: ${end ?? ''}, ${message}`
  const parts = [
    `${plan.recipe} (${plan.label}), from ${startsAt}, ${how}`,
    await table([
      ['time', 'stage', 'line', 'what'],
      ...entries
        .slice(0, MOST_LINES)
        .map((entry) => [clock(entry.ms), entry.stage, entry.line ?? '', whatOf(entry)]),
    ]),
  ]
  const more = entries.length - MOST_LINES
  if (more > 0) parts.push(`... and ${more} more; --json has all of them.`)
  parts.push(
    'If golem is killed in the middle of a step (its outputs stay as they are until it is back):',
    await table([
      ['line', 'at', 'then', 'on meanwhile'],
      ...plan.crashes.map(({ line, doing, policy, left }) => [
        line,
        doing,
        POLICIES[policy],
        left.length === 0 ? 'nothing' : left.join(', '),
      ]),
    ]),
  )
  const assumed = Object.entries(plan.assumed).map(([key, value]) => `${key} = ${valueInWords(value)}`)
  if (assumed.length > 0) {
    parts.push(`Taken to be so, because nobody said it (--reading NAME=VALUE): ${assumed.join(', ')}`)
  }
  if (plan.violations.length > 0) {
    parts.push(['WOULD BE REFUSED:', ...plan.violations.map((violation) => `  ${violation}`)].join('\n'))
  }
  if (conflicts.length > 0) {
    parts.push(['CONFLICTS:', ...conflicts.map((conflict) => `  ${conflict}`)].join('\n'))
  }
  if (unseen !== null) parts.push(`Reservations were not looked at: ${unseen}`)
  else if (conflicts.length === 0) parts.push('No conflict with reservations, bookings and schedules.')
  return parts.join('\n\n')
}

function whatOf({ kind, what }: PlanEntry): string {
  return kind === 'command' ? what : `-- ${what}`
}
