import type { BackupConfig } from '@golem/config'

/** The time in the name of a backup. */
const NAME = /^(?<site>.+)-(?<date>\d{4}-\d\d-\d\d)T(?<h>\d\d)-(?<m>\d\d)-(?<s>\d\d)Z\.golem-backup(\.age)?$/

/** When the backup of this name was made, ms since 1970; null: it is no backup of this site. */
export function timeOfName(name: string, site: string): number | null {
  const found = NAME.exec(name)?.groups
  if (!found || found['site'] !== site) return null
  return Date.parse(`${found['date']}T${found['h']}:${found['m']}:${found['s']}Z`)
}

/**
 * Which backups have had their time: all but the newest, and the newest of each of the last days, weeks (from Monday) and
 * months (UTC) that have one.
 *
 * @param names - of files in the folder; what is no backup of this site is never among the answer
 */
export function toRemove(names: readonly string[], site: string, keep: BackupConfig['keep']): string[] {
  const backups = names
    .flatMap((name) => {
      const at = timeOfName(name, site)
      return at === null ? [] : [{ name, at }]
    })
    .sort((a, b) => b.at - a.at)
  const kept = new Set<string>()
  const newestOf = (periodOf: (at: number) => string | number, many: number): void => {
    const periods = new Map<string | number, string>()
    for (const { name, at } of backups) {
      if (!periods.has(periodOf(at))) periods.set(periodOf(at), name)
    }
    for (const name of [...periods.values()].slice(0, many)) kept.add(name)
  }
  newestOf((at) => at, keep.last)
  newestOf(dayOf, keep.daily)
  newestOf((at) => Math.floor((dayOf(at) + DAYS_FROM_MONDAY) / 7), keep.weekly)
  newestOf((at) => new Date(at).toISOString().slice(0, 7), keep.monthly)
  return backups.map(({ name }) => name).filter((name) => !kept.has(name))
}

/** 1 January 1970 was a Thursday. */
const DAYS_FROM_MONDAY = 3

function dayOf(at: number): number {
  return Math.floor(at / 86_400_000)
}

/**
 * Is a backup due? What was missed, because the machine was off, is made up for once.
 *
 * @param lastAt - when the last one was made, ms since 1970; null: never
 * @param now - by the machine's clock, in whose time of day `atMinutes` is
 */
export function isDue(lastAt: number | null, now: number, atMinutes: number): boolean {
  const planned = new Date(now)
  planned.setHours(Math.floor(atMinutes / 60), atMinutes % 60, 0, 0)
  if (planned.getTime() > now) planned.setDate(planned.getDate() - 1)
  // A clock that was set back must not keep a backup from being made for long.
  return lastAt === null || lastAt < planned.getTime() || lastAt > now + 86_400_000
}
