import type { Site } from '@golem/config'
import type { SchedulerClient, SchedulerRequest, SchedulerWrite, SiteChange } from '@golem/queue'
import type { Logger } from 'pino'

/** What every part of the leading scheduler works with. */
export interface PartContext {
  site: Site
  client: SchedulerClient
  /** This process, as records name it. */
  scheduler: string
  log: Logger
  /** Ends the lead: a part can't go on, and another scheduler, or this one anew, may be able to. */
  readonly giveUp: (why: string) => void
}

/** What comes of a request: it is written together with the note that the request is done. */
export interface Answered {
  writes: readonly SchedulerWrite[]
  /** Done after that was written. */
  after?: () => void
}

/**
 * One of the leading scheduler's jobs: runs, schedules, alarms. A part lives as long as this process leads; the next
 * leader begins with what was remembered.
 */
export interface Part {
  /** @param remembered - by the names under which leaders before have remembered it */
  begin(remembered: ReadonlyMap<string, unknown>): Promise<void>
  /** Something in the site's state has changed. */
  change?(change: SiteChange): void
  /** @returns undefined: the request is another part's */
  request?(request: SchedulerRequest, at: number): Promise<Answered | undefined> | Answered | undefined
  /** Ends at once. What it still writes is refused when this process leads no longer; nothing may depend on it. */
  end(): Promise<void> | void
}

/** Makes a part, or some that belong together, for one term of office. */
export type PartMaker = (context: PartContext) => Part | readonly Part[]
