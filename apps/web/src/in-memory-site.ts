import {
  type AlarmRecord,
  type ArchiverRecord,
  type BusState,
  type Calibration,
  type CalibrationDraft,
  type CommandRecord,
  GolemError,
  type InstrumentDescription,
  type InterlockRecord,
  NO_STOP,
  type PlannedStart,
  type PowerReturnChoice,
  type RecipeDescription,
  type RunRecord,
  type RunRow,
  type ScheduleState,
  type SiteEvent,
  type ReservationState,
  type Snapshot,
  type StopState,
  type WorkerRecord,
  isoTime,
  passes,
} from '@golem/core'
import type { Site, WebConfig } from '@golem/config'
import { InMemoryReservations } from './in-memory-reservations.ts'
import {
  type EventPage,
  type EventQuery,
  type LogLine,
  type NewEvent,
  type RecordTable,
  type SchedulerRequest,
  type SiteChange,
  type SiteClient,
  type SiteView,
  type StoredQueue,
  type SubmitRequest,
  commandIdFor,
} from '@golem/queue'

/** A site view whose content, clock and bus tests decide; it stands where Redis would be. */
export class InMemoryView implements SiteView {
  epoch = 'e1'
  head = '1000-0'
  readonly descriptions = new Map<string, InstrumentDescription>()
  readonly snapshots = new Map<string, Snapshot>()
  readonly queues = new Map<string, StoredQueue>()
  readonly workers = new Map<string, WorkerRecord>()
  readonly archivers = new Map<string, ArchiverRecord>()
  samplesWaiting = 0
  readonly reservations = new Map<string, ReservationState>()
  readonly runs = new Map<string, RunRecord>()
  readonly recipes = new Map<string, RecipeDescription>()
  readonly alarms = new Map<string, AlarmRecord>()
  readonly schedules = new Map<string, ScheduleState>()
  readonly interlocks = new Map<string, InterlockRecord>()
  readonly calibrations = new Map<string, Calibration>()
  readonly drafts = new Map<string, CalibrationDraft>()
  stop: StopState = NO_STOP
  bus: BusState = { ok: true, since: isoTime(0), message: 'Redis answers.' }
  timeMs = 1_000_000
  readonly #listeners = new Set<(change: SiteChange) => void>()

  now(): number {
    return this.timeMs
  }

  onChange(listener: (change: SiteChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(change: SiteChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** Takes the stream one further. */
  step(): void {
    this.head = `${Number(this.head.split('-')[0]) + 1}-0`
  }

  publish(snapshot: Snapshot): void {
    this.step()
    this.snapshots.set(snapshot.id, snapshot)
    this.tell({ kind: 'snapshot', instrument: snapshot.id })
  }

  reserve(instrument: string, reservation: ReservationState): void {
    this.step()
    this.reservations.set(instrument, reservation)
    this.tell({ kind: 'reservation', instrument })
  }

  enqueue(instrument: string, queue: StoredQueue): void {
    this.step()
    this.queues.set(instrument, queue)
    this.tell({ kind: 'queue', instrument })
  }

  setStop(stop: StopState): void {
    this.step()
    this.stop = stop
    this.tell({ kind: 'stop' })
  }

  setBus(ok: boolean): void {
    this.bus = { ok, since: isoTime(this.timeMs), message: ok ? 'Redis answers.' : 'Redis is away.' }
    this.tell({ kind: 'bus' })
  }

  beat(id: string): void {
    const at = isoTime(this.timeMs)
    this.workers.set(id, {
      id,
      host: 'pi-1',
      pid: 1,
      version: '0',
      node: 'v20',
      startedAt: at,
      lastSeen: at,
      links: [],
      rssMb: 50,
      cpuPercent: 1,
      loopLagMs: 0,
    })
    this.tell({ kind: 'workers' })
  }
}

/** A client that keeps what was submitted in a list. */
export class InMemoryClient implements SiteClient {
  readonly view: InMemoryView
  readonly reservations: InMemoryReservations
  readonly submitted: SubmitRequest[] = []
  readonly records = new Map<string, CommandRecord>()
  readonly logged: LogLine[] = []
  /** The site's log. */
  readonly told: SiteEvent[] = []
  /** What was handed to the scheduler. */
  readonly requests: SchedulerRequest[] = []
  readonly stops: { instrument?: string; by: string; reason?: string }[] = []
  readonly settled: { instrument: string; keep: PowerReturnChoice; by: string }[] = []
  readonly tickets = new Map<string, string>()
  /** Set: every question fails with it. */
  trouble: Error | null = null
  /** Set: no question is ever answered. */
  silent = false
  /** Commands end as done when they are waited for. */
  outcomes = true
  /** Set: no command ends, however long it is waited for. */
  waits = false

  constructor(view = new InMemoryView()) {
    this.view = view
    this.reservations = new InMemoryReservations(view, () => this.#answering())
  }

  async request(
    request: SchedulerRequest,
    record?: { table: RecordTable; id: string; value: object },
  ): Promise<unknown> {
    await this.#answering()
    if (record?.table === 'run') {
      const known = this.view.runs.get(record.id)
      if (known) return known
      this.view.runs.set(record.id, record.value as RunRecord)
    }
    this.requests.push(request)
    return undefined
  }

  async writeLog(_writer: string, _number: number, lines: readonly LogLine[]): Promise<void> {
    await this.#answering()
    this.logged.push(...lines)
  }

  async tell(event: NewEvent): Promise<string> {
    await this.#answering()
    const id = `${this.view.timeMs}-${this.told.length}`
    this.told.push({ ...event, id, at: isoTime(this.view.timeMs) })
    return id
  }

  async commands(ids: readonly string[]): Promise<CommandRecord[]> {
    await this.#answering()
    return ids.flatMap((id) => this.records.get(id) ?? [])
  }

  async run(id: string): Promise<RunRecord | undefined> {
    await this.#answering()
    return this.view.runs.get(id)
  }

  async rows(): Promise<RunRow[]> {
    await this.#answering()
    return []
  }

  async starts(): Promise<PlannedStart[]> {
    await this.#answering()
    return []
  }

  async submit(request: SubmitRequest): Promise<{ record: CommandRecord; created: boolean }> {
    await this.#answering()
    const { by, idempotencyKey } = request
    const id = idempotencyKey === undefined ? `c-${this.submitted.length}` : commandIdFor(by, idempotencyKey)
    const known = this.records.get(id)
    if (known) return { record: known, created: false }
    this.submitted.push(request)
    const { instrument, target, validForMs } = request
    const now = this.view.now()
    const record: CommandRecord = {
      id,
      instrument,
      ...target,
      by,
      submittedAt: isoTime(now),
      validUntil: isoTime(now + validForMs),
      state: 'queued',
    }
    this.records.set(id, record)
    return { record, created: true }
  }

  async result(id: string): Promise<Float64Array> {
    await this.#answering()
    const { resultItems } = await this.getCommand(id)
    if (resultItems === undefined) throw new GolemError('NOT_FOUND', `Command ${id} has no numbers.`)
    return Float64Array.from({ length: resultItems }, (_, index) => index / 2)
  }

  async waitForOutcome(id: string): Promise<CommandRecord> {
    await this.#answering()
    if (this.waits) await new Promise(() => undefined)
    const record = await this.getCommand(id)
    if (!this.outcomes) return record
    const ended: CommandRecord = { ...record, state: 'ended', outcome: 'done', effect: 'done' }
    this.records.set(id, ended)
    return ended
  }

  async getCommand(id: string): Promise<CommandRecord> {
    await this.#answering()
    const record = this.records.get(id)
    if (!record) throw new GolemError('UNKNOWN_COMMAND', `There is no command ${id}.`, { field: 'path.id' })
    return record
  }

  async listCommands(): Promise<CommandRecord[]> {
    await this.#answering()
    return [...this.records.values()].toReversed()
  }

  cancel(id: string): Promise<CommandRecord> {
    return this.getCommand(id)
  }

  async stop(request: { instrument?: string; by: string; reason: string }): Promise<StopState> {
    await this.#answering()
    this.stops.push(request)
    return this.view.stop
  }

  async releaseStop(): Promise<StopState> {
    await this.#answering()
    return NO_STOP
  }

  async settlePowerReturn(request: {
    instrument: string
    keep: PowerReturnChoice
    by: string
  }): Promise<void> {
    await this.#answering()
    this.settled.push(request)
  }

  async resetInterlock({
    name,
    by,
    note,
  }: {
    name: string
    by: string
    note: string
  }): Promise<InterlockRecord> {
    await this.#answering()
    const known = this.view.interlocks.get(name)
    if (!known?.tripped) throw new GolemError('NOT_FOUND', `No interlock "${name}" has tripped.`)
    const reset = { trip: known.tripped.id, at: isoTime(this.view.now()), by, note }
    const record = { ...known, tripped: null, reset }
    this.view.interlocks.set(name, record)
    this.view.tell({ kind: 'record', table: 'interlock', id: name })
    return record
  }

  async events({ since, limit, kind, ...filter }: EventQuery): Promise<EventPage> {
    await this.#answering()
    const wanted = this.told.filter(
      (event) =>
        (since === undefined || event.id > since) &&
        passes(event, { ...filter, ...(kind === undefined ? {} : { kinds: kind.split(',') }) }),
    )
    return { events: wanted.slice(-limit), cursor: this.told.at(-1)?.id ?? since ?? '' }
  }

  async issueTicket(bearer: string): Promise<string> {
    await this.#answering()
    const ticket = `ticket-${this.tickets.size}`
    this.tickets.set(ticket, bearer)
    return ticket
  }

  async redeemTicket(ticket: string): Promise<string | null> {
    await this.#answering()
    const bearer = this.tickets.get(ticket) ?? null
    this.tickets.delete(ticket)
    return bearer
  }

  async fleet(): Promise<{ leases: never[]; roundTripMs: number; redisVersion: string }> {
    await this.#answering()
    return { leases: [], roundTripMs: 0.5, redisVersion: '7.0.0' }
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  #answering(): Promise<void> {
    if (this.silent) return new Promise(() => undefined)
    return this.trouble ? Promise.reject(this.trouble) : Promise.resolve()
  }
}

/** A site with relay boards of these ids. */
export function siteOf(ids: readonly string[], web: Partial<WebConfig> = {}): Site {
  return {
    name: 'test',
    title: 'Test stand',
    file: 'site.yaml',
    instanceDir: '/nonexistent',
    redisUrl: null,
    archive: null,
    backup: null,
    leaseMs: 10_000,
    maxWaiting: 32,
    web: { listen: '127.0.0.1', port: 0, portFixed: true, hosts: [], auth: { kind: 'loopback' }, ...web },
    syslog: null,
    notify: [],
    clock: 'any',
    schedules: [],
    calibrations: [],
    derived: [],
    interlocks: [],
    instruments: ids.map((id) => ({
      id,
      label: id,
      group: 'Relays',
      model: 'esp32-relay',
      address: 'http://192.0.2.1',
      endpoint: { kind: 'http', host: '192.0.2.1', port: 80, path: '' },
      link: 'http:192.0.2.1:80',
      host: null,
      pollEveryMs: 1_000,
      onStop: 'hold',
      auth: null,
      gateway: null,
      options: {},
      parameters: {},
      actions: {},
    })),
  }
}

/** What a worker would publish of a board with a relay, a lamp level and a reset. */
export function descriptionOf(id: string): InstrumentDescription {
  return {
    id,
    label: id,
    group: 'Relays',
    kind: 'relay board',
    model: 'esp32-relay',
    host: null,
    address: 'http://192.0.2.1',
    pollEveryMs: 1_000,
    onStop: 'hold',
    parameters: {
      relay0: { label: 'Relay 0', type: 'boolean', readable: true, writable: true },
      level: { label: 'Level', type: 'number', unit: '%', min: 0, max: 100, readable: true, writable: true },
      temperature: { label: 'Temperature', type: 'number', unit: '°C', readable: true, writable: false },
    },
    actions: {
      reset: { label: 'Reset', arguments: {} },
      pulse: { label: 'Pulse', arguments: { seconds: { label: 'Time', type: 'integer', min: 1, max: 60 } } },
    },
  }
}

/** What a worker would publish of a board that was read at `at`. @param at - ms since 1970 */
export function snapshotOf(id: string, at: number, more: Partial<Snapshot> = {}): Snapshot {
  return {
    id,
    condition: 'ok',
    conditionSince: isoTime(at),
    message: 'Answers.',
    owner: 'worker-1',
    seenAt: isoTime(at),
    staleAfterMs: 5_000,
    readings: { relay0: { value: true, at: isoTime(at), quality: 'good' } },
    ...more,
  }
}
