import type { ScheduleConfig } from '@golem/config'
import { asGolemError, messageOf, type PlannedStart, type RunRecord, isoTime } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import {
  begin,
  ended,
  lookAt,
  type Program,
  type ScheduleMemory,
  type Settled,
  switched,
} from '@golem/recipes'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answered, PartContext } from '../part.ts'
import type { RecipeShelf } from '../recipes/recipe-shelf.ts'
import type { Runs } from '../runs/runs.ts'
import { eventOf, finishedOf, startOf, stateOf } from './records.ts'

/** Before Redis is asked again, in ms. */
const AGAIN_AFTER_MS = 300
/** A run of which there is neither a driver nor a record for so long, in ms, is not to come any more. */
const LOST_AFTER_MS = 10_000

/** A schedule as the leading scheduler remembers it. */
export interface StoredSchedule {
  memory: ScheduleMemory
  last: PlannedStart | null
  revision: number
}

export interface ScheduleTools {
  context: PartContext
  shelf: RecipeShelf
  runs: Runs
  /** Told when nothing more can be written. */
  signal: AbortSignal
  /** Told after each look: the next start may be another. */
  onLooked: () => void
}

/** What the clocks say. */
export interface ClockState {
  fault: string | null
  /** Why a start was missed, if one was. */
  absence: string
}

/** Under which name it is remembered. */
export function nameOf(schedule: string): string {
  return `schedule:${schedule}`
}

/** Carries out one schedule: one look after the other, and what comes of each is written before anything is done. */
export class ScheduleDriver {
  readonly schedule: ScheduleConfig
  readonly #tools: ScheduleTools
  #stored: Partial<StoredSchedule>
  #working: Promise<void> = Promise.resolve()
  #isBusy = false
  #isDirty = true
  #nextMs: number | null = null
  #lookedMs = -Infinity
  #shown = ''
  readonly #missing = new Map<string, number>()
  /** What runs that were given up had been waiting for, as sentences. */
  readonly #waitedFor = new Map<string, string>()

  constructor(schedule: ScheduleConfig, stored: Partial<StoredSchedule>, tools: ScheduleTools) {
    this.schedule = schedule
    this.#stored = stored
    this.#tools = tools
  }

  /** When it wants to be looked at; null: it does not matter, or is looked at just now. */
  get nextMs(): number | null {
    return this.#isBusy ? null : this.#nextMs
  }

  /** Something it depends on has changed: the next look is thorough. */
  touch(): void {
    this.#isDirty = true
  }

  hasRun(run: string): boolean {
    return this.#stored.memory?.going.some((one) => one.run === run) ?? false
  }

  /** Looks, unless a look is under way or there is nothing to see. */
  look(clock: ClockState): void {
    const isGoing = (this.#stored.memory?.going.length ?? 0) > 0
    if (this.#isBusy || !(isGoing || this.#isNews(this.#now()))) return
    void this.#serially(() => this.#look(clock))
  }

  /** Switches it on or off. Comes back when that is written. */
  async switch(enabled: boolean, by: string, clock: ClockState): Promise<void> {
    await this.#serially(async () => {
      const { memory } = this.#stored
      if (!memory || memory.enabled === enabled) return
      await this.#look(clock, switched(memory, enabled, this.#now()), [
        {
          op: 'event',
          kind: 'schedule',
          by,
          data: { schedule: this.schedule.id },
          message: `schedule ${this.schedule.id} was switched ${enabled ? 'on' : 'off'}`,
        },
      ])
    })
  }

  /** Is there more to see than whether its run has ended? */
  #isNews(nowMs: number): boolean {
    const isDue = this.#nextMs !== null && nowMs >= this.#nextMs
    return this.#isDirty || isDue || nowMs < this.#lookedMs
  }

  /** Steps follow each other. */
  #serially(step: () => Promise<void>): Promise<void> {
    const { context, signal } = this.#tools
    this.#isBusy = true
    this.#working = this.#working
      .then(step)
      .catch((error: unknown) => {
        if (signal.aborted) return
        context.log.error({ err: error, schedule: this.schedule.id }, 'the schedule is not looked at')
        if (asGolemError(error).code === 'LEASE_LOST') context.giveUp(messageOf(error))
      })
      .finally(() => {
        this.#isBusy = false
        this.#tools.onLooked()
      })
    return this.#working
  }

  async #look(
    { fault, absence }: ClockState,
    given: ScheduleMemory | undefined = this.#stored.memory,
    told: readonly SchedulerWrite[] = [],
  ): Promise<void> {
    const { schedule } = this
    const nowMs = this.#now()
    const finished = given ? this.#finished(given, nowMs) : []
    if (finished.length === 0 && told.length === 0 && !this.#isNews(nowMs)) return
    this.#isDirty = false
    this.#lookedMs = nowMs
    const before = finished.reduce<ScheduleMemory | undefined>(
      (memory, { run }) => memory && ended(memory, run ?? ''),
      given,
    )
    const looked = lookAt(schedule, before, {
      nowMs,
      clockFault: fault,
      obstacle: () => this.#obstacle(),
      absence,
    })
    if (looked.more) this.#isDirty = true
    this.#nextMs = looked.nextMs
    const starts = looked.settled.map((one) => startOf(schedule.id, one, nowMs))
    const begun = looked.settled.map((one) => this.#begin(one))
    const last = starts.at(-1) ?? finished.at(-1) ?? this.#stored.last ?? null
    const record = stateOf(schedule, looked.memory, { nowMs, fault, last })
    const isNew = JSON.stringify(looked.memory) !== JSON.stringify(this.#stored.memory)
    const shown = JSON.stringify(record)
    if (!isNew && shown === this.#shown && finished.length === 0) return
    const next: StoredSchedule = {
      memory: looked.memory,
      last,
      revision: (this.#stored.revision ?? 0) + 1,
    }
    const ledger = [...finished, ...starts]
    await this.#write([
      { op: 'once', name: `revision:${nameOf(schedule.id)}`, revision: next.revision },
      { op: 'remember', name: nameOf(schedule.id), value: next },
      { op: 'record', table: 'schedule', id: schedule.id, value: record },
      ...ledger.map((value) => ({ op: 'start', value }) as const),
      ...ledger.flatMap((start) => eventOf(schedule.id, start)),
      ...(looked.news === null
        ? []
        : [
            {
              op: 'event',
              kind: 'schedule',
              data: { schedule: schedule.id },
              message: `schedule ${schedule.id}: ${looked.news}`,
            } as const,
          ]),
      ...told,
      ...begun.flatMap(({ writes }) => writes),
    ])
    this.#stored = next
    this.#shown = shown
    // Whoever leads now takes up what was written.
    if (this.#tools.signal.aborted) return
    for (const { after } of begun) after?.()
  }

  /** What has ended of what it started. Runs that wait for their instruments too long are ended. */
  #finished(memory: ScheduleMemory, nowMs: number): PlannedStart[] {
    const { context, runs } = this.#tools
    const { id, withinMs } = this.schedule
    return memory.going.flatMap(({ plannedMs, run }) => {
      const record = context.client.site.view.runs.get(run)
      if (record?.state === 'ended') {
        const waitedFor = this.#waitedFor.get(run)
        this.#waitedFor.delete(run)
        return [finishedOf(id, plannedMs, record, waitedFor)]
      }
      if (runs.has(run)) {
        if (record?.state === 'waiting' && nowMs - Date.parse(record.submittedAt) > withinMs) {
          if (!this.#waitedFor.has(run)) this.#waitedFor.set(run, record.message)
          runs.stop(run, `schedule ${id}`)
        }
        return []
      }
      const since = this.#missing.get(run) ?? performance.now()
      this.#missing.set(run, since)
      if (performance.now() - since < LOST_AFTER_MS) return []
      this.#missing.delete(run)
      const lost = { schedule: id, plannedAt: isoTime(plannedMs), run }
      return [{ ...lost, finishedAt: isoTime(nowMs), skipped: 'Nothing is known of its run any more.' }]
    })
  }

  /** Why it can't be started now. */
  #obstacle(): string | null {
    const { context } = this.#tools
    const { recipe } = this.schedule
    const { recipes, stop } = context.client.site.view
    const described = recipes.get(recipe)
    try {
      // Of a program only its own code knows what it commands.
      const isProgram = described?.kind === 'code'
      if (isProgram && described.faults[0] !== undefined) return described.faults[0]
      const commands = isProgram ? [] : this.#program(recipe).commands
      const stopped = commands.find((id) => stop.instruments[id])
      if (stop.site ?? stopped) {
        return stopped === undefined
          ? 'The emergency stop was in force.'
          : `The emergency stop of ${stopped} was in force.`
      }
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  /** @throws what keeps it from being run */
  #program(recipe: string): Program {
    const { context, shelf } = this.#tools
    const { instruments, parameters } = this.schedule
    const program = shelf.program(recipe, instruments, context.client.site.view.descriptions)
    begin(program, { run: '', parameters })
    return program
  }

  #begin(one: Settled): Answered {
    if (!('run' in one)) return { writes: [] }
    const { id, label, recipe, instruments, parameters } = this.schedule
    const at = isoTime(this.#now())
    const record: RunRecord = {
      id: one.run,
      recipe,
      label,
      by: `schedule ${id}`,
      note: `planned for ${isoTime(one.plannedMs)}`,
      parameters,
      instruments,
      state: 'waiting',
      message: '',
      submittedAt: at,
      progress: {
        stage: null,
        stageNumber: 0,
        stages: 0,
        step: 0,
        steps: null,
        doing: '',
        fraction: null,
        endsAt: null,
      },
      seenAt: at,
      interruptions: { count: 0, ms: 0 },
      rows: 0,
      scheduler: null,
    }
    return this.#tools.runs.start(record, Date.parse(at), { schedule: id, at: isoTime(one.plannedMs) })
  }

  #now(): number {
    return this.#tools.context.client.clock.now()
  }

  async #write(writes: readonly SchedulerWrite[]): Promise<void> {
    const { context, signal } = this.#tools
    for (;;) {
      try {
        return await context.client.write(writes)
      } catch (error) {
        if (signal.aborted || asGolemError(error).code === 'LEASE_LOST') throw error
        context.log.warn(
          { err: error, schedule: this.schedule.id },
          'the schedule stands still: Redis does not answer',
        )
        await sleep(AGAIN_AFTER_MS)
      }
    }
  }
}
