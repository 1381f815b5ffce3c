import { GolemError } from '@golem/core'
import { shown } from './http-reply.ts'

/** The lines an SBA-5 sends, as values. Pure functions; source: see sba5.ts. */
export type Sba5Line =
  | ({ kind: 'measurement' } & Measurement)
  | { kind: 'warming'; celsius: number }
  | { kind: 'zeroing'; step: number; steps: number }

export interface Measurement {
  ppm: number
  /** Mean temperature of the infrared analyser, °C. */
  temperature?: number
  humidityMbar?: number
  humiditySensorCelsius?: number
  pressureMbar?: number
  detectorCelsius?: number
  sourceCelsius?: number
  status?: Status
}

export interface Status {
  text: string
  /** true: the instrument itself says that its measurement is not to be trusted. */
  fault: boolean
}

/** Columns of a measurement line in their order, each with the bit of the field mask that switches it on. */
const COLUMNS = [
  { bit: 128, field: undefined },
  { bit: 128, field: undefined },
  { bit: 0, field: 'ppm' },
  { bit: 64, field: 'temperature' },
  { bit: 32, field: 'humidityMbar' },
  { bit: 32, field: 'humiditySensorCelsius' },
  { bit: 16, field: 'pressureMbar' },
  { bit: 8, field: 'detectorCelsius' },
  { bit: 8, field: 'sourceCelsius' },
] as const
const STATUS_BIT = 4

const STATUSES: readonly Status[] = [
  { text: 'no fault', fault: false },
  { text: 'zero counts below 25000', fault: true },
  { text: 'temperature more than 5 °C below its set point', fault: true },
  { text: 'temperature more than 5 °C above its set point', fault: true },
  { text: 'CO2 below the alarm limit', fault: false },
  { text: 'humidity above 90 mbar', fault: true },
  { text: 'board supply below 4 V', fault: true },
]

const NUMBER = /^[+-]?\d+(\.\d+)?$/

/** Is this a line that only an SBA-5 sends? Echoes of commands are none. */
export function isSba5Line(line: string): boolean {
  return /^(M\s+[+-]?\d|W,|Z,)/.test(line.trim())
}

/**
 * Reads a line for which `isSba5Line` holds.
 *
 * @param mask - the field mask in force; positions are computed from it
 * @throws REPLY_MALFORMED
 */
export function parseSba5Line(line: string, mask: number): Sba5Line {
  // With checksums on (S,16,1) a comma, three digits and C follow; their polynomial is not published.
  const text = line.trim().replace(/,\d{3}C$/, '')
  const warming = /^W,\s*([+-]?\d+(?:\.\d+)?)$/.exec(text)
  if (warming) return { kind: 'warming', celsius: Number(warming[1]) }
  const zeroing = /^Z,\s*(\d+)\s+of\s+(\d+)$/.exec(text)
  if (zeroing && Number(zeroing[2]) > 0) {
    return { kind: 'zeroing', step: Number(zeroing[1]), steps: Number(zeroing[2]) }
  }
  if (/^M\s/.test(text)) return { kind: 'measurement', ...parseMeasurement(text, mask) }
  throw malformed(line, 'it is no measurement, warm-up or zero line')
}

function parseMeasurement(text: string, mask: number): Measurement {
  const columns = COLUMNS.filter(({ bit }) => bit === 0 || (mask & bit) !== 0)
  const tokens = text.split(/\s+/).slice(1)
  const measurement: Record<string, number> = {}
  for (const [index, { field }] of columns.entries()) {
    const token = tokens[index] ?? ''
    if (!NUMBER.test(token)) {
      throw malformed(text, `place ${index + 1} is "${token}", not a number (field mask ${mask})`)
    }
    if (field !== undefined) measurement[field] = Number(token)
  }
  const rest = tokens.slice(columns.length)
  // With J1 an extra value in millivolts stands before the status.
  if (rest.length === 2 && NUMBER.test(rest[0] ?? '') && /^\d{1,2}$/.test(rest[1] ?? '')) rest.shift()
  const status = parseStatus(text, rest, (mask & STATUS_BIT) !== 0)
  return { ppm: measurement['ppm'] ?? NaN, ...measurement, ...(status ? { status } : {}) }
}

/** One or two digits after a question; a message in words in continuous mode. */
function parseStatus(line: string, rest: readonly string[], expected: boolean): Status | undefined {
  if (rest.length === 0 && !expected) return undefined
  const text = rest.join(' ')
  if (/^\d{1,2}$/.test(text)) {
    return STATUSES[Number(text)] ?? { text: `unknown status ${Number(text)}`, fault: true }
  }
  if (!/^[A-Za-z]/.test(text)) throw malformed(line, `"${text}" is no status`)
  // The words are not documented: what is not known to be harmless counts as a fault.
  const good = /^(ok|none|no (fault|error)s?|normal|CO2\b.*\b(low|below)\b.*)$/i.test(text)
  return { text, fault: !good }
}

function malformed(line: string, why: string): GolemError {
  return new GolemError('REPLY_MALFORMED', `The analyser sent ${shown(line)}: ${why}.`)
}
