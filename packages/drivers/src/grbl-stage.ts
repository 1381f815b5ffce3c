import { type Fault, fault, GolemError, type LineIo, type Value } from '@golem/core'
import {
  alarmInWords,
  alarmNumber,
  errorInWords,
  isResponse,
  isWelcome,
  LOSES_POSITION,
  parseStatus,
  type Status,
  type Triple,
} from './grbl-lines.ts'

export const AXES = ['x', 'y', 'z'] as const
export type Axis = (typeof AXES)[number]
export type Found = Record<string, Value | Fault>

/** Where its axes are to be, mm in machine coordinates. */
export type Target = Partial<Record<Axis, number>>

/** A status report may be missing; after so many queries the line is taken to be dead. */
const STATUS_TRIES = 5
const STATUS_MS = 600
/** Between two looks at a movement, in ms: Grbl wants to be asked five times a second at most. */
const LOOK_MS = 200
/** So long a movement may show no progress, in ms. */
const NO_PROGRESS_MS = 10_000
/** After an opening the board may boot, which takes 1 to 2 s. */
const BOOT_MS = 2500
/** A soft reset is answered by the welcome line. */
const RESET_MS = 2000
/** How near to its target a movement has to end, in mm. */
export const ARRIVED_MM = 0.01
/** Grbl notes one step of an override at a time, and looks at it a few milliseconds later. */
const OVERRIDE_STEP_MS = 15
const OVERRIDE_SETTLE_MS = 100
/** So often it is brought to the value, the first time included. */
const OVERRIDE_ROUNDS = 4
/** The overrides are in each tenth or twentieth report. */
const OVERRIDE_LOOKS = 25

const LONGEST_MESSAGE = 256

const STATUS = Buffer.from('?')
const MOVING: ReadonlySet<string> = new Set(['Run', 'Jog', 'Home'])

/** What is known of a stage, and what it is told: one line at a time, real-time bytes besides. */
export class GrblStage {
  readonly #axes: readonly Axis[]
  /** Why nobody knows where the stage stands; null: it is known. */
  #lost: string | null = 'it has just been connected'
  #alarm = ''
  /** What it said last by itself. */
  #message = ''
  #offset: Triple = [0, 0, 0]
  /** It reports in inches ($13=1). */
  #inches = false

  constructor(axes: readonly Axis[]) {
    this.#axes = axes
  }

  /** Why nobody knows where the stage stands; null: it is known. */
  get lost(): string | null {
    return this.#lost
  }

  loseIt(why: string): void {
    this.#lost = why
  }

  found(): void {
    this.#lost = null
    this.#alarm = ''
  }

  /** In machine coordinates, mm. */
  positionOf({ machine, work }: Status): Triple {
    const [x, y, z] = machine ?? work ?? [0, 0, 0]
    const [dx, dy, dz] = machine ? [0, 0, 0] : this.#offset
    return [this.#mm(x + dx), this.#mm(y + dy), this.#mm(z + dz)]
  }

  /** Takes a report into account. */
  take(status: Status): Found {
    this.#offset = status.offset ?? this.#offset
    if (status.state !== 'Alarm') this.#alarm = ''
    const found: Found = {
      ...this.positions(this.positionOf(status)),
      state: status.state,
      alarm: this.#alarm,
      message: this.#message,
    }
    if (status.feed !== undefined) found['feed'] = this.#mm(status.feed)
    if (status.spindle !== undefined) found['spindle'] = status.spindle
    if (status.overrides) {
      found['feedOverride'] = status.overrides[0]
      found['spindleOverride'] = status.overrides[2]
    }
    return found
  }

  takeMessage(text: string): Found {
    this.#message = text.slice(0, LONGEST_MESSAGE)
    return { message: this.#message }
  }

  takeAlarm(number: number): Found {
    this.#alarm = alarmInWords(number)
    if (LOSES_POSITION.has(number)) this.loseIt(this.#alarm)
    return { ...this.positions(), state: 'Alarm', alarm: this.#alarm }
  }

  /** The positions as readings. @param at - absent: they are as they were, unless they are unknown now */
  positions(at?: Triple): Found {
    const unknown = fault(
      `Where the stage stands is not known: ${this.#lost ?? ''}. Let it go home, or accept its position.`,
    )
    const found: Found = { positionKnown: this.#lost === null }
    for (const axis of this.#axes) {
      const work = `work${axis.toUpperCase()}`
      if (this.#lost !== null) found[axis] = found[work] = unknown
      else if (at) {
        const index = indexOf(axis)
        found[axis] = at[index]
        found[work] = rounded(at[index] - this.#mm(this.#offset[index]))
      }
    }
    return found
  }

  /** Asks for a report, several times if need be: it may be missing. @throws REPLY_TIMEOUT */
  async report(io: LineIo): Promise<Status> {
    for (let left = STATUS_TRIES; ; left -= 1) {
      await io.sendBytes(STATUS)
      try {
        const accept = (line: string): boolean => parseStatus(line) !== undefined
        const status = parseStatus(await io.expect({ accept, timeoutMs: STATUS_MS }))
        if (status) return status
      } catch (error) {
        if (left <= 1 || !isTimeOut(error)) throw error
      }
    }
  }

  /**
   * Sends one line and waits for its ok.
   *
   * @throws INSTRUMENT_REFUSED for an error; INTERRUPTED when an alarm or a reset came in its place
   */
  async command(io: LineIo, line: string, timeoutMs?: number): Promise<void> {
    const answer = await io.ask(line, {
      accept: (text) => isResponse(text) || isWelcome(text) || alarmNumber(text) !== undefined,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
    if (answer === 'ok') return
    this.#throwIfEnded(answer, line)
    throw new GolemError('INSTRUMENT_REFUSED', `The stage refused ${line}: ${errorInWords(answer)}.`)
  }

  /** Moves in machine coordinates. @param wait - until it has arrived */
  async move(io: LineIo, target: Target, feed: number, wait = true): Promise<void> {
    if (this.#lost !== null) {
      throw new GolemError(
        'INSTRUMENT_REFUSED',
        `Not moved: where the stage stands is not known (${this.#lost}). Let it go home, or accept its position.`,
      )
    }
    const words = this.#axes.flatMap((axis) => {
      const to = target[axis]
      return to === undefined ? [] : [`${axis.toUpperCase()}${to.toFixed(3)}`]
    })
    // G53: in machine coordinates, where the limits hold whatever work offset somebody has set.
    await this.command(io, `G21G90G53G1${words.join('')}F${feed}`)
    if (wait) await this.#arrive(io, target)
  }

  /** Sends bytes that end in a soft reset, and waits for the welcome. @throws REPLY_TIMEOUT */
  async reset(io: LineIo, bytes: readonly number[], why: string): Promise<void> {
    this.loseIt(why)
    await io.sendBytes(Uint8Array.from(bytes))
    await io.expect({ accept: isWelcome, timeoutMs: RESET_MS })
  }

  /**
   * Is this a Grbl at all?
   *
   * @throws WRONG_INSTRUMENT when something else came, REPLY_TIMEOUT when nothing did
   */
  async identify(io: LineIo): Promise<void> {
    // Why it was lost before tells more, e.g. that it was stopped.
    this.loseIt(this.#lost ?? 'its line was lost')
    let strange: string | undefined
    const accept = (line: string): boolean => {
      if (parseStatus(line) || isWelcome(line)) return true
      if (line !== '' && !isResponse(line) && !/^([[$>]|ALARM:)/.test(line)) strange ??= line
      return false
    }
    for (let left = STATUS_TRIES; ; left -= 1) {
      await io.sendBytes(STATUS)
      try {
        await io.expect({ accept, timeoutMs: left === 1 ? BOOT_MS : STATUS_MS })
        return
      } catch (error) {
        if (!isTimeOut(error)) throw error
        if (strange !== undefined) {
          const what = JSON.stringify(strange.slice(0, 80))
          throw new GolemError('WRONG_INSTRUMENT', `This is no Grbl: it says ${what}.`, { cause: error })
        }
        if (left <= 1) throw error
      }
    }
  }

  /** Brings question and answer in step, and learns in which unit it reports. */
  async initialise(io: LineIo): Promise<void> {
    // Ends what may be left of a line, as an error: a part of a movement must not be carried out as a whole one.
    await io.ask('$', { accept: isResponse })
    // Its version comes before its ok, so an ok that is still owed for something older is not taken for it.
    let version = false
    const accept = (line: string): boolean => {
      version ||= line.startsWith('[VER:')
      return line.startsWith('error:') || (version && line === 'ok')
    }
    await io.ask('$I', { accept })
    this.#inches = false
    await io.ask('$$', {
      accept: (line) => {
        if (/^\$13=1\b/.test(line)) this.#inches = true
        return isResponse(line)
      },
    })
  }

  /**
   * Brings an override to a value by steps of 10 and of 1, and looks whether it got there. Of two like steps that arrive at
   * once, as after a hold-up on the way, Grbl takes one: what is missing then is made up for.
   *
   * @param which - as in the status report
   * @throws READBACK_MISMATCH
   */
  async override(io: LineIo, which: 'feed' | 'spindle', percent: number): Promise<void> {
    const first = which === 'feed' ? 0x90 : 0x99
    await sendSlowly(io, [first, ...overrideSteps(first, percent - 100)])
    for (let round = 1; ; round += 1) {
      if ((await this.#overrideNow(io, which)) === percent && round === 1) return
      // A report may be older than the last step.
      await io.sleep(OVERRIDE_SETTLE_MS)
      const got = await this.#overrideNow(io, which)
      if (got === percent) return
      if (round === OVERRIDE_ROUNDS) {
        throw new GolemError('READBACK_MISMATCH', `The override is ${got} %, not ${percent} %.`)
      }
      await sendSlowly(io, overrideSteps(first, percent - got))
    }
  }

  /** @throws REPLY_TIMEOUT when it does not say */
  async #overrideNow(io: LineIo, which: 'feed' | 'spindle'): Promise<number> {
    for (let look = 0; look < OVERRIDE_LOOKS; look += 1) {
      const { overrides } = await this.report(io)
      if (overrides) return overrides[which === 'feed' ? 0 : 2]
    }
    throw new GolemError('REPLY_TIMEOUT', 'The stage does not report its overrides.')
  }

  /**
   * Waits until the stage stands; what it reports on the way becomes readings.
   *
   * @throws INTERRUPTED when it stands elsewhere than it should; REPLY_TIMEOUT when it says nothing any more
   */
  async #arrive(io: LineIo, target: Target): Promise<void> {
    let progressAt = performance.now()
    let where = ''
    let idles = 0
    let silent = 0
    for (;;) {
      const { status, stands } = await this.#look(io)
      silent = status ? 0 : silent + 1
      if (silent * LOOK_MS >= STATUS_TRIES * STATUS_MS) {
        throw new GolemError('REPLY_TIMEOUT', 'The stage does not report any more while it should move.')
      }
      if (!status) continue
      const now = performance.now()
      const at = this.positionOf(status).join(' ')
      if (at !== where) [where, progressAt] = [at, now]
      if (!stands) {
        if (now - progressAt < NO_PROGRESS_MS) continue
        throw new GolemError('INTERRUPTED', `The movement makes no progress: the stage stands at ${where}.`)
      }
      if (status.state === 'Idle' && this.#isAt(target, status)) return
      // Right after its ok a movement may not have begun yet.
      if (status.state === 'Idle' && (idles += 1) < 3) {
        await io.sleep(LOOK_MS)
        continue
      }
      throw new GolemError(
        'INTERRUPTED',
        `The movement did not come to its end: the stage is in state ${status.state} at ${where}.`,
      )
    }
  }

  /** Asks once while it moves. A report that it moves is not taken but becomes readings. */
  async #look(io: LineIo): Promise<{ status: Status | undefined; stands: boolean }> {
    let status: Status | undefined
    const accept = (line: string): boolean => {
      if (isWelcome(line) || alarmNumber(line) !== undefined) return true
      status = parseStatus(line) ?? status
      return status !== undefined && !MOVING.has(status.state)
    }
    await io.sendBytes(STATUS)
    try {
      this.#throwIfEnded(await io.expect({ accept, timeoutMs: LOOK_MS }), 'The movement')
    } catch (error) {
      if (!isTimeOut(error)) throw error
      return { status, stands: false }
    }
    return { status, stands: true }
  }

  #isAt(target: Target, status: Status): boolean {
    const at = this.positionOf(status)
    return this.#axes.every((axis) => {
      const wanted = target[axis]
      return wanted === undefined || Math.abs(at[indexOf(axis)] - wanted) <= ARRIVED_MM
    })
  }

  #throwIfEnded(line: string, what: string): void {
    const number = alarmNumber(line)
    if (number !== undefined) {
      this.takeAlarm(number)
      // Nothing has moved for a target outside the travel.
      const code = number === 2 ? 'INSTRUMENT_REFUSED' : 'INTERRUPTED'
      throw new GolemError(code, `${what} was ended by ${this.#alarm}.`)
    }
    if (!isWelcome(line)) return
    this.loseIt('the controller was reset')
    throw new GolemError('INTERRUPTED', `${what} was ended: the controller was reset.`)
  }

  #mm(value: number): number {
    return rounded(this.#inches ? value * 25.4 : value)
  }
}

export function indexOf(axis: Axis): 0 | 1 | 2 {
  return AXES.indexOf(axis) as 0 | 1 | 2
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000

function isTimeOut(error: unknown): boolean {
  return error instanceof GolemError && error.code === 'REPLY_TIMEOUT'
}

/** The characters that change an override by so much. @param first - the one that sets it to 100 % */
function overrideSteps(first: number, by: number): number[] {
  const tens = Math.trunc(by / 10)
  const ones = by - 10 * tens
  return [
    ...Array.from({ length: Math.abs(tens) }, () => first + (tens > 0 ? 1 : 2)),
    ...Array.from({ length: Math.abs(ones) }, () => first + (ones > 0 ? 3 : 4)),
  ]
}

async function sendSlowly(io: LineIo, steps: readonly number[]): Promise<void> {
  for (const step of steps) {
    await io.sendBytes(Uint8Array.of(step))
    await io.sleep(OVERRIDE_STEP_MS)
  }
}
