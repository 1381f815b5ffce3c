const HOUR = 3_600_000

/**
 * The next mark of a clock that counts from the top of each hour, UTC; exactly on a mark it is the following one.
 * Periods that do not divide the hour begin anew with each hour; longer ones count from the hour one is in.
 *
 * @param utcMs - ms since 1970
 * @param everyMs - period
 * @param offsetMs - by how much the marks are later
 */
export function nextMark(utcMs: number, everyMs: number, offsetMs = 0): number {
  const hour = Math.floor((utcMs - offsetMs) / HOUR) * HOUR
  return hour + offsetMs + (Math.floor((utcMs - offsetMs - hour) / everyMs) + 1) * everyMs
}
