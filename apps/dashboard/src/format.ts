import type { CommandRecord, InstrumentDescription, Value, ValueDescription } from '@golem/core'
import { type Language, translate } from './i18n.ts'
import { extentOfList } from './sparkline.ts'

const DASH = '—'

/** What is needed to show a value: its kind, and how many decimals. */
export type Shown = Pick<ValueDescription, 'type' | 'unit'> & { decimals?: number }

/** A number as people of this language write it; very large and very small ones with a power of ten. */
export function formatNumber(value: number, decimals: number | undefined, language: Language): string {
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e9 || size < 1e-4) && decimals === undefined) return value.toExponential(3)
  const digits =
    decimals === undefined
      ? { maximumSignificantDigits: 6 }
      : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }
  return new Intl.NumberFormat(language, { useGrouping: false, ...digits }).format(value)
}

/** A value without its unit: `21.40`, `on`, `auto`; a dash when there is none. */
export function formatBare(value: Value | null | undefined, shown: Shown, language: Language): string {
  if (value === null || value === undefined) return DASH
  if (typeof value === 'boolean') return translate(language, value ? 'on' : 'off')
  if (typeof value === 'number') {
    return formatNumber(value, shown.decimals ?? (shown.type === 'integer' ? 0 : undefined), language)
  }
  if (typeof value === 'object') return formatList(value, shown, language)
  return value
}

/** A list of numbers: all of a short one, how many and from where to where of a long one. */
function formatList(values: readonly number[], shown: Shown, language: Language): string {
  const one = (value: number): string => formatNumber(value, shown.decimals, language)
  if (values.length <= 6) return values.map(one).join('; ') || DASH
  const { min, max } = extentOfList(values) ?? { min: 0, max: 0 }
  return translate(language, 'listOfNumbers', { count: values.length, least: one(min), most: one(max) })
}

/** A value with its unit: `21.40 °C`. */
export function formatValue(value: Value | null | undefined, shown: Shown, language: Language): string {
  const bare = formatBare(value, shown, language)
  return hasUnit(value, shown) ? `${bare} ${shown.unit}` : bare
}

/** Numbers have a unit, lists of them, and choices that are numbers in words. */
export function hasUnit(value: Value | null | undefined, { type, unit }: Shown): boolean {
  if (!unit || value === null || value === undefined) return false
  return typeof value === 'number' || typeof value === 'object' || type === 'choice'
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/**
 * A length of time in one or two units: `2 s`, `3 min 5 s`, `2 h 10 min`. Rounded up: a value is never
 * older than it says.
 */
export function formatDuration(ms: number, language: Language): string {
  const unit = (count: number, key: 'unitDay' | 'unitHour' | 'unitMinute' | 'unitSecond'): string =>
    `${count} ${translate(language, key)}`
  const upTo = (step: number): number => Math.ceil(Math.max(0, ms) / step) * step
  const two = (whole: number, big: string, rest: number, small: string): string =>
    whole > 0 && rest > 0 ? `${big} ${small}` : big
  const seconds = upTo(SECOND)
  if (seconds < MINUTE) return unit(seconds / SECOND, 'unitSecond')
  if (seconds < HOUR) {
    const [whole, rest] = [Math.floor(seconds / MINUTE), (seconds % MINUTE) / SECOND]
    return two(whole, unit(whole, 'unitMinute'), rest, unit(rest, 'unitSecond'))
  }
  const minutes = upTo(MINUTE)
  if (minutes < DAY) {
    const [whole, rest] = [Math.floor(minutes / HOUR), (minutes % HOUR) / MINUTE]
    return two(whole, unit(whole, 'unitHour'), rest, unit(rest, 'unitMinute'))
  }
  const hours = upTo(HOUR)
  const [whole, rest] = [Math.floor(hours / DAY), (hours % DAY) / HOUR]
  return two(whole, unit(whole, 'unitDay'), rest, unit(rest, 'unitHour'))
}

/** A poll period: `500 ms`, `2 s`. */
export function formatPeriod(ms: number, language: Language): string {
  return ms < SECOND || ms % SECOND !== 0
    ? `${ms} ${translate(language, 'unitMs')}`
    : formatDuration(ms, language)
}

/**
 * A time of the site in the reader's time zone: the time of day, with the date when it is not today's.
 *
 * @param nowMs - the site's time; null: not known, so the date is always shown
 */
export function formatTime(at: string, nowMs: number | null, language: Language): string {
  const ms = Date.parse(at)
  if (!Number.isFinite(ms)) return at
  const time = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  const date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' })
  const day = date.format(ms)
  return nowMs !== null && day === date.format(nowMs) ? time.format(ms) : `${day} ${time.format(ms)}`
}

/** What may be written: `0 to 100 %`; empty when there is no limit. */
export function formatRange(allowed: ValueDescription, language: Language): string {
  const { min, max } = allowed
  const shown = (value: number): string => formatNumber(value, undefined, language)
  const withUnit = (value: number): string =>
    allowed.unit ? `${shown(value)} ${allowed.unit}` : shown(value)
  if (min !== undefined && max !== undefined) {
    return translate(language, 'rangeBetween', { min: shown(min), max: withUnit(max) })
  }
  if (min !== undefined) return translate(language, 'rangeFrom', { min: withUnit(min) })
  return max === undefined ? '' : translate(language, 'rangeTo', { max: withUnit(max) })
}

type Target = Pick<CommandRecord, 'parameter' | 'value' | 'action' | 'arguments' | 'exchange'>

/** A command in words, with this site's labels: `Fan left = on`, `Reset (delay: 5)`. */
export function formatTarget(
  target: Target,
  instrument: InstrumentDescription | undefined,
  language: Language,
): string {
  if (target.exchange !== undefined) return target.exchange
  if (target.parameter !== undefined) {
    const parameter = own(instrument?.parameters, target.parameter)
    return `${parameter?.label ?? target.parameter} = ${formatValue(target.value, parameter ?? { type: 'text' }, language)}`
  }
  const action = own(instrument?.actions, target.action ?? '')
  const given = Object.entries(target.arguments ?? {}).map(([name, value]) => {
    const argument = own(action?.arguments, name)
    return `${argument?.label ?? name}: ${formatValue(value, argument ?? { type: 'text' }, language)}`
  })
  const label = action?.label ?? target.action ?? ''
  return given.length > 0 ? `${label} (${given.join(', ')})` : label
}

/**
 * Reads what somebody typed into a control.
 *
 * @returns the value, or a sentence that says what is allowed
 */
export function parseInput(
  text: string,
  allowed: ValueDescription,
  language: Language,
): { value: Value } | { wrong: string } {
  switch (allowed.type) {
    case 'boolean':
      return { value: text === 'true' }
    case 'choice':
      return allowed.choices?.includes(text) ? { value: text } : { wrong: translate(language, 'wrongChoice') }
    case 'text': {
      const max = allowed.maxLength ?? 256
      return text.length > max ? { wrong: translate(language, 'wrongLength', { max }) } : { value: text }
    }
    case 'integer':
    case 'number':
      return parseNumber(text, allowed, language)
    case 'array':
      return parseList(text, allowed, language)
  }
}

/** Numbers parted by semicolons or spaces; a comma may be a decimal one. */
function parseList(
  text: string,
  allowed: ValueDescription,
  language: Language,
): { value: Value } | { wrong: string } {
  const values: number[] = []
  for (const part of text.split(/[;\s]+/).filter((each) => each !== '')) {
    const parsed = parseNumber(part, allowed, language)
    if ('wrong' in parsed) return parsed
    if (typeof parsed.value === 'number') values.push(parsed.value)
  }
  const max = allowed.maxItems ?? 4096
  return values.length > max ? { wrong: translate(language, 'wrongCount', { max }) } : { value: values }
}

function parseNumber(
  text: string,
  allowed: ValueDescription,
  language: Language,
): { value: Value } | { wrong: string } {
  // People of many languages write the decimals after a comma.
  const plain = text.trim().replace(',', '.').replace('−', '-')
  const value = plain === '' ? Number.NaN : Number(plain)
  if (!Number.isFinite(value)) return { wrong: translate(language, 'wrongNumber') }
  if (allowed.type === 'integer' && !Number.isInteger(value)) {
    return { wrong: translate(language, 'wrongInteger') }
  }
  if (value < (allowed.min ?? -Infinity) || value > (allowed.max ?? Infinity)) {
    return { wrong: translate(language, 'wrongRange', { range: formatRange(allowed, language) }) }
  }
  return { value }
}

function own<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table && Object.hasOwn(table, key) ? table[key] : undefined
}
