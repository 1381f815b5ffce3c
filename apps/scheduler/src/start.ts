import type { Site } from '@golem/config'
import { messageOf } from '@golem/core'
import { SchedulerClient } from '@golem/queue'
import os from 'node:os'
import type { Logger } from 'pino'
import { Leader } from './leader.ts'
import type { PartMaker } from './part.ts'

export interface SchedulerOptions {
  /** Unique among the scheduler processes of a site (default: host name and process id). */
  id?: string
  redisUrl: string
  log: Logger
  /** What the leader does. */
  parts: readonly PartMaker[]
}

export interface RunningScheduler {
  readonly id: string
  /** Is its loop turning? */
  readonly healthy: boolean
  /** Is this the one that steps runs? The others stand by. */
  readonly leads: boolean
  close(): Promise<void>
}

/** How often the lead is taken or kept, as a part of the lease time. */
const BEATS_PER_LEASE = 5
/** How long the loop may stand still before the watchdog ends the process, in ms. */
const ALIVE_WITHIN_MS = 30_000

/** Starts a scheduler: it leads, or stands by until no other does, until it is closed. */
export function startScheduler(site: Site, options: SchedulerOptions): RunningScheduler {
  const { redisUrl, log, parts } = options
  const id =
    options.id ?? `scheduler-${os.hostname()}-${process.pid}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  let leader: Leader | undefined
  let changing: Promise<void> = Promise.resolve()
  let closing = false
  let beating = false
  let beginning = false
  let beatAt = performance.now()
  let trouble = ''

  /** Terms of office follow each other: a new one begins when the one before has wholly ended. */
  const change = (step: () => Promise<void>): Promise<void> => {
    changing = changing.then(step).catch((error: unknown) => log.error({ err: error }, 'the lead'))
    return changing
  }
  const client = new SchedulerClient({
    site: site.name,
    redisUrl,
    maxWaiting: site.maxWaiting,
    scheduler: id,
    leaseMs: site.leaseMs,
    onError: (error) => {
      if (error.message !== trouble) log.warn({ err: error }, 'Redis connection')
      trouble = error.message
    },
    onLost: (why) => resign(why),
  })
  const resign = (why: string): void => {
    const before = leader
    leader = undefined
    if (!before) return
    log.warn(`this scheduler leads no longer: ${why}`)
    void change(() => before.end())
  }
  const giveUp = (why: string): void => {
    resign(why)
    void change(() => client.yield())
  }
  const begin = async (): Promise<void> => {
    if (closing || !client.leads) return
    const next = new Leader({ site, client, scheduler: id, log, giveUp }, parts)
    leader = next
    try {
      await next.begin()
      log.info('this scheduler leads')
    } catch (error) {
      leader = undefined
      log.warn({ err: error }, 'it could not take up the lead')
      await next.end()
      await client.yield()
    }
  }
  const beat = async (): Promise<void> => {
    client.lookAtLease()
    if (beating || closing) return
    beating = true
    try {
      // Not waited for: however long it takes to begin, the lead has to be kept meanwhile.
      if ((await client.lead()) && !leader && !beginning && client.site.view.bus.ok) {
        beginning = true
        void change(begin).then(() => (beginning = false))
      }
      trouble = ''
    } catch (error) {
      log.debug(`the lead is not renewed: ${messageOf(error)}`)
    } finally {
      beating = false
      beatAt = performance.now()
    }
  }
  const timer = setInterval(() => void beat(), site.leaseMs / BEATS_PER_LEASE)
  void beat()
  log.info({ scheduler: id }, 'scheduler started')
  return {
    id,
    get healthy() {
      return performance.now() - beatAt < ALIVE_WITHIN_MS
    },
    get leads() {
      return leader !== undefined && client.leads
    },
    async close() {
      closing = true
      clearInterval(timer)
      const before = leader
      leader = undefined
      await change(async () => before?.end())
      await client
        .yield()
        .catch((error: unknown) => log.debug(`the lead is not given back: ${messageOf(error)}`))
      await client.close()
      log.info('scheduler stopped')
    },
  }
}
