import type { InstrumentState } from '@golem/core'

/** The most that the sparklines show, in ms. */
export const HISTORY_MS = 5 * 60_000
/** What they show at least: a page that was just opened has room to grow into. */
const SHORTEST_MS = 60_000
/** More points than this add nothing to a line that is about 100 pixels wide. */
const MAX_POINTS = 600

/** A value at a time; null: from here on nothing was measured. */
export interface Point {
  /** ms since 1970, site clock */
  at: number
  value: number | null
}

/** The last minutes of every number and switch, kept in the browser only. */
export class History {
  readonly #series = new Map<string, Point[]>()
  #begunAt: number | null = null

  /**
   * Notes the readings of one instrument.
   *
   * @param nowMs - the site's time, for the moment a reading stopped being good
   */
  add(instrument: string, state: InstrumentState, nowMs: number): void {
    this.#begunAt ??= nowMs
    for (const [name, reading] of Object.entries(state.readings)) {
      const value = asNumber(reading.value)
      if (value === null || reading.at === null) continue
      const points = this.#points(`${instrument}.${name}`)
      const at = Date.parse(reading.at)
      const last = points.at(-1)
      if (Number.isFinite(at) && (last === undefined || at > last.at)) points.push({ at, value })
      if (reading.quality !== 'good' && points.at(-1)?.value !== null) {
        points.push({ at: Math.max(nowMs, at), value: null })
      }
      trim(points, nowMs - HISTORY_MS)
    }
  }

  /**
   * Where the sparklines begin, in ms since 1970: as long ago as this page has been following, so that the line
   * fills its place, but no longer than `HISTORY_MS`. One window for all, so that they can be compared.
   */
  windowStart(nowMs: number): number {
    const followed = Math.max(SHORTEST_MS, nowMs - (this.#begunAt ?? nowMs))
    return nowMs - Math.min(HISTORY_MS, followed)
  }

  /** Oldest first; do not change it. */
  of(instrument: string, name: string): readonly Point[] {
    return this.#series.get(`${instrument}.${name}`) ?? []
  }

  #points(key: string): Point[] {
    let points = this.#series.get(key)
    if (!points) {
      points = []
      this.#series.set(key, points)
    }
    return points
  }
}

function asNumber(value: unknown): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Drops what lies before the window, but for the last point there: the line begins at the window's edge. */
function trim(points: Point[], from: number): void {
  const firstInside = points.findIndex((point) => point.at >= from)
  const before = firstInside === -1 ? points.length - 1 : firstInside - 1
  if (before > 0) points.splice(0, before)
  if (points.length > MAX_POINTS) points.splice(0, points.length - MAX_POINTS)
}
