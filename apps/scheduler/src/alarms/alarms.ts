import { type Now, judge } from '@golem/alarms'
import { GolemError, messageOf } from '@golem/core'
import type { SchedulerRequest, SchedulerWrite, SiteChange } from '@golem/queue'
import type { Answered, Part, PartContext } from '../part.ts'
import { AlarmBook } from './alarm-book.ts'
import { type Watch, watchesOf } from './definition.ts'
import { type Deliver, Desk } from './desk.ts'
import { Readings } from './readings.ts'
import { ClockTrust, systemClockSynchronised } from '../schedules/clock-trust.ts'
import { SystemAlarms } from './system-alarms.ts'

/** How often time is looked at: delays, ages, who is to be told, in ms. */
const TICK_MS = 250
/** After this process has begun to lead, and after Redis was away, workers have so long to be heard again, in ms. */
const GRACE_MS = 5_000
/** At most so many alarms are written at once. */
const BATCH = 100

/** Under which names things are remembered. */
const REVISION = 'revision:alarms'
const TERM = 'alarms-term'
const RUNS = 'alarms-runs'

interface Term {
  scheduler: string
  /** It ended in order. */
  left?: true
}

/** Watches everything that calls a person, and has people told. */
export class Alarms implements Part {
  readonly #context: PartContext
  readonly #book: AlarmBook
  readonly #desk: Desk
  readonly #readings: Readings
  readonly #watches: readonly Watch[]
  /** By instrument: what has to be judged when it says something new. */
  readonly #concerned = new Map<string, Watch[]>()
  #system: SystemAlarms
  /** The steady clock is the site's at this time of the monotonic one. */
  #anchor = { utc: 0, monotonic: 0 }
  #graceUntil = 0
  readonly #clock: ClockTrust
  #timer: NodeJS.Timeout | undefined
  #revision = 0
  /** What is being written; the same is tried until Redis has confirmed it. */
  #batch: SchedulerWrite[] | null = null
  #flushing: Promise<void> | null = null
  #isLeading = false
  #lastAcknowledged: { key: string; writes: readonly SchedulerWrite[] } | null = null

  constructor(context: PartContext, deliver: Deliver) {
    this.#context = context
    const { site, client, log } = context
    const { view } = client.site
    this.#book = new AlarmBook(view)
    this.#readings = new Readings(view)
    this.#watches = watchesOf(site)
    this.#system = new SystemAlarms(site, view, this.#book, [])
    this.#clock = new ClockTrust(site.clock, {
      site: () => client.clock.now(),
      own: () => Date.now(),
      monotonic: () => performance.now(),
      synchronised: systemClockSynchronised,
    })
    this.#desk = new Desk({
      title: site.title,
      notifiers: site.notify,
      log,
      deliver,
      onDirty: () => void this.#flush(),
    })
    for (const watch of this.#watches) {
      const { instrument, rule } = watch
      const from =
        rule.kind === 'deviation' && typeof rule.from !== 'number' ? rule.from.instrument : instrument
      for (const id of new Set([instrument, from])) {
        this.#concerned.set(id, [...(this.#concerned.get(id) ?? []), watch])
      }
    }
  }

  async begin(remembered: ReadonlyMap<string, unknown>): Promise<void> {
    const { client, site, scheduler } = this.#context
    this.#anchor = { utc: client.clock.now(), monotonic: performance.now() }
    const now = this.#now()
    this.#graceUntil = now.ms + GRACE_MS
    this.#revision = Number(remembered.get(REVISION) ?? 0)
    const runs = (remembered.get(RUNS) ?? []) as string[]
    this.#system = new SystemAlarms(site, client.site.view, this.#book, runs)
    this.#restore(remembered, now)
    this.#desk.restore(remembered, now)
    const before = remembered.get(TERM) as Term | undefined
    if (before && !before.left) {
      const aliveAt = Number(remembered.get('alive') ?? now.utc)
      this.#system.schedulerWasAway(before.scheduler, scheduler, Math.max(0, now.utc - aliveAt), now)
    }
    const term: Term = { scheduler }
    await client.write([{ op: 'remember', name: TERM, value: term }])
    this.#isLeading = true
    await this.#flush()
    this.#clock.begin()
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  change(change: SiteChange): void {
    if (!this.#isLeading) return
    if (change.kind === 'snapshot') this.#judge(this.#concerned.get(change.instrument) ?? [])
    else if (change.kind === 'bus' || change.kind === 'everything') {
      this.#graceUntil = this.#now().ms + GRACE_MS
    }
  }

  async request(request: SchedulerRequest, at: number): Promise<Answered | undefined> {
    switch (request.type) {
      case 'acknowledge':
        return { writes: await this.#acknowledge(request, at) }
      case 'notifier-test': {
        const { notifier, by } = request
        return { writes: [], after: () => void this.#desk.test(notifier, by, this.#now()) }
      }
      default:
        return undefined
    }
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#clock.end()
    this.#desk.end()
    const { client, scheduler, log } = this.#context
    if (!this.#isLeading) return
    this.#isLeading = false
    await this.#flushing
    const term: Term = { scheduler, left: true }
    // Refused when this process leads no longer: then it has not ended in order, and the next one says so.
    await client
      .write([{ op: 'remember', name: TERM, value: term }])
      .catch((error: unknown) => log.debug(`the end of this term is not written: ${messageOf(error)}`))
  }

  #restore(remembered: ReadonlyMap<string, unknown>, now: Now): void {
    const { view } = this.#context.client.site
    const rules = new Map(this.#watches.map(({ definition }) => [definition.id, definition]))
    const known = AlarmBook.remembered(remembered)
    for (const [id, memory] of known) {
      const definition = rules.get(id) ?? this.#system.definitionOf(id)
      if (definition) this.#book.restore(definition, memory, now)
      else this.#book.forget(id, 'the site does not ask for it any more')
    }
    for (const id of view.alarms.keys()) {
      if (!known.has(id)) this.#book.forget(id, 'nobody remembers it')
    }
  }

  #tick(): void {
    const { client } = this.#context
    if (!client.site.view.bus.ok) return
    this.#judge(this.#watches)
    const now = this.#now()
    const { fault, jumpMs } = this.#clock.look()
    this.#system.clock(fault, jumpMs, now)
    for (const [name, error] of this.#desk.errors) this.#system.notifier(name, error, now)
    this.#system.settleHappened(now)
    if (now.ms >= this.#graceUntil) this.#system.look(now)
    this.#book.refresh()
    this.#desk.plan(this.#book.calling(), now)
    void this.#flush()
  }

  #judge(watches: readonly Watch[]): void {
    const now = this.#now()
    for (const { definition, instrument, parameter, rule } of watches) {
      // While workers have not had time to be heard again nothing is old.
      if (rule.kind === 'stale' && now.ms < this.#graceUntil) continue
      const watched = this.#readings.watched(instrument, parameter, now)
      const reference =
        rule.kind === 'deviation' && typeof rule.from !== 'number'
          ? this.#readings.watched(rule.from.instrument, rule.from.parameter, now)
          : null
      const wasSo = this.#book.memoryOf(definition.id)?.condition === 'active'
      const subject = this.#readings.subject(instrument, parameter)
      this.#book.take(definition, judge(rule, subject, watched, reference, wasSo), now)
    }
    if (this.#book.isDirty) void this.#flush()
  }

  async #acknowledge(
    { alarm, by, note }: { alarm: string; by: string; note: string },
    at: number,
  ): Promise<readonly SchedulerWrite[]> {
    const key = `${alarm} ${at} ${by}`
    // Asked for anew because Redis has not confirmed the writing: it has the same effect again.
    if (this.#lastAcknowledged?.key === key) return this.#lastAcknowledged.writes
    await this.#flush()
    // What is still to be written would be written over what is acknowledged now.
    if (this.#batch) throw new GolemError('QUEUE_DOWN', 'Redis does not take what is to be written.')
    const writes = this.#book.acknowledge(alarm, by, note, at) ?? [
      {
        op: 'event',
        kind: 'alarm',
        by,
        data: { alarm },
        message: `${alarm} is over: there was nothing to acknowledge`,
      },
    ]
    this.#lastAcknowledged = { key, writes }
    return writes
  }

  /** Writes what has changed; there is one writing at a time. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#writeAll().finally(() => (this.#flushing = null))
    return this.#flushing
  }

  async #writeAll(): Promise<void> {
    const { client, log } = this.#context
    try {
      while (this.#isLeading) {
        this.#batch ??= this.#nextBatch()
        if (!this.#batch) return
        await client.write(this.#batch)
        this.#batch = null
        this.#desk.confirmed()
      }
    } catch (error) {
      // The next tick tries the same again; a leader that is none any more is ended by others.
      log.debug(`alarms are not written: ${messageOf(error)}`)
    }
  }

  #nextBatch(): SchedulerWrite[] | null {
    const runs = this.#system.takeRuns()
    const writes: SchedulerWrite[] = [
      ...this.#book.drain(BATCH),
      ...this.#desk.drain(),
      ...(runs === null ? [] : [{ op: 'remember' as const, name: RUNS, value: runs }]),
    ]
    if (writes.length === 0) return null
    this.#revision += 1
    return [{ op: 'once', name: REVISION, revision: this.#revision }, ...writes]
  }

  #now(): Now {
    const ms = this.#anchor.utc + performance.now() - this.#anchor.monotonic
    return { ms: Math.round(ms), utc: this.#context.client.clock.now() }
  }
}
