import { type Holder, asGolemError, isoTime, messageOf } from '@golem/core'
import type { PartContext } from '../part.ts'
import type { StoredRun } from './stored-run.ts'

/** For how long a run reserves at a time, in ms: as long as it lives it renews in time. */
const RESERVE_MS = 120_000
const RENEW_EVERY_MS = 30_000
/** How often a run that waits for instruments looks again, in ms; a change of a reservation makes it look at once. */
const LOOK_AGAIN_MS = 2_000

export interface ReservationEvents {
  /** All it needs is its own, for the first time. */
  onHeld: () => void
  onLost: (reason: string) => void
  onWaiting: (reason: string) => void
}

/** What a run commands is reserved for it, from before its first command to its end. */
export class RunReservation {
  readonly #context: PartContext
  readonly #instruments: readonly string[]
  readonly #holder: Holder
  readonly #note: string
  readonly #events: ReservationEvents
  #fences: Readonly<Record<string, number>> | undefined
  #timer: NodeJS.Timeout | undefined
  #isBusy = false
  #isClosed = false
  #told = ''

  constructor(context: PartContext, { id, program, by }: StoredRun, events: ReservationEvents) {
    this.#context = context
    this.#instruments = program.commands
    this.#holder = { kind: 'run', name: id }
    this.#note = `${program.label}, started by ${by}`
    this.#events = events
  }

  /** The number that a command to an instrument carries. */
  fenceOf(instrument: string): number | undefined {
    return this.#fences?.[instrument]
  }

  /** Reserves, as soon as it can be had. */
  begin(): void {
    void this.#acquire(() => this.#events.onHeld())
  }

  /** Goes on reserving what the run held before; if somebody else has it by now the run has lost it. */
  resume(): void {
    void this.#acquire(() => undefined, true)
  }

  /** The reservation of an instrument, or anything of it, has changed. */
  look(instrument: string): void {
    if (this.#fences === undefined && this.#told !== '' && this.#instruments.includes(instrument))
      this.begin()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  /** Gives everything back, after the end. */
  giveBack(): void {
    const fences = this.#fences
    if (!fences || Object.keys(fences).length === 0) return
    this.#context.client.site.reservations
      .releaseTogether({ fences, holder: this.#holder })
      // They end by themselves when nobody renews them.
      .catch((error: unknown) =>
        this.#context.log.warn({ err: error, run: this.#holder.name }, 'not given back'),
      )
  }

  async #acquire(then: () => void, isResumed = false): Promise<void> {
    if (this.#isBusy || this.#isClosed || this.#fences) return
    this.#isBusy = true
    clearTimeout(this.#timer)
    try {
      this.#fences =
        this.#instruments.length === 0
          ? {}
          : await this.#context.client.site.reservations.reserveTogether({
              instruments: this.#instruments,
              holder: this.#holder,
              forMs: RESERVE_MS,
              note: this.#note,
              onExpiry: 'hold',
            })
      if (this.#isClosed) return
      this.#renewLater()
      then()
    } catch (error) {
      if (this.#isClosed) return
      const { code } = asGolemError(error)
      if (isResumed && code === 'INSTRUMENT_RESERVED') return this.#events.onLost(messageOf(error))
      if (messageOf(error) !== this.#told) {
        this.#told = messageOf(error)
        this.#events.onWaiting(this.#told)
      }
      this.#timer = setTimeout(() => void this.#acquire(then, isResumed), LOOK_AGAIN_MS)
    } finally {
      this.#isBusy = false
    }
  }

  #renewLater(): void {
    if (this.#isClosed || this.#instruments.length === 0) return
    this.#timer = setTimeout(() => void this.#renew(), RENEW_EVERY_MS)
  }

  async #renew(): Promise<void> {
    const { client, log } = this.#context
    try {
      const until = await client.site.reservations.renewTogether({
        fences: this.#fences ?? {},
        holder: this.#holder,
        forMs: RESERVE_MS,
      })
      const lost = Object.entries(until).flatMap(([id, ms]) => (ms === null ? [id] : []))
      if (lost.length > 0) return this.#events.onLost(`It does not hold ${lost.join(', ')} any more.`)
      const soonest = Math.min(...Object.values(until).map((ms) => ms ?? Infinity))
      log.debug({ run: this.#holder.name, until: isoTime(soonest) }, 'reservations renewed')
    } catch (error) {
      // Redis is away; without it nobody else gets them either.
      log.debug(`reservations not renewed: ${messageOf(error)}`)
    }
    this.#renewLater()
  }
}
