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
  /** Others who may command it too, by name. */
  sharedWith: readonly string[]
  onExpiry: ExpiryPolicy
  note?: string
}

/** Everything about the reservations of one instrument. */
export interface ReservationState {
  current: ReservationRecord | null
  waiting: readonly Waiting[]
  /** In the order of their beginnings. */
  bookings: readonly Booking[]
}
