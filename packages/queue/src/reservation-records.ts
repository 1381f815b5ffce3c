import {
  type EndedReservation,
  type ExpiryPolicy,
  type Holder,
  NO_RESERVATION,
  type ReservationState,
  isoTime,
} from '@golem/core'

/** One time of an instrument, reserved or booked, as it stands in Redis. Times are ms since 1970. */
export interface StoredBooking extends Holder {
  id: string
  from: number
  until: number
  note?: string
  onExpiry?: ExpiryPolicy
}

/** All there is to the reservations of one instrument, as it stands in Redis. */
interface StoredReservations {
  /** Grows with each change. */
  v: number
  /** Of the newest reservation. */
  fence: number
  current?: Holder & {
    fence: number
    since: number
    until: number
    quietUntil?: number
    idleSince?: number
    shared: string[]
    onExpiry: ExpiryPolicy
    note?: string
  }
  waiting: (Holder & { since: number; forMs: number; note?: string })[]
  bookings: StoredBooking[]
  ended?: Holder & Omit<EndedReservation, 'at' | 'holder'> & { at: number }
  /** A reservation has ended after which the outputs have to be made safe, and they are not yet. */
  safe?: { fence: number; name: string }
}

/** The reservations of one instrument, with what workers have to know besides. */
export interface KnownReservations {
  state: ReservationState
  /** Of two versions the higher one is newer. */
  version: number
  /** Number of the newest reservation, also when it has ended; 0: there was none. */
  fence: number
  /** The outputs have to be made safe: the reservation with this number, of this name, has ended. */
  unsafe: { fence: number; name: string } | null
}

/** @param json - as the scripts hand it out; empty: the instrument was never reserved */
export function reservationsFrom(instrument: string, json: string): KnownReservations {
  if (json === '') {
    return { state: NO_RESERVATION, version: 0, fence: 0, unsafe: null }
  }
  const stored = JSON.parse(json) as StoredReservations
  const { current, ended } = stored
  return {
    version: stored.v,
    fence: stored.fence,
    unsafe: stored.safe ?? null,
    state: {
      current: current ? currentFrom(instrument, current) : null,
      waiting: listOf(stored.waiting).map(({ kind, name, since, forMs, note }) => ({
        holder: { kind, name },
        since: isoTime(since),
        forMs,
        ...(note === undefined ? {} : { note }),
      })),
      bookings: listOf(stored.bookings).map(bookingFrom),
      ...(ended === undefined ? {} : { ended: endedFrom(ended) }),
    },
  }
}

/** The lists of an empty table: Lua has one kind of table only. */
function listOf<T>(list: readonly T[] | Record<string, never>): readonly T[] {
  return Array.isArray(list) ? list : []
}

function currentFrom(
  instrument: string,
  current: NonNullable<StoredReservations['current']>,
): NonNullable<ReservationState['current']> {
  const { kind, name, fence, since, until, quietUntil, idleSince, shared, onExpiry, note } = current
  return {
    instrument,
    holder: { kind, name },
    fence,
    since: isoTime(since),
    until: isoTime(until),
    ...(quietUntil === undefined ? {} : { quietUntil: isoTime(quietUntil) }),
    ...(idleSince === undefined ? {} : { idleSince: isoTime(idleSince) }),
    sharedWith: listOf(shared),
    onExpiry,
    ...(note === undefined ? {} : { note }),
  }
}

export function bookingFrom({
  id,
  kind,
  name,
  from,
  until,
  note,
}: StoredBooking): ReservationState['bookings'][number] {
  return {
    id,
    holder: { kind, name },
    from: isoTime(from),
    until: isoTime(until),
    ...(note === undefined ? {} : { note }),
  }
}

function endedFrom({ kind, name, at, ...rest }: NonNullable<StoredReservations['ended']>): EndedReservation {
  return { holder: { kind, name }, at: isoTime(at), ...rest }
}
