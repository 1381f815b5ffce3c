const MINUTE_MS = 60_000

/**
 * Makes ISO 8601 UTC with milliseconds of times, as `toISOString` does, at a fraction of its cost where times follow each
 * other: of most only the seconds are new.
 */
export function isoClock(): (t: number) => string {
  let minute = Number.NaN
  let words = ''
  return (t) => {
    const of = Math.floor(t / MINUTE_MS)
    if (of !== minute) {
      minute = of
      words = new Date(of * MINUTE_MS).toISOString().slice(0, -7)
    }
    const ms = t - of * MINUTE_MS
    const seconds = Math.floor(ms / 1000)
    const rest = ms % 1000
    return `${words}${seconds < 10 ? '0' : ''}${seconds}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}Z`
  }
}
