import { type Database, openArchive } from '@golem/archive'
import { type Site, VERSION, selfDescription } from '@golem/config'
import { GolemError, isoTime, messageOf } from '@golem/core'
import { ArchiveClient } from '@golem/queue'
import os from 'node:os'
import type { Logger } from 'pino'
import { Backups } from './backups.ts'
import { Health } from './health.ts'
import { Writer } from './writer.ts'

export interface ArchiverOptions {
  /** Unique among the archiver processes of a site (default: host name and process id). */
  id?: string
  redisUrl: string
  log: Logger
  /** Opens the archive (default: openArchive). */
  open?: (place: string) => Promise<Database>
}

export interface RunningArchiver {
  readonly id: string
  /** Is its loop turning? */
  readonly healthy: boolean
  /** Is this the one that writes? The others stand by. */
  readonly writes: boolean
  close(): Promise<void>
}

/** How often the right to write is taken or kept, as a part of the lease time, and at least once a second. */
const BEATS_PER_LEASE = 5
const BEAT_MAX_MS = 1_000
/** How long the loop may stand still before the watchdog ends the process, in ms. */
const ALIVE_WITHIN_MS = 30_000

/**
 * Starts an archiver: it writes, or stands by until no other does, until it is closed.
 *
 * @throws GolemError CONFIG_INVALID when the site keeps no archive
 */
export function startArchiver(site: Site, options: ArchiverOptions): RunningArchiver {
  const { redisUrl, log, open = openArchive } = options
  if (site.archive === null) {
    throw new GolemError('CONFIG_INVALID', 'The site keeps no archive ("archive: false" in the site file).')
  }
  const { place, stream, keep } = site.archive
  const id =
    options.id ?? `archiver-${os.hostname()}-${process.pid}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  const health = new Health(log)
  const describe = selfDescription()
  let writer: Writer | undefined
  let backups: Backups | undefined
  let changing: Promise<void> = Promise.resolve()
  let closing = false
  let beating = false
  let beatAt = performance.now()
  let trouble = ''

  /** Terms of office follow each other: a new one begins when the one before has wholly ended. */
  const change = (step: () => Promise<void>): Promise<void> => {
    changing = changing.then(step).catch((error: unknown) => log.error({ err: error }, 'the right to write'))
    return changing
  }
  const client = new ArchiveClient({
    site: site.name,
    redisUrl,
    archiver: id,
    leaseMs: site.leaseMs,
    onError: (error) => {
      if (error.message !== trouble) log.warn({ err: error }, 'Redis connection')
      trouble = error.message
    },
    onLost: (why) => {
      const before = [writer, backups]
      writer = undefined
      backups = undefined
      if (!before[0]) return
      log.warn(`this archiver writes no longer: ${why}`)
      void change(async () => {
        for (const one of before) await one?.end()
      })
    },
  })
  const beat = async (): Promise<void> => {
    beatAt = performance.now()
    if (beating || closing) return
    beating = true
    try {
      if ((await client.lead()) && !writer && !closing) {
        const next = new Writer({ site, place, keep, client, health, log, open })
        writer = next
        void change(async () => next.begin())
        if (site.backup) backups = new Backups(site.backup, { site, redisUrl, version: VERSION, log })
        log.info('this archiver writes')
      }
      const { entries, ms } = await client.backlog()
      await client.beat({
        id,
        host: os.hostname(),
        ...describe(),
        lastSeen: isoTime(client.clock.now()),
        writes: writer !== undefined,
        backlog: entries,
        backlogLimit: stream,
        behindMs: ms,
        ...(await health.told(place)),
        ...(backups ? { backup: backups.state } : {}),
      })
      trouble = ''
    } catch (error) {
      log.debug(`not told: ${messageOf(error)}`)
    } finally {
      beating = false
    }
  }
  const timer = setInterval(() => void beat(), Math.min(BEAT_MAX_MS, site.leaseMs / BEATS_PER_LEASE))
  void beat()
  log.info({ archiver: id, place }, 'archiver started')
  return {
    id,
    get healthy() {
      return performance.now() - beatAt < ALIVE_WITHIN_MS
    },
    get writes() {
      return writer !== undefined && client.writes
    },
    async close() {
      closing = true
      clearInterval(timer)
      const before = [writer, backups]
      writer = undefined
      backups = undefined
      await change(async () => {
        for (const one of before) await one?.end()
      })
      await Promise.all([client.yield(), client.forgetMe()]).catch((error: unknown) =>
        log.debug(`the right to write is not given back: ${messageOf(error)}`),
      )
      client.close()
      log.info('archiver stopped')
    },
  }
}
