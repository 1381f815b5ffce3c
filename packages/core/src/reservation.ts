/** Who holds an instrument: a person or program by name, or a run by its id. */
export interface Holder {
  kind: 'person' | 'run'
  /** The name as the ledger has it in `by`, or the run's id. */
  name: string
}

/** What happens to the outputs when a reservation ends without being given back. */
export type ExpiryPolicy = 'hold' | 'safe'

/** One who waits for an instrument, first come first served. */
export interface Waiting {
  holder: Holder
  since: string
  /** For how long it wants the instrument, in ms. */
  forMs: number
  note?: string
}

/** A reservation of a time to come. */
export interface Booking {
  id: string
  holder: Holder
  from: string
  until: string
  note?: string
}

/** The right of one person or run to command an instrument. Times are ISO 8601 UTC, by the site's clock. */
export interface ReservationRecord {
  instrument: string
  holder: Holder
  /** Grows with each new reservation of the instrument; commands carry it, and the worker checks it before it sends. */
  fence: number
  since: string
  until: string
  /** Until then its holder says nothing and wants nobody to take it for abandoned. */
  quietUntil?: string
  /** Its holder, a person, has sent no command since then and has declared no quiet period. */
  idleSince?: string
  /** Others who may command it too, by name; `gateway ADDRESS`: foreign programs from there. */
  sharedWith: readonly string[]
  onExpiry: ExpiryPolicy
  note?: string
}

/** How the reservation before ended. */
export interface EndedReservation {
  holder: Holder
  fence: number
  at: string
  /** given back; its time was over; an admin took it away; it was given to somebody else. */
  how: 'released' | 'expired' | 'forced' | 'handed over'
  /** Who ended it. */
  by?: string
  /** Why it was taken away. */
  reason?: string
}

/** Everything about the reservations of one instrument. */
export interface ReservationState {
  current: ReservationRecord | null
  waiting: readonly Waiting[]
  /** In the order of their beginnings. */
  bookings: readonly Booking[]
  /** The one before. */
  ended?: EndedReservation
}

export const NO_RESERVATION: ReservationState = { current: null, waiting: [], bookings: [] }

/** For how long an instrument is reserved when nobody says otherwise, in ms. */
export const DEFAULT_RESERVATION_MS = 3_600_000
/** The longest reservation, and how far ahead one may be booked, in ms. */
export const MAX_RESERVATION_MS = 366 * 24 * 3_600_000
/** A person who has sent no command for so long, and declared no quiet period, is shown as idle; in ms. */
export const RESERVATION_IDLE_MS = 3_600_000

/** A holder as the ledger has it in `by`. */
export function holderName({ kind, name }: Holder): string {
  return kind === 'run' ? `run ${name}` : name
}

/**
 * May somebody command an instrument that is reserved?
 *
 * @param by - as the ledger has it; a foreign program at the gateway has its address and port for a name
 */
export function isEntitled({ holder, sharedWith }: ReservationRecord, by: string): boolean {
  if (by === holderName(holder) || sharedWith.includes(by)) return true
  const host = /^(gateway .+):\d+$/.exec(by)?.[1]
  return host !== undefined && sharedWith.includes(host)
}

/** Why an instrument can't be commanded: who holds it, until when, and how to ask, as sentences. */
export function reservedInWords({ instrument, holder, until, note, quietUntil }: ReservationRecord): string {
  const name = holderName(holder)
  const why = note === undefined ? '' : ` (${note})`
  const quiet =
    quietUntil === undefined ? '' : ` No answer is to be expected before ${timeInWords(quietUntil)}.`
  return (
    `${instrument} is reserved by ${name} until ${timeInWords(until)}${why}.${quiet} ` +
    `Wait in line for it, ask ${holder.kind === 'run' ? 'whoever started that run' : name}, or have an admin release it.`
  )
}

/** @param time - ISO 8601 UTC @returns e.g. `2026-05-01 08:30:00 UTC` */
export function timeInWords(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`
}
