import {
  type ArchiverRecord,
  type CommandRecord,
  type RunRecord,
  type RunRow,
  type SiteEvent,
} from '@golem/core'
import type { SiteView } from './api.ts'
import { SiteClock } from './clock.ts'
import { type Connection, connect, disconnect } from './connection.ts'
import { eventFrom } from './events.ts'
import { SiteFollower } from './follower.ts'
import { type Keys, keysOf } from './keys.ts'
import { LeaseKeeper } from './leases.ts'
import { recordFrom } from './records.ts'
import { type ReceivedSample, sampleFrom } from './samples.ts'
import { runScript, withScripts } from './scripts.ts'

/** What the lease of the archiver that writes is called; links of instruments have a colon. */
const LEASE = 'archiver'
/** How many ledger records and rows are asked for at once. */
const RECORDS = 500
/** A record of an archiver that has not been heard of for so long is removed, in ms. */
const FORGOTTEN_MS = 86_400_000

export interface ArchiveClientOptions {
  site: string
  redisUrl: string
  /** Unique among the archiver processes of a site. */
  archiver: string
  leaseMs: number
  onError: (error: Error) => void
  /** It wrote, and may not any more. */
  onLost: (why: string) => void
}

/** How much waits in the stream. */
export interface Backlog {
  entries: number
  /** How old the oldest entry is, in ms; 0: none waits. */
  ms: number
  /** Id of the entry that each stream got last, whether it is still there or not; '0-0': there never was one. */
  newest: { samples: string; events: string }
}

/** Entries of the site's log with the records they tell of, as these are now. */
export interface HappenedEvents {
  events: SiteEvent[]
  commands: CommandRecord[]
  /** Ids of runs. */
  runs: Set<string>
}

/**
 * The archiver processes' side of the site. Streams are read from a given place on, which the archive itself knows: a
 * second one in Redis (a consumer group) could only disagree with it. What was committed is removed from `samples`.
 */
export class ArchiveClient {
  readonly view: SiteView
  readonly clock = new SiteClock()
  readonly #keys: Keys
  readonly #follower: SiteFollower
  readonly #fast: Connection
  readonly #following: Connection
  readonly #lease: LeaseKeeper
  readonly #archiver: string

  constructor({ site, redisUrl, archiver, leaseMs, onError, onLost }: ArchiveClientOptions) {
    this.#keys = keysOf(site)
    this.#archiver = archiver
    this.#fast = withScripts(connect(redisUrl, 'fast', onError))
    this.#following = connect(redisUrl, 'patient', onError)
    this.#follower = new SiteFollower(this.#keys, this.clock, this.#fast, this.#following)
    this.view = this.#follower
    this.#lease = new LeaseKeeper({
      keys: this.#keys,
      redis: this.#fast,
      worker: archiver,
      leaseMs,
      onLost: (_link, why) => onLost(why),
    })
  }

  /** May this process write, right now, by its own monotonic clock? */
  get writes(): boolean {
    return this.#lease.holds(LEASE)
  }

  /**
   * Takes or keeps the right to write; call it several times per lease time.
   *
   * @returns whether this process may write now
   * @throws when Redis does not answer
   */
  async lead(): Promise<boolean> {
    this.#lease.dropOverdue('Redis has not confirmed it')
    if (this.#lease.links.length > 0) await this.#lease.renew()
    else await this.#lease.acquire(LEASE, 0)
    return this.writes
  }

  /** Gives the right to write back, so that another archiver may take it at once. */
  yield(): Promise<void> {
    return this.#lease.release(LEASE)
  }

  /** Writes this process's record, and removes those of archivers that are long gone. */
  async beat(record: ArchiverRecord): Promise<void> {
    await this.#fast.hset(this.#keys.archivers, this.#archiver, JSON.stringify(record))
    const gone = [...this.view.archivers.values()].filter(
      ({ lastSeen }) => this.clock.now() - Date.parse(lastSeen) > FORGOTTEN_MS,
    )
    for (const { id } of gone) await this.#fast.hdel(this.#keys.archivers, id)
  }

  async forgetMe(): Promise<void> {
    await this.#fast.hdel(this.#keys.archivers, this.#archiver)
  }

  /** Readings after a place in the stream, oldest first. @throws when Redis does not answer */
  async samples(after: string, limit: number): Promise<ReceivedSample[]> {
    const entries = await this.#fast.xrange(this.#keys.samples, `(${after}`, '+', 'COUNT', limit)
    return entries.map(sampleFrom)
  }

  /** The archive has everything up to here: it is removed from the stream. */
  async committed(upTo: string): Promise<void> {
    const [ms = '0', n = '0'] = upTo.split('-')
    await this.#fast.xtrim(this.#keys.samples, 'MINID', `${ms}-${BigInt(n) + 1n}`)
  }

  /** @throws when Redis does not answer */
  async backlog(): Promise<Backlog> {
    const [samples, events] = await Promise.all([
      this.#stream(this.#keys.samples),
      this.#stream(this.#keys.events),
    ])
    const { length, oldest } = samples
    return {
      entries: length,
      ms: oldest === null ? 0 : Math.max(0, this.clock.now() - Number(oldest.split('-')[0])),
      newest: { samples: samples.newest, events: events.newest },
    }
  }

  /** Entries of the log after a place in it, oldest first, and what they tell of. @throws when Redis does not answer */
  async events(after: string, limit: number): Promise<HappenedEvents> {
    const entries = await this.#fast.xrange(this.#keys.events, `(${after}`, '+', 'COUNT', limit)
    const events = entries.map(eventFrom)
    const ids = new Set<string>()
    const runs = new Set<string>()
    for (const { command, run, data } of events) {
      if (command !== undefined) ids.add(command)
      if (run !== undefined) runs.add(run)
      const more = data?.['commands']
      if (Array.isArray(more)) for (const id of more) if (typeof id === 'string') ids.add(id)
    }
    return { events, commands: await this.#commands([...ids]), runs }
  }

  /** Runs as they are now; those that are not there any more are left out. */
  async runs(ids: readonly string[]): Promise<RunRecord[]> {
    if (ids.length === 0) return []
    const found = await this.#fast.hmget(this.#keys.records('run'), ...ids)
    return found.flatMap((json) => (json ? [JSON.parse(json) as RunRecord] : []))
  }

  /** What runs carry out, by their ids, as JSON: the scheduler keeps it as long as they last. */
  async programs(runs: readonly string[]): Promise<Map<string, string>> {
    if (runs.length === 0) return new Map()
    const found = await this.#fast.hmget(this.#keys.scheduler, ...runs.map((run) => `program:${run}`))
    return new Map(runs.flatMap((run, index) => (found[index] ? [[run, found[index]] as const] : [])))
  }

  /** What a run has measured after a row that is known. @param after - id of that row; '0-0': none is */
  async rows(run: string, after: string): Promise<RunRow[]> {
    const rows: RunRow[] = []
    for (let from = after; ; from = rows[rows.length - 1]?.id ?? after) {
      const entries = await this.#fast.xrange(this.#keys.rows(run), `(${from}`, '+', 'COUNT', RECORDS)
      rows.push(
        ...entries.map(([id, [, json = '{}']]) => ({ ...(JSON.parse(json) as Omit<RunRow, 'id'>), id })),
      )
      if (entries.length < RECORDS) return rows
    }
  }

  close(): void {
    this.#follower.close()
    disconnect(this.#following)
    disconnect(this.#fast)
  }

  async #stream(key: string): Promise<{ length: number; newest: string; oldest: string | null }> {
    // There is none before its first entry, and Redis counts that as an error.
    if ((await this.#fast.exists(key)) === 0) return { length: 0, newest: '0-0', oldest: null }
    const flat = (await this.#fast.xinfo('STREAM', key)) as unknown[]
    const get = (name: string): unknown => flat[flat.indexOf(name) + 1]
    const oldest = get('first-entry') as [string, string[]] | null
    return {
      length: Number(get('length')),
      newest: String(get('last-generated-id')),
      oldest: oldest?.[0] ?? null,
    }
  }

  async #commands(ids: readonly string[]): Promise<CommandRecord[]> {
    const records: CommandRecord[] = []
    for (let from = 0; from < ids.length; from += RECORDS) {
      const found = (await runScript(
        this.#fast,
        'golemRecords',
        this.#keys.root,
        ...ids.slice(from, from + RECORDS),
      )) as (string | null)[]
      records.push(...found.flatMap((json) => (json ? [recordFrom(json)] : [])))
    }
    return records
  }
}
