/** Something that tells the time of the site, in ms since 1970. */
export interface Clock {
  now(): number
}

/** A time as golem writes it: ISO 8601 UTC with milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
