import { type GolemError, NO_RESERVATION, type ReservationState, isEntitled } from '@golem/core'
import { type KnownReservations, commandRefusedBy } from '@golem/queue'

/** Who holds which instrument, as this process knows it. */
export class Reservations {
  readonly #known = new Map<string, KnownReservations>()
  readonly #now: () => number
  #heard = 0

  /** @param now - site clock, ms since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  /** How often something was heard: what Redis was asked before the last time is out of date. */
  get heard(): number {
    return this.#heard
  }

  /** Takes what was announced, or what Redis answered when a command began; the newer one stays. */
  hear(instrument: string, reservations: KnownReservations): void {
    this.#heard += 1
    if (reservations.version < (this.#known.get(instrument)?.version ?? 0)) return
    this.#known.set(instrument, reservations)
  }

  /** Takes what Redis has: all of it, also when it has lost something. */
  replace(all: ReadonlyMap<string, KnownReservations>): void {
    this.#known.clear()
    for (const [id, reservations] of all) this.#known.set(id, reservations)
  }

  /** Those of these instruments that have, or had, reservations. */
  among(instruments: readonly string[]): string[] {
    return instruments.filter((id) => this.#known.has(id))
  }

  /** The reservation after whose end the outputs have to be made safe, and are not yet. */
  unsafe(instrument: string): KnownReservations['unsafe'] {
    return this.#known.get(instrument)?.unsafe ?? null
  }

  /**
   * Why nobody of this name may command an instrument just now; null: they may.
   *
   * @param by - as the ledger has it
   * @param under - number of the reservation the command was given under; '': of none
   */
  refusal(instrument: string, by: string, under = ''): GolemError | null {
    const state = this.#stateOf(instrument)
    const { current } = state
    if (under !== '' && String(current?.fence) !== under) return commandRefusedBy(state, under)
    return current && !isEntitled(current, by) ? commandRefusedBy(state) : null
  }

  /** What is over by the site's clock is over, whether or not anybody has written that yet. */
  #stateOf(instrument: string): ReservationState {
    const state = this.#known.get(instrument)?.state ?? NO_RESERVATION
    const isOver = state.current !== null && Date.parse(state.current.until) <= this.#now()
    return isOver ? { ...state, current: null } : state
  }
}
