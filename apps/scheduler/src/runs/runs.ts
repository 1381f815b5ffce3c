import { GolemError, type RunRecord, isoTime, messageOf } from '@golem/core'
import type { SchedulerRequest, SiteChange } from '@golem/queue'
import { begin, type Program } from '@golem/recipes'
import type { Answered, Part, PartContext } from '../part.ts'
import type { RecipeShelf } from '../recipes/recipe-shelf.ts'
import { RunDriver } from './run-driver.ts'
import {
  forgetting,
  nameOf,
  NOTHING_TOLD,
  programNameOf,
  recordOf,
  remembering,
  type StoredRun,
  type WrittenRun,
} from './stored-run.ts'

/** A run that was asked for, but waited for a scheduler longer than this, is not begun: nobody expects it any more. */
const BEGIN_WITHIN_MS = 30_000
/** How long a run is kept after its end, in ms. */
const KEEP_MS = 30 * 24 * 3_600_000
/** How many ended runs are kept. */
const KEEP = 500
/** How often old runs are forgotten, in ms. */
const SWEEP_MS = 3_600_000
/** Under which name the leader's last sign of life is remembered, and how often it is written, in ms. */
const ALIVE = 'alive'
const ALIVE_EVERY_MS = 1_000

/** All runs of the site. */
export class Runs implements Part {
  readonly #context: PartContext
  readonly #shelf: RecipeShelf
  readonly #drivers = new Map<string, RunDriver>()
  readonly #timers: NodeJS.Timeout[] = []

  constructor(context: PartContext, shelf: RecipeShelf) {
    this.#context = context
    this.#shelf = shelf
  }

  async begin(remembered: ReadonlyMap<string, unknown>): Promise<void> {
    const aliveAt = Number(remembered.get(ALIVE) ?? 0)
    const redisStartedAt = await this.#context.client.redisStartedAt()
    for (const [name, value] of remembered) {
      if (!name.startsWith(nameOf(''))) continue
      const written = value as WrittenRun
      const program = written.program ?? (remembered.get(programNameOf(written.id)) as Program | undefined)
      if (written.state.phase === 'ended') await this.#forget(written.id)
      else if (!program) await this.#endLost(written)
      else await this.#drive({ ...written, program }).takeOver(aliveAt, redisStartedAt)
    }
    this.#haltStopped()
    this.#timers.push(
      setInterval(() => void this.#live(), ALIVE_EVERY_MS),
      setInterval(() => void this.#sweep(), SWEEP_MS),
    )
    void this.#sweep()
  }

  change(change: SiteChange): void {
    switch (change.kind) {
      case 'snapshot':
      case 'reservation':
        for (const driver of this.#drivers.values()) driver.heard(change.instrument)
        break
      case 'everything':
        // Redis may have lost what it had been told.
        for (const driver of this.#drivers.values()) driver.rememberAnew()
        for (const id of this.#context.client.site.view.snapshots.keys()) {
          for (const driver of this.#drivers.values()) driver.heard(id)
        }
        this.#haltStopped()
        break
      case 'stop':
        this.#haltStopped()
        break
      default:
        break
    }
  }

  async request(request: SchedulerRequest, at: number): Promise<Answered | undefined> {
    switch (request.type) {
      case 'run':
        return this.start(request.record, at)
      case 'run-request': {
        const { run, request: what, by, seen } = request
        const event = { type: 'request', request: what, by, ...(seen === undefined ? {} : { seen }) } as const
        return this.#tell(run, () => this.#drivers.get(run)?.feed(event))
      }
      case 'run-parameters': {
        const { run, parameters, by } = request
        return this.#tell(run, () =>
          this.#drivers.get(run)?.feed({ type: 'parameters', values: parameters, by }),
        )
      }
      default:
        return undefined
    }
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer)
    for (const driver of this.#drivers.values()) driver.abandon()
    this.#drivers.clear()
  }

  /** Does it go on, or wait for its instruments? */
  has(run: string): boolean {
    return this.#drivers.has(run)
  }

  /** Ends a run in order. */
  stop(run: string, by: string): void {
    this.#drivers.get(run)?.feed({ type: 'request', request: 'stop', by })
  }

  /**
   * The record of a run that was asked for becomes a run, as soon as what comes back is written.
   *
   * @param at - when it was asked for, site clock, ms since 1970
   * @param planned - the schedule that asks for it
   */
  start(record: RunRecord, at: number, planned?: StoredRun['planned']): Answered {
    const { client, scheduler } = this.#context
    const { id } = record
    if (this.#drivers.has(id)) return { writes: [] }
    const now = client.clock.now()
    try {
      if (now - at > BEGIN_WITHIN_MS) {
        throw new GolemError('COMMAND_EXPIRED', 'No scheduler was there in time: it was not begun.')
      }
      const program = this.#shelf.program(
        record.recipe,
        record.instruments ?? {},
        client.site.view.descriptions,
      )
      const stored: StoredRun = {
        id,
        program,
        state: begin(program, { run: id, parameters: record.parameters }),
        savedAt: now,
        revision: 0,
        by: record.by,
        ...(record.note === undefined ? {} : { note: record.note }),
        ...(record.instruments === undefined ? {} : { instruments: record.instruments }),
        submittedAt: record.submittedAt,
        ...(planned === undefined ? {} : { planned }),
        ...(this.#shelf.code(record.recipe) ? { code: NOTHING_TOLD } : {}),
      }
      const shown = recordOf(stored, { runMs: 0, utcMs: now, readings: {} }, scheduler)
      return {
        writes: [
          ...remembering(stored, true),
          { op: 'record', table: 'run', id, value: shown },
          {
            op: 'event',
            kind: 'run',
            by: record.by,
            run: id,
            ...(planned === undefined ? {} : { data: { schedule: planned.schedule, planned: planned.at } }),
            message: `run ${id} of ${program.label} begins`,
          },
        ],
        after: () => this.#drive(stored, true).begin(),
      }
    } catch (error) {
      const message = messageOf(error)
      const ended: RunRecord = { ...record, state: 'ended', end: 'failed', message, endedAt: isoTime(now) }
      return {
        writes: [
          { op: 'record', table: 'run', id, value: ended },
          {
            op: 'event',
            kind: 'run',
            by: record.by,
            run: id,
            level: 'warning',
            ...(planned === undefined ? {} : { data: { schedule: planned.schedule, planned: planned.at } }),
            message: `run ${id} was not begun: ${message}`,
          },
        ],
      }
    }
  }

  #tell(run: string, tell: () => void): Answered {
    if (this.#drivers.has(run)) return { writes: [], after: tell }
    return {
      writes: [{ op: 'event', kind: 'run', run, message: `run ${run} has ended: the request came too late` }],
    }
  }

  /** @param isKept - its program has just been written */
  #drive(stored: StoredRun, isKept = false): RunDriver {
    const onEnd = (): void => void this.#forget(stored.id)
    const driver = new RunDriver(this.#context, this.#shelf, stored, { isKept, onEnd })
    this.#drivers.set(stored.id, driver)
    return driver
  }

  /** Redis came back without the program of a run: nobody knows what is to be done any more. */
  async #endLost({ id, by }: WrittenRun): Promise<void> {
    const { client } = this.#context
    const record = client.site.view.runs.get(id)
    const message = 'Redis has lost what it was to do: its outputs are as they were.'
    const endedAt = isoTime(client.clock.now())
    const ended = record && { ...record, state: 'ended', end: 'failed', message, endedAt }
    await client.write([
      ...(ended ? [{ op: 'record' as const, table: 'run' as const, id, value: ended }] : []),
      { op: 'event', kind: 'run', level: 'error', by, run: id, message: `run ${id} has failed: ${message}` },
      ...forgetting(id),
    ])
  }

  /** An ended run needs no successor; its record stays. */
  async #forget(id: string): Promise<void> {
    this.#drivers.delete(id)
    try {
      await this.#context.client.write(forgetting(id))
    } catch (error) {
      // The next leader finds it ended, and forgets it then.
      this.#context.log.warn({ err: error, run: id }, 'an ended run is not forgotten yet')
    }
  }

  /** Runs whose instruments stand under an emergency stop stand still too. */
  #haltStopped(): void {
    const { stop } = this.#context.client.site.view
    for (const driver of this.#drivers.values()) {
      const { commands } = driver.stored.program
      const stopped = commands.find((id) => stop.site ?? stop.instruments[id])
      const record = stopped === undefined ? null : (stop.site ?? stop.instruments[stopped])
      if (record) driver.feed({ type: 'halt', reason: `emergency stop by ${record.by} (${record.reason})` })
    }
  }

  async #live(): Promise<void> {
    try {
      const { client } = this.#context
      await client.write([{ op: 'remember', name: ALIVE, value: client.clock.now() }])
    } catch (error) {
      this.#context.log.debug(`no sign of life written: ${messageOf(error)}`)
    }
  }

  async #sweep(): Promise<void> {
    const { client, log } = this.#context
    const ended = [...client.site.view.runs.values()]
      .filter(({ state }) => state === 'ended')
      .toSorted((a, b) => (b.endedAt ?? '').localeCompare(a.endedAt ?? ''))
    const now = client.clock.now()
    const old = ended.filter(({ endedAt = '' }, n) => n >= KEEP || now - Date.parse(endedAt) > KEEP_MS)
    try {
      for (const { id } of old) {
        await client.write([
          { op: 'record', table: 'run', id, value: null },
          { op: 'forget-rows', run: id },
        ])
      }
    } catch (error) {
      log.warn({ err: error }, 'old runs are not forgotten yet')
    }
  }
}
