import { type ExpiryPolicy, GolemError, type Holder, type ReservationState } from '@golem/core'
import { randomUUID } from 'node:crypto'
import type { SiteView } from './api.ts'
import { refusalOf } from './reservation-refusals.ts'
import { reservationsFrom } from './reservation-records.ts'
import type { ScriptName } from './scripts.ts'

/** What is asked for; absent: as it is, or as is usual. */
export interface ReserveRequest {
  instrument: string
  holder: Holder
  /** How long from now, in ms. */
  forMs?: number
  /** Or until when, ms since 1970, site clock. */
  until?: number
  note?: string
  onExpiry?: ExpiryPolicy
  /** ms since 1970; 0: no more. */
  quietUntil?: number
  /** All who may command it too, by name. */
  share?: readonly string[]
  /** Wait in line when somebody else has it. */
  wait?: boolean
}

export interface BookRequest {
  instrument: string
  holder: Holder
  from: number
  until: number
  note?: string
  onExpiry?: ExpiryPolicy
}

export interface GiveBackRequest {
  instrument: string
  holder: Holder
  /** Only when it is this reservation that is in force. */
  fence?: number
  /** Instead: the id of a booking to cancel. */
  booking?: string
  /** Instead: leave the line. */
  waiting?: boolean
  /** May end what is not theirs, with a reason. */
  admin?: boolean
  reason?: string
}

/** What holders do with reservations. Every method throws QUEUE_DOWN when Redis is away. */
export interface Reservations {
  of(instrument: string): Promise<ReservationState>
  /** Reserves, renews, changes, or waits in line. @throws INSTRUMENT_RESERVED, INVALID_REQUEST, QUEUE_FULL */
  reserve(request: ReserveRequest): Promise<ReservationState>
  /** Books a time to come. @throws INSTRUMENT_RESERVED, INVALID_REQUEST, QUEUE_FULL */
  book(request: BookRequest): Promise<ReservationState>
  /** Only its holder can. @throws NOT_ALLOWED, INVALID_REQUEST: nobody holds it */
  handOver(request: {
    instrument: string
    holder: Holder
    to: Holder
    note?: string
  }): Promise<ReservationState>
  /** Gives back, leaves the line or cancels a booking. @throws NOT_ALLOWED, INVALID_REQUEST, NOT_FOUND */
  giveBack(request: GiveBackRequest): Promise<ReservationState>
  /**
   * Reserves several instruments, all or none; what the holder has already is kept, at least for so long.
   *
   * @returns the fencing numbers
   * @throws INSTRUMENT_RESERVED: the first that can't be had, whose it is
   */
  reserveTogether(request: {
    instruments: readonly string[]
    holder: Holder
    forMs: number
    note?: string
    onExpiry?: ExpiryPolicy
  }): Promise<Record<string, number>>
  /**
   * Renews what a holder has, at most up to the next booking of somebody else.
   *
   * @returns by instrument until when (ms since 1970), or null: it is not the holder's any more
   */
  renewTogether(request: {
    fences: Readonly<Record<string, number>>
    holder: Holder
    forMs: number
  }): Promise<Record<string, number | null>>
  /** Gives several back; those that are not the holder's any more are left alone. */
  releaseTogether(request: { fences: Readonly<Record<string, number>>; holder: Holder }): Promise<void>
}

/** Runs a script of the site and gives its answer. */
type Ask = <T>(name: ScriptName, ...args: readonly (string | number)[]) => Promise<T>

/** Reservations in Redis; each request is one script. */
export class RedisReservations implements Reservations {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  async of(instrument: string): Promise<ReservationState> {
    return reservationsFrom(instrument, await this.#ask<string>('golemReservation', instrument)).state
  }

  reserve({ instrument, holder, share, ...rest }: ReserveRequest): Promise<ReservationState> {
    return this.#change('golemReserve', instrument, {
      ...holder,
      ...rest,
      ...(share === undefined ? {} : { shared: share }),
    })
  }

  book({ instrument, holder, ...rest }: BookRequest): Promise<ReservationState> {
    return this.#change('golemBook', instrument, { ...holder, ...rest, id: randomUUID().slice(0, 8) })
  }

  handOver({
    instrument,
    holder,
    ...rest
  }: {
    instrument: string
    holder: Holder
    to: Holder
    note?: string
  }): Promise<ReservationState> {
    return this.#change('golemHandOver', instrument, { ...holder, ...rest })
  }

  giveBack({ instrument, holder, ...rest }: GiveBackRequest): Promise<ReservationState> {
    return this.#change('golemGiveBack', instrument, { ...holder, ...rest })
  }

  async reserveTogether({
    instruments,
    holder,
    ...rest
  }: {
    instruments: readonly string[]
    holder: Holder
    forMs: number
    note?: string
    onExpiry?: ExpiryPolicy
  }): Promise<Record<string, number>> {
    const request = JSON.stringify({ ...holder, ...rest })
    const [what = '', ...pairs] = await this.#ask<string[]>('golemReserveTogether', request, ...instruments)
    const [instrument = '', json = '', detail = ''] = pairs
    if (what !== 'ok') throw refusalOf(what, instrument, json, detail)
    return Object.fromEntries(pairsOf(pairs).map(([id, text]) => [id, reservationsFrom(id, text).fence]))
  }

  async renewTogether({
    fences,
    holder,
    forMs,
  }: {
    fences: Readonly<Record<string, number>>
    holder: Holder
    forMs: number
  }): Promise<Record<string, number | null>> {
    const request = JSON.stringify({ ...holder, forMs })
    const pairs = await this.#ask<string[]>('golemRenewTogether', request, ...Object.entries(fences).flat())
    return Object.fromEntries(
      pairsOf(pairs).map(([id, text]) => {
        const { current } = reservationsFrom(id, text).state
        const isHis = current !== null && current.fence === fences[id] && isSame(current.holder, holder)
        return [id, isHis ? Date.parse(current.until) : null]
      }),
    )
  }

  async releaseTogether({
    fences,
    holder,
  }: {
    fences: Readonly<Record<string, number>>
    holder: Holder
  }): Promise<void> {
    await this.#ask('golemReleaseTogether', JSON.stringify(holder), ...Object.entries(fences).flat())
  }

  async #change(name: ScriptName, instrument: string, request: object): Promise<ReservationState> {
    const [what = '', json = '', detail = ''] = await this.#ask<string[]>(
      name,
      instrument,
      JSON.stringify(request),
    )
    if (what !== 'ok' && what !== 'waiting') throw refusalOf(what, instrument, json, detail)
    return reservationsFrom(instrument, json).state
  }
}

/** When time alone will change something next, ms since 1970; Infinity: never. */
function reservationsDueAt({ current, bookings, waiting }: ReservationState): number {
  if (current) return Date.parse(current.until)
  // Somebody waits, and nobody holds it: it is his, unless a booking has cut the room to nothing.
  const [first] = bookings
  if (first === undefined) return waiting.length > 0 ? 0 : Infinity
  return Date.parse(first.from)
}

/** How often it is looked whether a reservation is over or a booking begins, in ms; Redis is asked only then. */
const SETTLE_EVERY_MS = 250

/**
 * Has what time brings about written: ends, beginnings of bookings, the next in line. Any process may; several do no
 * harm.
 *
 * @returns the function that ends it
 */
export function settleWhenDue(
  view: Pick<SiteView, 'reservations' | 'bus' | 'now'>,
  settle: (...instruments: string[]) => Promise<unknown>,
): () => void {
  let isBusy = false
  const look = async (): Promise<void> => {
    if (isBusy || !view.bus.ok) return
    const now = view.now()
    const due = [...view.reservations].flatMap(([id, state]) => (reservationsDueAt(state) <= now ? [id] : []))
    if (due.length === 0) return
    isBusy = true
    try {
      await settle(...due)
    } catch (error) {
      // The view says that Redis is away; it is looked again when it is back.
      if (!(error instanceof GolemError && error.code === 'QUEUE_DOWN')) throw error
    } finally {
      isBusy = false
    }
  }
  const timer = setInterval(() => void look(), SETTLE_EVERY_MS)
  return () => clearInterval(timer)
}

function isSame(a: Holder, b: Holder): boolean {
  return a.kind === b.kind && a.name === b.name
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return flat.flatMap((id, n) => (n % 2 === 0 ? [[id, flat[n + 1] ?? ''] as [string, string]] : []))
}
