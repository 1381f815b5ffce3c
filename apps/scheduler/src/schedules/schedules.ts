import { messageOf } from '@golem/core'
import type { SchedulerRequest, SchedulerWrite, SiteChange } from '@golem/queue'
import type { Answered, Part, PartContext } from '../part.ts'
import type { RecipeShelf } from '../recipes/recipe-shelf.ts'
import type { Runs } from '../runs/runs.ts'
import { ClockTrust, systemClockSynchronised } from './clock-trust.ts'
import { type ClockState, nameOf, ScheduleDriver, type StoredSchedule } from './schedule-driver.ts'

/** How often it is looked at the latest, in ms: clocks may be set, runs end. */
const LOOK_EVERY_MS = 1_000
const NOBODY = 'No scheduler was there at its time.'
const LATE = 'The scheduler could not look in time.'

/** All schedules of the site: starts runs when it is time, and keeps account of each planned start. */
export class Schedules implements Part {
  readonly #context: PartContext
  readonly #shelf: RecipeShelf
  readonly #runs: Runs
  readonly #clock: ClockTrust
  readonly #ended = new AbortController()
  #drivers: readonly ScheduleDriver[] = []
  #timer: NodeJS.Timeout | undefined
  #absence = NOBODY
  #fault: string | null = null
  #told: string | null = null

  constructor(context: PartContext, shelf: RecipeShelf, runs: Runs) {
    this.#context = context
    this.#shelf = shelf
    this.#runs = runs
    this.#clock = new ClockTrust(context.site.clock, {
      site: () => context.client.clock.now(),
      own: () => Date.now(),
      monotonic: () => performance.now(),
      synchronised: systemClockSynchronised,
    })
  }

  async begin(remembered: ReadonlyMap<string, unknown>): Promise<void> {
    const { site, client } = this.#context
    const { schedules } = site
    const known = new Set(schedules.map(({ id }) => id))
    const gone: SchedulerWrite[] = [
      ...[...remembered.keys()]
        .filter((name) => name.startsWith(nameOf('')) && !known.has(name.slice(nameOf('').length)))
        .flatMap((name) =>
          [name, `revision:${name}`].map((one) => ({ op: 'remember', name: one, value: null }) as const),
        ),
      ...[...client.site.view.schedules.keys()]
        .filter((id) => !known.has(id))
        .map((id) => ({ op: 'record', table: 'schedule', id, value: null }) as const),
    ]
    if (gone.length > 0) await client.write(gone)
    if (schedules.length === 0) return
    this.#clock.begin()
    const tools = {
      context: this.#context,
      shelf: this.#shelf,
      runs: this.#runs,
      signal: this.#ended.signal,
      onLooked: () => this.#later(),
    }
    this.#drivers = schedules.map(
      (schedule) =>
        new ScheduleDriver(
          schedule,
          (remembered.get(nameOf(schedule.id)) ?? {}) as Partial<StoredSchedule>,
          tools,
        ),
    )
    this.#tick()
  }

  change(change: SiteChange): void {
    const touched =
      change.kind === 'everything'
        ? this.#drivers
        : this.#drivers.filter(
            (driver) => change.kind === 'record' && change.table === 'run' && driver.hasRun(change.id),
          )
    for (const driver of touched) {
      driver.touch()
      driver.look(this.#state)
    }
  }

  async request(request: SchedulerRequest): Promise<Answered | undefined> {
    if (request.type !== 'schedule') return undefined
    const { schedule, enabled, by } = request
    await this.#drivers.find((driver) => driver.schedule.id === schedule)?.switch(enabled, by, this.#state)
    return { writes: [] }
  }

  end(): void {
    this.#ended.abort()
    this.#clock.end()
    clearTimeout(this.#timer)
  }

  get #state(): ClockState {
    return { fault: this.#fault, absence: this.#absence }
  }

  #tick(): void {
    const { log } = this.#context
    try {
      const { fault, jumpMs, isKnown } = this.#clock.look()
      if (fault !== this.#fault || jumpMs !== 0) {
        for (const driver of this.#drivers) driver.touch()
      }
      // What was missed meanwhile was missed for what was amiss before.
      if (isKnown) this.#absence = fault ?? this.#told ?? this.#absence
      this.#fault = fault
      if (isKnown && fault !== this.#told) {
        this.#told = fault
        log.warn(fault ?? 'The clock is trusted again.')
      }
      for (const driver of this.#drivers) driver.look({ fault, absence: this.#absence })
      if (fault === null) this.#absence = LATE
    } catch (error) {
      log.error({ err: error }, `schedules are not looked at: ${messageOf(error)}`)
    }
    this.#later()
  }

  #later(): void {
    clearTimeout(this.#timer)
    if (this.#ended.signal.aborted) return
    const now = this.#context.client.clock.now()
    const dues = this.#drivers.flatMap(({ nextMs }) => (nextMs === null ? [] : [nextMs - now]))
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, Math.min(LOOK_EVERY_MS, ...dues)))
  }
}
