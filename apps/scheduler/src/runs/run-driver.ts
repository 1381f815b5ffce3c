import { asGolemError, isoTime, messageOf } from '@golem/core'
import type { SchedulerWrite } from '@golem/queue'
import {
  type Effect,
  type EngineEvent,
  type Now,
  PROGRAM_STEP,
  pendingCommand,
  type Program,
  type StepResult,
  statusOf,
  step,
} from '@golem/recipes'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProgramStep } from '../code/program-step.ts'
import type { PartContext } from '../part.ts'
import type { RecipeShelf } from '../recipes/recipe-shelf.ts'
import { LOST as LOST_BY_REDIS, notAgain, RunCommands } from './commands.ts'
import { readingsFrom } from './readings.ts'
import { RunReservation } from './reservation.ts'
import { isSameButTime, written } from './written.ts'
import { type CodeProgress, LOST, NOTHING_TOLD, recordOf, remembering, type StoredRun } from './stored-run.ts'

/** Before Redis is asked again, in ms. */
const AGAIN_AFTER_MS = 300
/** Before it is looked again whether all events have been dealt with, in ms. */
const LOOK_AGAIN_MS = 20
/** The longest a timer is set for, in ms: long waits are looked at now and then. */
const LONGEST_TIMER_MS = 60_000
/** How often a run that does nothing but wait writes down how far it is, in ms. */
const SAVE_EVERY_MS = 60_000

/** Something to be written down between two events. */
interface Note {
  type: 'note'
  code?: CodeProgress
  writes: readonly SchedulerWrite[]
}

/**
 * Carries one run on: gives the engine its events one after the other, writes what comes of each before anything is
 * done, then does it.
 */
export class RunDriver {
  readonly #context: PartContext
  readonly #commands: RunCommands
  readonly #reservation: RunReservation
  readonly #onEnd: () => void
  readonly #ended = new AbortController()
  readonly #events: (EngineEvent | Note)[] = []
  readonly #awaited = new Set<string>()
  /** Only of a recipe in code. */
  readonly #program: ProgramStep | undefined
  /** The effect that its program carries out. */
  #programEffect = ''
  #stored: StoredRun
  /** Run time at `#anchorAt` of the monotonic clock. */
  #anchorRunMs: number
  #anchorAt = performance.now()
  #working = false
  #timer: NodeJS.Timeout | undefined
  #watches: ReadonlySet<string> = new Set()
  #savedAt = performance.now()
  /** Redis has its program. */
  #isKept: boolean

  /** @param options - `isKept`: Redis has its program; `onEnd`: told once, when the run has ended */
  constructor(
    context: PartContext,
    shelf: RecipeShelf,
    stored: StoredRun,
    { isKept, onEnd }: { isKept: boolean; onEnd: () => void },
  ) {
    this.#isKept = isKept
    this.#context = context
    this.#stored = stored
    this.#onEnd = onEnd
    this.#anchorRunMs = stored.state.runMs
    this.#commands = new RunCommands(context.client, `run ${stored.id}`, this.#ended.signal)
    this.#reservation = new RunReservation(context, stored, {
      onHeld: () => this.feed({ type: 'start' }),
      onLost: (reason) => this.feed({ type: 'fail', reason }),
      onWaiting: (reason) => void this.#show(reason),
    })
    if (!stored.code) return
    this.#program = new ProgramStep({
      context,
      shelf,
      stored: () => this.#stored,
      now: (program) => this.#now(program),
      give: ({ id, instrument, target }) =>
        this.#commands.give(id, instrument, target, this.#reservation.fenceOf(instrument)),
      cancel: (command) => this.#cancel(command),
      note: (code, writes) => this.#enqueue({ type: 'note', code, writes }),
      onOutcome: (id, outcome) => this.feed({ type: 'outcome', id, outcome }),
    })
  }

  get id(): string {
    return this.#stored.id
  }

  get stored(): StoredRun {
    return this.#stored
  }

  get isOver(): boolean {
    return this.#stored.state.phase === 'ended'
  }

  /** Begins a run that is new: as soon as what it commands is its own. */
  begin(): void {
    this.#reservation.begin()
  }

  /**
   * Takes up a run that another scheduler has left behind.
   *
   * @param aliveAt - when that one was last known to live, site clock, ms
   * @throws QUEUE_DOWN
   */
  async takeOver(aliveAt: number, redisStartedAt: number): Promise<void> {
    const { clock } = this.#context.client
    const now = clock.now()
    const { state, savedAt, program } = this.#stored
    // A clock that was set back must not make the run younger.
    this.#anchorRunMs = state.runMs + Math.max(0, now - savedAt)
    this.#anchorAt = performance.now()
    if (state.phase === 'waiting') return this.begin()
    const gone = {
      gapMs: Math.max(0, now - Math.max(aliveAt, savedAt)),
      cause: 'the scheduler that stepped it was gone',
    }
    if (this.#stored.code && state.phase === 'stages') {
      this.#loseProgram(statusOf(program, state).pending, gone)
      return this.#reservation.resume()
    }
    const notSent: string[] = []
    const lost: string[] = []
    for (const id of statusOf(program, state).pending) {
      if (await this.#commands.wasGiven(id)) void this.#await(id)
      else if (redisStartedAt > savedAt) lost.push(id)
      else notSent.push(id)
    }
    this.feed({ type: 'interrupted', ...gone, notSent })
    this.#reservation.resume()
    for (const id of lost) void this.#giveAgain(id)
  }

  /** Something has happened to it. */
  feed(event: EngineEvent): void {
    if (this.#ended.signal.aborted || this.isOver) return
    // Of several reasons to look one is enough.
    if (event.type === 'tick' && this.#events.some(({ type }) => type === 'tick')) return
    if (event.type === 'request' && this.#program && !this.#mayReach(this.#program, event)) return
    this.#enqueue(event)
  }

  /** Readings of an instrument are new. */
  heard(instrument: string): void {
    if (this.#watches.has(instrument)) this.feed({ type: 'tick' })
    this.#program?.heard(instrument)
    this.#reservation.look(instrument)
  }

  /** Redis may have lost what stands there once and for all: it is written again with the next step. */
  rememberAnew(): void {
    this.#isKept = false
  }

  /** Stops at once, writing nothing more. */
  abandon(): void {
    this.#ended.abort()
    clearTimeout(this.#timer)
    this.#program?.abandon()
    this.#reservation.close()
  }

  #enqueue(event: EngineEvent | Note): void {
    if (this.#ended.signal.aborted || this.isOver) return
    this.#events.push(event)
    void this.#work()
  }

  /** What is asked of a recipe in code: is it for the engine? Otherwise it is done here, or refused in words. */
  #mayReach(program: ProgramStep, { request, by }: Extract<EngineEvent, { type: 'request' }>): boolean {
    const { code = NOTHING_TOLD, state } = this.#stored
    if (state.phase !== 'stages') return true
    if (request === 'reset' && code.isLost) {
      this.#enqueue({ type: 'note', code: { ...code, isLost: false }, writes: [] })
    }
    const why = request === 'skip' ? program.skip(by) : request === 'resume' && code.isLost ? LOST : null
    if (why !== null) {
      const message = `run ${this.id}: not done: ${why}`
      this.#enqueue({ type: 'note', writes: [{ op: 'event', kind: 'run', by, run: this.id, message }] })
    }
    return request !== 'skip' && why === null
  }

  /** A program ends with its scheduler: what is declared for that is done, and it can't be resumed. */
  #loseProgram(pending: readonly string[], gone: { gapMs: number; cause: string }): void {
    const { code = NOTHING_TOLD } = this.#stored
    if (pending.length > 0) this.#enqueue({ type: 'note', code: { ...code, isLost: true }, writes: [] })
    this.feed({ type: 'interrupted', ...gone, notSent: [] })
    for (const id of pending) {
      this.feed({
        type: 'outcome',
        id,
        outcome: { outcome: 'failed', effect: 'unknown', code: 'INTERRUPTED', message: LOST },
      })
    }
  }

  #now(program: Program = this.#stored.program): Now {
    const { client } = this.#context
    return {
      runMs: Math.round(this.#anchorRunMs + performance.now() - this.#anchorAt),
      utcMs: client.clock.now(),
      readings: readingsFrom(client.site.view, program.reads),
    }
  }

  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    try {
      for (let event = this.#events.shift(); event; event = this.#events.shift()) {
        if (this.#ended.signal.aborted || this.isOver) return
        await this.#take(event)
      }
    } catch (error) {
      this.#context.log.error({ err: error, run: this.id }, 'the run can not be stepped')
      if (asGolemError(error).code === 'LEASE_LOST') this.#context.giveUp(messageOf(error))
    } finally {
      this.#working = false
    }
  }

  async #take(event: EngineEvent | Note): Promise<void> {
    const { program, state } = this.#stored
    const now = this.#now()
    if (event.type === 'note') return this.#save({ state, effects: [] }, now, event)
    clearTimeout(this.#timer)
    const result = step(program, state, { ...event, now })
    const isNews = result.effects.length > 0 || !isSameButTime(state, result.state)
    const isDue = performance.now() - this.#savedAt > SAVE_EVERY_MS
    if (isNews || isDue) await this.#save(result, now)
    if (this.#ended.signal.aborted) return
    for (const effect of result.effects) this.#carryOut(effect)
    if (this.isOver) return this.#close()
    this.#program?.hold(result.state.hold !== null)
    if (event.type === 'parameters') this.#program?.parameters(result.state.parameters)
    this.#watches = new Set(result.watches.map((name) => name.slice(0, name.indexOf('.'))))
    if (result.wakeInMs !== null) {
      const inMs = Math.min(Math.max(1, result.wakeInMs), LONGEST_TIMER_MS)
      this.#timer = setTimeout(() => this.feed({ type: 'tick' }), inMs)
    }
  }

  /** Writes state, record and what the step has to say, in one. While Redis is away the run stands still. */
  async #save(
    { state, effects }: Pick<StepResult, 'state' | 'effects'>,
    now: Now,
    note?: Note,
  ): Promise<void> {
    const { client, scheduler } = this.#context
    const next: StoredRun = {
      ...this.#stored,
      state,
      savedAt: now.utcMs,
      revision: this.#stored.revision + 1,
      ...(this.#stored.startedAt === undefined && state.startedActive !== null
        ? { startedAt: isoTime(now.utcMs) }
        : {}),
      ...(state.phase === 'ended' ? { endedAt: isoTime(now.utcMs) } : {}),
      ...(note?.code ? { code: note.code } : {}),
    }
    const writes: SchedulerWrite[] = [
      { op: 'once', name: `revision:${next.id}`, revision: next.revision },
      ...remembering(next, !this.#isKept),
      { op: 'record', table: 'run', id: next.id, value: recordOf(next, now, scheduler) },
      ...effects.flatMap((effect) => written(next, effect)),
      ...(note?.writes ?? []),
    ]
    this.#isKept = true
    await this.#persistently(() => client.write(writes))
    this.#stored = next
    this.#savedAt = performance.now()
  }

  /** Tells why it has not begun yet. */
  async #show(reason: string): Promise<void> {
    const { client, scheduler, log } = this.#context
    const record = { ...recordOf(this.#stored, this.#now(), scheduler), message: reason }
    try {
      await client.write([{ op: 'record', table: 'run', id: this.id, value: record }])
    } catch (error) {
      log.warn({ err: error, run: this.id }, 'the run is not shown')
    }
  }

  async #persistently(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write()
      } catch (error) {
        if (this.#ended.signal.aborted || asGolemError(error).code === 'LEASE_LOST') throw error
        this.#context.log.warn({ err: error, run: this.id }, 'the run stands still: Redis does not answer')
        await sleep(AGAIN_AFTER_MS)
      }
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'command':
        if (this.#program && effect.step === PROGRAM_STEP.index) {
          this.#programEffect = effect.id
          this.#program.start(effect.id)
        } else void this.#give(effect)
        break
      case 'cancel':
        if (effect.command === this.#programEffect) this.#program?.end()
        else this.#cancel(effect.command)
        break
      case 'safe':
        void this.#makeSafe(effect)
        break
      case 'row':
      case 'event':
      case 'refused':
        // Written together with the state.
        break
    }
  }

  async #give({ id, instrument, target }: Extract<Effect, { type: 'command' }>): Promise<void> {
    const fence = this.#reservation.fenceOf(instrument)
    let lostAt: number | undefined
    const onLost = (): void => void (lostAt ??= performance.now())
    const outcome = await this.#commands.give(id, instrument, target, fence, { onLost })
    if (!outcome) return
    if (lostAt !== undefined && outcome.outcome === 'unknown') {
      const cause = 'Redis was started anew and has lost a command'
      this.feed({ type: 'interrupted', gapMs: performance.now() - lostAt, notSent: [], cause })
    }
    this.feed({ type: 'outcome', id, outcome })
  }

  /** Redis has lost a command of a leader before: given again if the run goes on where it was, else nobody can tell. */
  async #giveAgain(id: string): Promise<void> {
    // What the step wants done after an interruption is decided first.
    while (this.#working || this.#events.length > 0) await sleep(LOOK_AGAIN_MS)
    const { state, submittedAt } = this.#stored
    const command = pendingCommand(state, id)
    const goesOn = command && !state.hold && state.phase !== 'safe'
    const outcome = goesOn
      ? await this.#commands.give(
          id,
          command.instrument,
          command.target,
          this.#reservation.fenceOf(command.instrument),
          // When exactly it was given is not known: not before the run was there.
          { givenAt: submittedAt },
        )
      : notAgain('the run does not go on by itself')
    if (outcome) this.feed({ type: 'outcome', id, outcome })
  }

  #cancel(command: string): void {
    this.#commands
      .cancel(command)
      .catch((error: unknown) => this.#context.log.warn({ err: error, run: this.id }, 'not cancelled'))
  }

  async #await(id: string): Promise<void> {
    if (this.#awaited.has(id)) return
    this.#awaited.add(id)
    const outcome = await this.#commands.outcomeOf(id)
    if (outcome === LOST_BY_REDIS) return this.#giveAgain(id)
    if (outcome) this.feed({ type: 'outcome', id, outcome })
  }

  async #makeSafe({ id, instruments }: Extract<Effect, { type: 'safe' }>): Promise<void> {
    const { client, log } = this.#context
    try {
      const outcome = await client.makeSafe({
        id: this.#commands.idOf(id),
        instruments,
        by: `run ${this.id}`,
        reason: `run ${this.id} was aborted`,
      })
      this.feed({ type: 'outcome', id, outcome })
    } catch (error) {
      log.error({ err: error, run: this.id }, 'the safe state was not asked for')
      this.feed({
        type: 'outcome',
        id,
        outcome: {
          outcome: 'unknown',
          effect: 'unknown',
          code: asGolemError(error).code,
          message: messageOf(error),
        },
      })
    }
  }

  #close(): void {
    this.abandon()
    this.#reservation.giveBack()
    this.#onEnd()
  }
}
