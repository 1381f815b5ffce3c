/** What a duration looks like in site.yaml; also the pattern in the schema. */
export const DURATION_PATTERN = '^(\\d+(?:\\.\\d+)?) ?(ms|s|min|h)$'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/**
 * Reads a duration.
 *
 * @param text - a number and its unit, e.g. `500 ms`, `1 s`, `2 min`, `1 h`
 * @returns whole milliseconds, or null when it is none
 */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = new RegExp(DURATION_PATTERN).exec(text) ?? []
  const factor = unit === undefined ? undefined : UNITS[unit]
  return amount === undefined || factor === undefined ? null : Math.round(Number(amount) * factor)
}

/** A duration in its largest whole unit, e.g. `2 min`. */
export function formatDuration(ms: number): string {
  const [unit, factor] = Object.entries(UNITS)
    .reverse()
    .find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1]
  return `${ms / factor} ${unit}`
}
