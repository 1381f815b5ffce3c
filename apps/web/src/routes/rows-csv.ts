import type { RunRow } from '@golem/core'

/** Rows as CSV (RFC 4180): a column for each reading and variable that occurs. */
export function asCsv(rows: readonly RunRow[]): string {
  const names = [
    ...new Set(rows.flatMap(({ values, variables }) => [...Object.keys(variables), ...Object.keys(values)])),
  ]
  const lines = rows.map(({ at, table, samples, values, variables }) =>
    [at, table, samples, ...names.map((name) => values[name] ?? variables[name] ?? '')].map(cell).join(','),
  )
  return [['at', 'table', 'samples', ...names].map(cell).join(','), ...lines, ''].join('\r\n')
}

function cell(value: unknown): string {
  const text = Array.isArray(value) ? value.join(' ') : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
