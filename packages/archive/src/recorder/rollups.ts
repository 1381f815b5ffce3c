import type { RollupPart } from '../batch.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** More than there will ever be hours or minutes: room for both numbers in one key. */
const STRIDE = 2 ** 31

/** Gathers readings by the minute or hour of their time. */
export class Rollups {
  readonly #length: number
  #parts = new Map<number, RollupPart>()

  /** @param length - of a part, in ms */
  constructor(length: number) {
    this.#length = length
  }

  add(series: number, at: number, value: number): void {
    const index = Math.floor(at / this.#length)
    const key = series * STRIDE + index
    const part = this.#parts.get(key)
    if (part) {
      part.lo = Math.min(part.lo, value)
      part.hi = Math.max(part.hi, value)
      part.total += value
      part.n += 1
    } else {
      this.#parts.set(key, { series, t: index * this.#length, lo: value, hi: value, total: value, n: 1 })
    }
  }

  /** What has come since the last time, each part once. */
  take(): RollupPart[] {
    const parts = [...this.#parts.values()]
    this.#parts = new Map()
    return parts
  }
}
