/** A value as a message shows it: with its type, and never longer than a line. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (typeof value === 'string') return `the text "${clip(value)}"`
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : 'a table'
}

/** At most 60 characters of a text that somebody else wrote, without line breaks. */
export function clip(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what has to go
  const flat = text.replace(/[\u0000-\u001f\u007f]/g, ' ')
  return flat.length > 60 ? `${flat.slice(0, 60)}…` : flat
}
