import { NO_RESERVATION, type ReservationState, isoTime } from '@golem/core'
import type { BookRequest, GiveBackRequest, Reservations, ReserveRequest } from '@golem/queue'
import type { InMemoryView } from './in-memory-site.ts'

/**
 * Stands where the reservations in Redis would be: notes what is asked of it and shows the holder. Who may have what is
 * decided by the scripts in Redis, and tested there.
 */
export class InMemoryReservations implements Reservations {
  /** What was asked, with the name of the method first. */
  readonly asked: [string, object][] = []
  readonly #view: InMemoryView
  readonly #answering: () => Promise<void>

  constructor(view: InMemoryView, answering: () => Promise<void>) {
    this.#view = view
    this.#answering = answering
  }

  async of(instrument: string): Promise<ReservationState> {
    await this.#answering()
    return this.#view.reservations.get(instrument) ?? NO_RESERVATION
  }

  async reserve(request: ReserveRequest): Promise<ReservationState> {
    await this.#note('reserve', request)
    const now = this.#view.now()
    const { instrument, holder, forMs = 0, until = now + forMs, onExpiry = 'hold', share = [] } = request
    const current = { instrument, holder, fence: now, since: isoTime(now), until: isoTime(until) }
    return this.#show(instrument, { ...NO_RESERVATION, current: { ...current, onExpiry, sharedWith: share } })
  }

  async book(request: BookRequest): Promise<ReservationState> {
    await this.#note('book', request)
    return this.of(request.instrument)
  }

  async handOver(request: Parameters<Reservations['handOver']>[0]): Promise<ReservationState> {
    await this.#note('handOver', request)
    return this.of(request.instrument)
  }

  async giveBack(request: GiveBackRequest): Promise<ReservationState> {
    await this.#note('giveBack', request)
    return this.#show(request.instrument, NO_RESERVATION)
  }

  async reserveTogether(
    request: Parameters<Reservations['reserveTogether']>[0],
  ): Promise<Record<string, number>> {
    await this.#note('reserveTogether', request)
    return Object.fromEntries(request.instruments.map((id) => [id, this.#view.now()]))
  }

  async renewTogether(
    request: Parameters<Reservations['renewTogether']>[0],
  ): Promise<Record<string, number | null>> {
    await this.#note('renewTogether', request)
    const until = this.#view.now() + request.forMs
    return Object.fromEntries(Object.keys(request.fences).map((id) => [id, until]))
  }

  async releaseTogether(request: Parameters<Reservations['releaseTogether']>[0]): Promise<void> {
    await this.#note('releaseTogether', request)
  }

  #note(method: string, request: object): Promise<void> {
    this.asked.push([method, request])
    return this.#answering()
  }

  #show(instrument: string, state: ReservationState): ReservationState {
    this.#view.reserve(instrument, state)
    return state
  }
}
