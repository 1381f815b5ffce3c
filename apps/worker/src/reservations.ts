import { type GolemError, NO_RESERVATION, type ReservationState, isEntitled } from '@golem/core'
import { type KnownReservations, commandRefusedBy } from '@golem/queue'

/** Who holds which instrument, as this process knows it. */
export class Reservations {
  readonly #known = new Map<string, KnownReservations>()
  /** When something was last heard of each, as a count. */
  readonly #heardOf = new Map<string, number>()
  readonly #now: () => number
  #heard = 0

  /** @param now - site clock, ms since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  /** How often something was heard. */
  get heard(): number {
    return this.#heard
  }

  /** Takes what was announced, or what Redis answered when a command began; the newer one stays. */
  hear(instrument: string, reservations: KnownReservations): void {
    this.#heard += 1
    this.#heardOf.set(instrument, this.#heard)
    if (reservations.version < (this.#known.get(instrument)?.version ?? 0)) return
    this.#known.set(instrument, reservations)
  }

  /**
   * Takes what Redis has, also when it has lost something.
   *
   * @param heard - as it was when Redis was asked: what has been heard of an instrument since is newer
   */
  replace(all: ReadonlyMap<string, KnownReservations>, heard: number): void {
    for (const id of new Set([...this.#known.keys(), ...all.keys()])) {
      if ((this.#heardOf.get(id) ?? 0) > heard) continue
      const found = all.get(id)
      if (found) this.#known.set(id, found)
      else this.#known.delete(id)
    }
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
