import { type Language, type MessageKey, translate } from './i18n.ts'

/** A unit in which somebody writes a length of time. */
export type DurationUnit = 'ms' | 's' | 'min' | 'h' | 'd'

/** The largest first. */
const UNITS: readonly { unit: DurationUnit; ms: number; key: MessageKey }[] = [
  { unit: 'd', ms: 86_400_000, key: 'unitDay' },
  { unit: 'h', ms: 3_600_000, key: 'unitHour' },
  { unit: 'min', ms: 60_000, key: 'unitMinute' },
  { unit: 's', ms: 1000, key: 'unitSecond' },
  { unit: 'ms', ms: 1, key: 'unitMs' },
]

/** The units that can be chosen, the smallest first, with their names. */
export function durationUnits(language: Language): { unit: DurationUnit; name: string }[] {
  return UNITS.map(({ unit, key }) => ({ unit, name: translate(language, key) })).toReversed()
}

/** A length of time to the millisecond, as it was set: `4 min`, `1 h 30 min`, `250 ms`. */
export function exactDuration(ms: number, language: Language): string {
  const words: string[] = []
  let left = Math.round(ms)
  for (const { ms: size, key } of UNITS) {
    const count = Math.trunc(left / size)
    left -= count * size
    if (count !== 0) words.push(`${count} ${translate(language, key)}`)
  }
  return words.length > 0 ? words.join(' ') : `0 ${translate(language, 'unitSecond')}`
}

/** In the largest unit that keeps the number whole, e.g. `90 min`. */
export function durationToText(ms: number): string {
  const { unit, ms: size } = UNITS.find((each) => ms !== 0 && ms % each.ms === 0) ?? { unit: 's', ms: 1000 }
  return `${ms / size} ${unit}`
}

/** The two fields in which a length of time is written. */
export function splitDuration(text: string): { amount: string; unit: DurationUnit } {
  const at = text.lastIndexOf(' ')
  const unit = UNITS.find((each) => each.unit === text.slice(at + 1))?.unit ?? 's'
  return { amount: at === -1 ? '' : text.slice(0, at), unit }
}

/** @returns ms, or null when no number stands before the unit */
export function parseDurationText(text: string): number | null {
  const { amount, unit } = splitDuration(text)
  // People of many languages write the decimals after a comma.
  const plain = amount.trim().replace(',', '.')
  const size = UNITS.find((each) => each.unit === unit)?.ms ?? 1000
  const ms = plain === '' ? Number.NaN : Number(plain) * size
  return Number.isFinite(ms) ? Math.round(ms) : null
}
