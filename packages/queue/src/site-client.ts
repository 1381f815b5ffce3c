import {
  type CommandRecord,
  GolemError,
  type InterlockRecord,
  type LeaseRecord,
  NO_RESERVATION,
  type PlannedStart,
  type PowerReturnChoice,
  type RunRecord,
  type RunRow,
  type StopState,
  asGolemError,
  describeTarget,
  isEntitled,
  isoTime,
} from '@golem/core'
import { Queue } from 'bullmq'
import { createHash, randomUUID } from 'node:crypto'
import type { CommandQuery, SchedulerRequest, SiteClient, SubmitRequest } from './api.ts'
import { SiteClock } from './clock.ts'
import { type Connection, connect, disconnect, FAST_TIMEOUT_MS, troubleOf } from './connection.ts'
import {
  type EventPage,
  type EventQuery,
  type LogLine,
  type NewEvent,
  eventArguments,
  logArguments,
  readEvents,
} from './events.ts'
import { expireCommands } from './expire.ts'
import { SiteFollower } from './follower.ts'
import { JOB_OPTIONS } from './job.ts'
import { type Keys, keysOf, type RecordTable } from './keys.ts'
import { Outcomes } from './outcomes.ts'
import { endingOf, fingerprintOf, recordFrom, requestOf, stopStateFrom } from './records.ts'
import { commandRefusedBy } from './reservation-refusals.ts'
import { type Reservations, RedisReservations, settleWhenDue } from './reservations.ts'
import { type ScriptName, runScript, withScripts } from './scripts.ts'
import { readStarts } from './starts.ts'
import { submitRefusal } from './submit-refusal.ts'
import { issueTicket, redeemTicket } from './tickets.ts'

/** How often the ledger is asked for the outcome, in case its announcement was lost, in ms. */
const FALLBACK_MS = 1_000
/** How many hand-overs of unknown fate are remembered for withdrawal. */
const MAX_DOUBTFUL = 1_000

export interface SiteClientOptions {
  site: string
  redisUrl: string
  maxWaiting: number
  onError?: (error: Error) => void
}

/** Opens the web processes' side of the site. Resolves at once, also when Redis is away: `view.bus` says so. */
export function openSiteClient(options: SiteClientOptions): SiteClient {
  return new RedisSiteClient(options)
}

class RedisSiteClient implements SiteClient {
  readonly view: SiteFollower
  readonly reservations: Reservations
  readonly #keys: Keys
  readonly #fast: Connection
  readonly #subscriber: Connection
  readonly #outcomes: Outcomes
  readonly #queues = new Map<string, Queue>()
  readonly #maxWaiting: number
  readonly #onError: (error: Error) => void
  /** Commands whose hand-over was cut short: id -> instrument. Withdrawn when Redis is back. */
  readonly #doubtful = new Map<string, string>()
  readonly #stopSettling: () => void

  constructor({ site, redisUrl, maxWaiting, onError = () => undefined }: SiteClientOptions) {
    this.#keys = keysOf(site)
    this.#maxWaiting = maxWaiting
    this.#onError = onError
    this.#fast = withScripts(connect(redisUrl, 'fast', onError))
    this.view = new SiteFollower(
      this.#keys,
      new SiteClock(),
      this.#fast,
      connect(redisUrl, 'patient', onError),
    )
    this.#subscriber = connect(redisUrl, 'patient', onError)
    this.#outcomes = new Outcomes(this.#keys, this.#subscriber, onError)
    this.reservations = new RedisReservations((name, ...args) => this.#script(name, ...args))
    this.#stopSettling = settleWhenDue(this.view, (...instruments) =>
      this.#script('golemReservationsSettle', ...instruments),
    )
    this.view.onChange(({ kind }) => {
      if ((kind === 'bus' || kind === 'everything') && this.view.bus.ok) void this.#withdrawDoubtful()
    })
  }

  async submit(request: SubmitRequest): Promise<{ record: CommandRecord; created: boolean }> {
    const { instrument, target, by, validForMs, idempotencyKey, reservation, lead, givenAt } = request
    this.#checkBus()
    // With an idempotency key the id follows from it: a repeated request has the same id even when Redis has
    // lost the first one, and the worker's journal then knows it.
    const id = idempotencyKey === undefined ? randomUUID() : commandIdFor(by, idempotencyKey)
    const under = reservation === undefined ? {} : { reservation }
    const before = givenAt === undefined ? {} : { givenAt }
    const stored = { id, instrument, by, ...under, ...before, ...target }
    // Ledger and queue go out together, in this order on one connection, so that they take one round trip. The
    // worker goes by the ledger: a job whose command was refused there is dropped.
    const [submitted, queued] = await Promise.allSettled([
      this.#script<string[]>(
        'golemSubmit',
        id,
        instrument,
        requestOf(stored),
        validForMs,
        this.#maxWaiting,
        fingerprintOf(stored),
        Math.round(this.view.now() + FAST_TIMEOUT_MS),
        by,
        reservation ?? '',
        lead ?? '',
      ),
      // Where the job stands in the queue already (a repeated request), BullMQ takes no second one with its id.
      this.#queue(instrument).add(describeTarget(target).slice(0, 60), {}, { ...JOB_OPTIONS, jobId: id }),
    ])
    if (submitted.status === 'rejected') throw this.#handoverUnknown(id, instrument, submitted.reason)
    const [what = '', detail = ''] = submitted.value
    if (what !== 'ok' && what !== 'exists') {
      // Under a key that was used before, the job may be that of the first command.
      if (what !== 'reused') await this.#dropJob(instrument, id)
      throw submitRefusal(what, detail, { ...stored, maxWaiting: this.#maxWaiting })
    }
    if (queued.status === 'rejected') throw this.#handoverUnknown(id, instrument, queued.reason)
    this.#doubtful.delete(id)
    return { record: recordFrom(detail), created: what === 'ok' }
  }

  async waitForOutcome(id: string, timeoutMs: number): Promise<CommandRecord> {
    const end = performance.now() + timeoutMs
    const { ending, forget } = this.#outcomes.of(id)
    try {
      for (;;) {
        const told = await Promise.race([ending, delay(Math.min(FALLBACK_MS, end - performance.now()))])
        const record = told ?? (await this.getCommand(id))
        if (record.state === 'ended' || performance.now() >= end) return record
      }
    } finally {
      forget()
    }
  }

  async getCommand(id: string): Promise<CommandRecord> {
    const record = await this.#record(id)
    if (record.state !== 'queued' || Date.parse(record.validUntil) >= this.view.now()) return record
    // No worker was there to refuse it: nobody is left hanging all the same.
    await this.#ask(() => expireCommands(this.#fast, this.#keys.root, [record.instrument]))
    return this.#record(id)
  }

  async result(id: string): Promise<Float64Array> {
    const record = await this.getCommand(id)
    if (record.resultItems === undefined) {
      throw new GolemError('NOT_FOUND', `Command ${id} has no numbers that are kept apart.`)
    }
    const bytes = await this.#ask(() => this.#fast.getBuffer(this.#keys.result(id)))
    if (bytes === null) {
      throw new GolemError(
        'NOT_FOUND',
        `The ${record.resultItems} numbers of command ${id} were kept for an hour, which is over.`,
      )
    }
    // A copy: Redis's buffer need not begin where eight-byte numbers may.
    return new Float64Array(Uint8Array.from(bytes).buffer)
  }

  async listCommands(query: CommandQuery): Promise<CommandRecord[]> {
    const key = this.#keys.commands(query.instrument)
    const from = query.since === undefined ? '-inf' : `(${query.since}`
    const ids = await this.#ask(() => this.#fast.zrevrangebyscore(key, '+inf', from, 'LIMIT', 0, query.limit))
    return this.commands(ids)
  }

  async cancel(id: string, by: string): Promise<CommandRecord> {
    const before = await this.getCommand(id)
    const { current } = await this.reservations.of(before.instrument)
    if (current && before.by !== by && !isEntitled(current, by)) {
      throw commandRefusedBy({ ...NO_RESERVATION, current })
    }
    const ending = endingOf({
      outcome: 'refused',
      effect: 'none',
      code: 'COMMAND_CANCELLED',
      message: `Cancelled by ${by} while it waited.`,
    })
    const ended = await this.#refuse(before.instrument, ending, 'cancel', by, 'cancelled', [id])
    const record = await this.getCommand(id)
    if (!ended.includes(id)) {
      const state = record.state === 'running' ? 'is being carried out' : 'has ended'
      throw new GolemError('NOT_WAITING', `Command ${id} ${state}; only a waiting one can be cancelled.`)
    }
    return record
  }

  async stop(request: { instrument?: string; by: string; reason: string }): Promise<StopState> {
    const { instrument, by, reason } = request
    const stop = await this.#script<string[]>(
      'golemStop',
      instrument ?? '*',
      JSON.stringify(by),
      JSON.stringify(reason),
      JSON.stringify({ type: 'stop', instrument: instrument ?? null, by, reason }),
    )
    const message = `Refused: emergency stop by ${by} (${reason}).`
    const ending = endingOf({ outcome: 'refused', effect: 'none', code: 'STOPPED', message })
    const all = new Set([...this.view.descriptions.keys(), ...this.view.queues.keys()])
    const concerned = instrument === undefined ? [...all] : [instrument]
    await Promise.all(
      concerned.map((id) => this.#refuse(id, ending, 'stop', by, 'waiting commands refused: emergency stop')),
    )
    return stopStateFrom(stop)
  }

  async releaseStop(request: { instrument?: string; by: string }): Promise<StopState> {
    const { instrument, by } = request
    const message = JSON.stringify({ type: 'release', instrument: instrument ?? null })
    return stopStateFrom(await this.#script<string[]>('golemRelease', instrument ?? '*', by, message))
  }

  async settlePowerReturn(request: {
    instrument: string
    keep: PowerReturnChoice
    by: string
  }): Promise<void> {
    const message = JSON.stringify({ type: 'power-return', ...request })
    await this.#ask(() => this.#fast.publish(this.#keys.control, message))
  }

  async resetInterlock(request: { name: string; by: string; note: string }): Promise<InterlockRecord> {
    const { name, by, note } = request
    const more = [isoTime(this.view.now()), by, note].map((text) => JSON.stringify(text))
    const json = await this.#script<string | null>('golemResetInterlock', name, ...more)
    if (json === null) throw new GolemError('NOT_FOUND', `No interlock "${name.slice(0, 80)}" has tripped.`)
    return JSON.parse(json) as InterlockRecord
  }

  events(query: EventQuery): Promise<EventPage> {
    return readEvents((question) => this.#ask(() => question(this.#fast)), this.#keys, query)
  }

  async request(
    request: SchedulerRequest,
    record?: { table: RecordTable; id: string; value: object },
  ): Promise<unknown> {
    const [what, known] = await this.#script<string[]>(
      'golemRequest',
      JSON.stringify(request),
      Math.round(this.view.now() + FAST_TIMEOUT_MS),
      record?.table ?? '',
      record?.id ?? '',
      record ? JSON.stringify(record.value) : '',
    )
    if (what === 'exists') return JSON.parse(known ?? 'null')
    if (what === 'ok') return undefined
    if (what === 'late')
      throw new GolemError('QUEUE_DOWN', 'Redis answered too late. Nothing was begun; try again.')
    throw new GolemError(
      'SCHEDULER_AWAY',
      'No scheduler is running, so nobody would carry this out: start golem-scheduler, or look why it has ended.',
    )
  }

  async writeLog(writer: string, number: number, lines: readonly LogLine[]): Promise<void> {
    await this.#script('golemLog', writer, number, ...logArguments(lines))
  }

  tell(event: NewEvent): Promise<string> {
    return this.#script<string>('golemEvent', ...eventArguments(event))
  }

  async commands(ids: readonly string[]): Promise<CommandRecord[]> {
    if (ids.length === 0) return []
    const found = await this.#script<(string | null)[]>('golemRecords', ...ids)
    return found.filter((json) => json !== null).map(recordFrom)
  }

  async run(id: string): Promise<RunRecord | undefined> {
    const json = await this.#ask(() => this.#fast.hget(this.#keys.records('run'), id))
    return json === null ? undefined : (JSON.parse(json) as RunRecord)
  }

  async rows(run: string, { since, limit }: { since?: string; limit: number }): Promise<RunRow[]> {
    const from = since === undefined ? '-' : `(${since}`
    const found = await this.#ask(() => this.#fast.xrange(this.#keys.rows(run), from, '+', 'COUNT', limit))
    return found.map(([id, fields]) => ({ ...(JSON.parse(fields[1] ?? '{}') as Omit<RunRow, 'id'>), id }))
  }

  starts(query: { schedule?: string; limit: number }): Promise<PlannedStart[]> {
    return readStarts(query, (from, count) =>
      this.#ask(() => this.#fast.xrevrange(this.#keys.starts, from, '-', 'COUNT', count)),
    )
  }

  issueTicket(bearer: string): Promise<string> {
    return this.#ask(() => issueTicket(this.#fast, this.#keys, bearer))
  }

  redeemTicket(ticket: string): Promise<string | null> {
    return this.#ask(() => redeemTicket(this.#fast, this.#keys, ticket))
  }

  async fleet(): Promise<{ leases: LeaseRecord[]; roundTripMs: number; redisVersion: string }> {
    const started = performance.now()
    const links = await this.#ask(() => this.#fast.hkeys(this.#keys.fences))
    const roundTripMs = performance.now() - started
    const owners = links.length
      ? await this.#ask(() => this.#fast.mget(links.map((link) => this.#keys.lease(link))))
      : []
    const leases = links.flatMap((link, n) => {
      const [worker, fence] = owners[n]?.split(' ') ?? []
      return worker === undefined ? [] : [{ link, worker, fence: Number(fence) }]
    })
    const info = await this.#ask(() => this.#fast.info('server'))
    const redisVersion = /^(?:valkey|redis)_version:(.*)$/m.exec(info)?.[1]?.trim() ?? ''
    return { leases, roundTripMs, redisVersion }
  }

  async close(): Promise<void> {
    this.#stopSettling()
    this.view.close()
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()))
    disconnect(this.#fast)
    disconnect(this.#subscriber)
  }

  async #record(id: string): Promise<CommandRecord> {
    const [json] = await this.#script<(string | null)[]>('golemRecords', id)
    if (!json) {
      throw new GolemError('UNKNOWN_COMMAND', `There is no command ${id.slice(0, 80)} in the ledger.`, {
        field: 'path.id',
      })
    }
    return recordFrom(json)
  }

  #queue(instrument: string): Queue {
    let queue = this.#queues.get(instrument)
    if (!queue) {
      queue = new Queue(instrument, {
        connection: this.#fast,
        prefix: this.#keys.bullPrefix,
        skipWaitingForReady: true,
        skipVersionCheck: true,
        skipMetasUpdate: true,
        streams: { events: { maxLen: 100 } },
      })
      queue.on('error', this.#onError)
      this.#queues.set(instrument, queue)
    }
    return queue
  }

  /** Takes the job of a command back that the ledger did not take. */
  async #dropJob(instrument: string, id: string): Promise<void> {
    // Without a record in the ledger no worker begins it, so that nothing is wrong if this fails.
    await this.#queue(instrument)
      .remove(id)
      .catch((error: unknown) => this.#onError(asGolemError(error)))
  }

  #handoverUnknown(id: string, instrument: string, error: unknown): GolemError {
    this.#doubt(id, instrument)
    return new GolemError(
      'HANDOVER_UNKNOWN',
      `Redis stopped answering while the command was handed over (${troubleOf(error)}). It may still be carried out; ` +
        `golem withdraws it when Redis is back, and GET /api/commands/${id} then says what became of it.`,
      { cause: error, details: { command: id } },
    )
  }

  #refuse(
    instrument: string,
    ending: string,
    kind: string,
    by: string,
    message: string,
    ids: string[] = [],
  ): Promise<string[]> {
    return this.#script<string[]>('golemRefuse', instrument, ending, kind, by, message, ...ids)
  }

  #doubt(id: string, instrument: string): void {
    if (this.#doubtful.size < MAX_DOUBTFUL) this.#doubtful.set(id, instrument)
  }

  async #withdrawDoubtful(): Promise<void> {
    for (const [id, instrument] of this.#doubtful) {
      const ending = endingOf({
        outcome: 'refused',
        effect: 'none',
        code: 'QUEUE_DOWN',
        message: 'Withdrawn: Redis went away while it was handed over.',
      })
      try {
        await this.#refuse(instrument, ending, 'command', '', 'withdrawn after an interrupted hand-over', [
          id,
        ])
        this.#doubtful.delete(id)
      } catch (error) {
        this.#onError(asGolemError(error))
        return
      }
    }
  }

  #script<T>(name: ScriptName, ...args: readonly (string | number)[]): Promise<T> {
    return this.#ask(() => runScript(this.#fast, name, this.#keys.root, ...args) as Promise<T>)
  }

  #checkBus(): void {
    if (this.view.bus.ok) return
    throw new GolemError(
      'QUEUE_DOWN',
      `${this.view.bus.message} Nothing was sent; try again when it is back.`,
    )
  }

  /** Asks Redis, or says at once that it is away. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    this.#checkBus()
    try {
      return await question()
    } catch (error) {
      throw new GolemError('QUEUE_DOWN', `Redis did not answer (${troubleOf(error)}). Nothing was sent.`, {
        cause: error,
      })
    }
  }
}

/** The id that belongs to an idempotency key: the same person and key always give the same id. */
export function commandIdFor(by: string, key: string): string {
  return `k-${createHash('sha256').update(`${by}\0${key}`).digest('hex').slice(0, 32)}`
}

function delay(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms), undefined))
}
