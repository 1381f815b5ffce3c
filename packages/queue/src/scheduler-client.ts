import {
  type CommandRecord,
  type EventDetails,
  GolemError,
  type InstrumentDescription,
  type Outcome,
  type Snapshot,
  asGolemError,
} from '@golem/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SchedulerRequest, SiteClient, SubmitRequest } from './api.ts'
import { SiteClock } from './clock.ts'
import { type Connection, connect, disconnect } from './connection.ts'
import { detailsToJson } from './events.ts'
import { type Keys, keysOf, type RecordTable, ROWS_MAX, STARTS_MAX } from './keys.ts'
import { LeaseKeeper, readRedisLife } from './leases.ts'
import { runScript, withScripts } from './scripts.ts'
import type { NumberedSample } from './samples.ts'
import { openSiteClient } from './site-client.ts'
import type { ControlMessage } from './worker-client.ts'

/** What the lease of the leading scheduler is called; links of instruments have a colon. */
const LEASE = 'scheduler'
/** How long one XREAD waits in Redis, in ms. */
const BLOCK_MS = 1_000
/** How long a safe state may take, in ms: a worker first has to end what is under way. */
const SAFE_WITHIN_MS = 15_000
/** How often it is looked for, in ms. */
const SAFE_LOOK_MS = 50
/** How many requests one XREAD takes. */
const BATCH = 100

/** One thing the leading scheduler writes. All writes of one `write` come into effect together, or none. */
export type SchedulerWrite =
  /** First of all: what follows is written once, however often it is tried. */
  | { op: 'once'; name: string; revision: number }
  /** A record that pages show; null removes it. */
  | { op: 'record'; table: RecordTable; id: string; value: object | null }
  /** A derived instrument, as workers publish theirs; null removes it. */
  | { op: 'record'; table: 'description'; id: string; value: InstrumentDescription | null }
  | { op: 'record'; table: 'snapshot'; id: string; value: Snapshot | null }
  /** Derived readings on their way to the archive. @param max - how many entries may wait in Redis */
  | { op: 'sample'; sample: NumberedSample; max: number }
  /** Tells the workers something. */
  | { op: 'tell'; message: ControlMessage }
  /** What the next leader has to know, under a name of the scheduler's own; null forgets it. */
  | { op: 'remember'; name: string; value: unknown }
  | { op: 'row'; run: string; value: object }
  | { op: 'start'; value: object }
  | ({ op: 'event'; kind: string; instrument?: string; by?: string; message: string } & EventDetails)
  /** Removes the rows of a run. */
  | { op: 'forget-rows'; run: string }

export interface SchedulerClientOptions {
  site: string
  redisUrl: string
  maxWaiting: number
  /** Unique among the scheduler processes of a site. */
  scheduler: string
  leaseMs: number
  onError: (error: Error) => void
  /** It led, and does not any more. */
  onLost: (why: string) => void
}

/** A request as it stands in the stream. */
export interface ReceivedRequest {
  id: string
  /** When it was made, ms since 1970, site clock. */
  at: number
  request: SchedulerRequest
}

/** The scheduler processes' side of the site: who leads, what the leader remembers, writes and is asked. */
export class SchedulerClient {
  /** Commands, the live view and the ledger, as web processes have them. */
  readonly site: SiteClient
  readonly clock = new SiteClock()
  readonly #keys: Keys
  readonly #lease: LeaseKeeper
  readonly #beat: Connection
  readonly #blocking: Connection
  readonly #scheduler: string

  constructor(options: SchedulerClientOptions) {
    const { site, redisUrl, maxWaiting, scheduler, leaseMs, onError, onLost } = options
    this.#keys = keysOf(site)
    this.#scheduler = scheduler
    this.site = openSiteClient({ site, redisUrl, maxWaiting, onError })
    this.#beat = withScripts(connect(redisUrl, 'fast', onError))
    this.#blocking = connect(redisUrl, 'patient', onError)
    this.#lease = new LeaseKeeper({
      keys: this.#keys,
      redis: this.#beat,
      worker: scheduler,
      leaseMs,
      onLost: (_link, why) => onLost(why),
    })
  }

  /** Does this process lead, right now, by its own monotonic clock? */
  get leads(): boolean {
    return this.#lease.holds(LEASE)
  }

  /**
   * Takes or keeps the lead; call it several times per lease time.
   *
   * @returns whether this process leads now
   * @throws when Redis does not answer
   */
  async lead(): Promise<boolean> {
    await this.clock.synchronise(this.#beat)
    if (this.#lease.links.length > 0) await this.#lease.renew()
    else await this.#lease.acquire(LEASE, 0)
    return this.leads
  }

  /** Notices by the clock that the lead is over, also while Redis is away. */
  lookAtLease(): void {
    this.#lease.dropOverdue('Redis has not confirmed it')
  }

  /** Gives the lead back, so that another scheduler may take it at once. */
  yield(): Promise<void> {
    return this.#lease.release(LEASE)
  }

  /**
   * Writes, all or nothing.
   *
   * @throws LEASE_LOST when this process does not lead any more: nothing was written. Whatever Redis throws when it
   *   does not answer: then it is not known whether it was written, and the same may be written again
   */
  async write(writes: readonly SchedulerWrite[]): Promise<void> {
    this.#lease.guard(LEASE)
    const holder = `${this.#scheduler} ${this.#lease.fence(LEASE)}`
    const done = await runScript(
      this.#beat,
      'golemLead',
      this.#keys.root,
      holder,
      ...writes.flatMap((one) => asArguments(one, this.#scheduler)),
    )
    if (done === 1) return
    throw new GolemError('LEASE_LOST', 'Another scheduler leads; nothing was written.')
  }

  /**
   * As `submit`, but only while this process leads: a leader that was frozen gives no command after another has taken
   * over.
   *
   * @throws LEASE_LOST and what `submit` throws
   */
  submitLeading(request: SubmitRequest): Promise<{ record: CommandRecord; created: boolean }> {
    this.#lease.guard(LEASE)
    return this.site.submit({ ...request, lead: this.#mark })
  }

  /**
   * Has the outputs of instruments brought to their safe state, ahead of whatever waits or runs there, and waits for
   * it.
   *
   * @param request - `id`: of the entries in the ledger, `<id>-<instrument>`
   * @returns done when all were reached, otherwise unknown, with those that were not
   */
  async makeSafe(request: {
    id: string
    instruments: readonly string[]
    by: string
    reason: string
  }): Promise<Outcome> {
    const { id, instruments, by, reason } = request
    const message: ControlMessage = { type: 'safe', id, instruments, by, reason }
    await this.#beat.publish(this.#keys.control, JSON.stringify(message))
    const ends = await Promise.all(
      instruments.map((instrument) => this.#safeEnd(`${id}-${instrument}`, instrument)),
    )
    const missed = ends.filter((end) => end !== null)
    return missed.length === 0
      ? { outcome: 'done', effect: 'done' }
      : { outcome: 'unknown', effect: 'unknown', code: 'WORKER_LOST', message: missed.join(' ') }
  }

  /** When Redis was started, ms since 1970, site clock: what it was told before may be lost. */
  async redisStartedAt(): Promise<number> {
    return (await readRedisLife(this.#beat, this.clock)).startedBefore
  }

  /** What a leader before has remembered, by name. */
  async remembered(): Promise<ReadonlyMap<string, unknown>> {
    const found = await this.#beat.hgetall(this.#keys.scheduler)
    return new Map(Object.entries(found).map(([name, json]) => [name, JSON.parse(json) as unknown]))
  }

  /**
   * Waits up to a second for requests.
   *
   * @param after - id of the last one that was done; '0-0': from the beginning
   */
  async requests(after: string): Promise<ReceivedRequest[]> {
    const streams = await this.#blocking.xread(
      'COUNT',
      BATCH,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      this.#keys.requests,
      after,
    )
    return (streams ?? []).flatMap(([, entries]) =>
      entries.map(([id, [, at = '0', , json = '{}']]) => ({
        id,
        at: Number(at),
        request: JSON.parse(json) as SchedulerRequest,
      })),
    )
  }

  /** How the lease has it. */
  get #mark(): string {
    return `${this.#scheduler} ${this.#lease.fence(LEASE)}`
  }

  /** @returns null: it is safe; otherwise why not */
  async #safeEnd(id: string, instrument: string): Promise<string | null> {
    const end = performance.now() + SAFE_WITHIN_MS
    while (performance.now() < end) {
      try {
        const { outcome, message } = await this.site.waitForOutcome(id, end - performance.now())
        if (outcome !== undefined) return outcome === 'done' ? null : `${instrument}: ${message ?? outcome}.`
      } catch (error) {
        // Its worker has not written it yet, or Redis is away for a moment.
        if (!['UNKNOWN_COMMAND', 'QUEUE_DOWN'].includes(asGolemError(error).code)) throw error
        await sleep(SAFE_LOOK_MS)
      }
    }
    return `${instrument}: no worker has answered.`
  }

  async close(): Promise<void> {
    disconnect(this.#blocking)
    disconnect(this.#beat)
    await this.site.close()
  }
}

function asArguments(write: SchedulerWrite, scheduler: string): (string | number)[] {
  switch (write.op) {
    case 'once':
      return ['once', write.name, write.revision]
    case 'record':
      return write.value === null
        ? ['drop', write.table, write.id]
        : ['put', write.table, write.id, JSON.stringify(write.value)]
    case 'remember':
      return write.value === null
        ? ['forget', write.name]
        : ['remember', write.name, JSON.stringify(write.value)]
    case 'row':
      return ['row', `rows:${write.run}`, ROWS_MAX, JSON.stringify(write.value)]
    case 'start':
      return ['row', 'starts', STARTS_MAX, JSON.stringify(write.value)]
    case 'event':
      return [
        'event',
        write.kind,
        write.instrument ?? '',
        write.by ?? '',
        write.message,
        detailsToJson(write),
      ]
    case 'sample': {
      const { life, n, entry } = write.sample
      return ['sample', write.max, `${scheduler} ${life} ${n}`, JSON.stringify(entry)]
    }
    case 'tell':
      return ['tell', JSON.stringify(write.message)]
    case 'forget-rows':
      return ['unlink', `rows:${write.run}`]
  }
}
