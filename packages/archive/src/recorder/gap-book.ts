import type { GapReason } from '@golem/core'
import type { GapRow } from '../batch.ts'

/** Why there may be a silence, before it is known that there is one. */
export interface Cause {
  reason: GapReason
  message: string
}

/** What an instrument or its worker has said itself; of others a silence is the only sign. */
const TOLD: ReadonlySet<GapReason> = new Set(['link', 'bad', 'stopped', 'hidden'])

/**
 * The gaps of one series. Only the newest is looked at: what is older has been filled as far as it will be.
 *
 * A gap is known by its begin. One that turns out to be none is written with an end that is its begin.
 */
export class GapBook {
  readonly #series: number
  readonly #write: (row: GapRow) => void
  #last: GapRow | null

  /** @param last - the newest one that the archive has */
  constructor(series: number, last: GapRow | null, write: (row: GapRow) => void) {
    this.#series = series
    this.#last = last
    this.#write = write
  }

  get isOpen(): boolean {
    return this.#last?.until === null
  }

  /** From now on there are no readings, for this reason. @param from - ms since 1970, as `at` */
  open(from: number, at: number, cause: Cause): void {
    const last = this.#last
    if (last?.until !== null || last === null) return this.#put({ from, until: null, ...cause })
    if (last.reason === cause.reason) return
    // It goes on for another reason.
    if (at <= last.from) return this.#put({ ...last, ...cause })
    this.#put({ ...last, until: at })
    this.#put({ from: at, until: null, ...cause })
  }

  /** There was nothing in this time. */
  add(from: number, until: number, cause: Cause): void {
    this.#put({ from, until, ...cause })
  }

  /**
   * A reading has come.
   *
   * @param usual - a silence of up to this length is none, in ms
   */
  filledAt(at: number, usual: number): void {
    const last = this.#last
    if (last === null || at <= last.from || (last.until !== null && at >= last.until)) return
    const { from, until } = last
    if (until === null) {
      const isOne = TOLD.has(last.reason) || at - from > usual
      return this.#put({ ...last, until: isOne ? at : from })
    }
    this.#put({ ...last, until: at - from > usual ? at : from })
    if (until - at > usual) this.#put({ ...last, from: at, until })
  }

  #put(row: Omit<GapRow, 'series'>): void {
    this.#last = { ...row, series: this.#series }
    this.#write(this.#last)
    if (row.until !== null && row.until <= row.from) this.#last = null
  }
}
