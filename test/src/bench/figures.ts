/** One line of the result. */
export interface Figure {
  /** What was measured. */
  what: string
  /** The value with its unit, e.g. `2.1 ms`. */
  value: string
  /** What it is compared with in the same run, e.g. `1.4x a bare BullMQ job`. */
  compared?: string
  /** What golem aims for. */
  aim?: string
}

/** Quantiles of a series. */
export interface Spread {
  p50: number
  p99: number
  max: number
}

/**
 * Quantiles by the nearest rank: each is a value that was measured.
 *
 * @param values - at least one
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** A duration as it is printed. */
export function inMs(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`
}

/** A rate as it is printed. */
export function perSecond(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString('en-US')}/s`
}

/** A ratio as it is printed. */
export function times(value: number, of: number): string {
  return `${(value / of).toFixed(2)}x`
}

/** The figures as a Markdown table. */
export function asTable(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'measured', 'compared', 'aim'],
    ['---', '---', '---', '---'],
    ...figures.map(({ what, value, compared = '', aim = '' }) => [what, value, compared, aim]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) => {
      const fill = row[0] === '---' ? '-' : ' '
      return `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
    })
    .join('\n')
}
