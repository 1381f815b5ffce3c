import {
  type ParameterDescription,
  type Reading,
  type Value,
  valueInWords as inWords,
  type ValueDescription,
} from '@golem/core'
import { CliError } from './exit-codes.ts'

/** A time span in words as short as a table wants them: `0.4 s`, `12 s`, `3 min`, `2 h 5 min`, `4 d 2 h`. */
export function spanInWords(ms: number): string {
  if (ms < 0) return '0 s'
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** The age of a time, or `never`. @param at - ISO 8601; @param nowMs - the site's clock */
export function ageInWords(at: string | null, nowMs: number): string {
  return at === null ? 'never' : `${spanInWords(nowMs - Date.parse(at))} ago`
}

/** A value with its unit, as the page shows it. */
export function valueInWords(value: Value | null, parameter?: Partial<ParameterDescription>): string {
  if (value === null) return '—'
  const number = typeof value === 'number' && parameter?.decimals !== undefined
  const text = number
    ? value.toFixed(parameter.decimals)
    : typeof value === 'boolean'
      ? onOff(value)
      : inWords(value)
  return parameter?.unit ? `${text} ${parameter.unit}` : text
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off'
}

/** A reading with age and, where it is not good, quality and reason. */
export function readingInWords(
  reading: Reading,
  parameter: Partial<ParameterDescription> | undefined,
  nowMs: number,
): string {
  const value = valueInWords(reading.value, parameter)
  const age = ageInWords(reading.at, nowMs)
  if (reading.quality === 'good') return `${value}  (${age})`
  return `${value}  (${reading.quality.toUpperCase()}, ${age}${reading.error ? `: ${reading.error}` : ''})`
}

/**
 * A word of the command line as the value a parameter takes.
 *
 * @param where - what it is for, for the message
 * @throws CliError usage when it cannot be one
 */
export function parseValue(where: string, wanted: ValueDescription, text: string): Value {
  switch (wanted.type) {
    case 'boolean': {
      const word = text.toLowerCase()
      if (['true', 'on', 'yes', '1'].includes(word)) return true
      if (['false', 'off', 'no', '0'].includes(word)) return false
      throw new CliError('usage', `${where} takes on or off, not "${text}".`)
    }
    case 'integer':
    case 'number':
      return parseNumber(where, wanted, text)
    case 'array':
      return text
        .split(/[,;\s]+/)
        .filter((part) => part !== '')
        .map((part) => parseNumber(where, wanted, part))
    case 'choice':
    case 'text':
      return text
  }
}

function parseNumber(where: string, wanted: ValueDescription, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new CliError(
    'usage',
    `${where} takes a number${wanted.unit ? ` in ${wanted.unit}` : ''}, not "${text}".`,
  )
}

/** A text from an instrument or the network with nothing in it that could steer the terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what has to go
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD')
}

/** A table for people. The first row is the head. Text is made harmless for the terminal. */
export async function table(rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import('cli-table3')
  const [head = [], ...body] = rows
  const drawn = new Table({
    head: [...head],
    // Rules between columns only: lines for the eye, but cut and awk still work.
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of body) drawn.push(row.map((cell) => printable(cell)))
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
