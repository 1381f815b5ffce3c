/**
 * Reads a time as loggers write it: Unix time in s, ms, µs or ns, or ISO 8601 with its zone.
 *
 * @returns ms since 1970; undefined when it can't be told, e.g. for lack of a zone
 */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return fromNumber(value)
  if (typeof value !== 'string' || value.length > 60) return undefined
  const text = value.trim()
  if (/^\d{1,20}(\.\d{0,20})?$/.test(text)) return fromNumber(Number(text))
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(Z|[+-]\d\d:?\d\d)$/i.exec(text)
  if (!iso) return undefined
  const [, day = '', clock = '', fraction = '0', zone = ''] = iso
  const colon = zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()
  const time = Date.parse(`${day}T${clock}.${fraction.padEnd(3, '0').slice(0, 3)}${colon}`)
  return Number.isNaN(time) ? undefined : time
}

function fromNumber(number: number): number | undefined {
  if (!Number.isFinite(number)) return undefined
  // Three digits apart, so that whichever is meant is plain for any time between 1973 and 5000.
  if (number < 1e11) return Math.round(number * 1000)
  if (number < 1e14) return Math.round(number)
  return Math.round(number / (number < 1e17 ? 1e3 : 1e6))
}
