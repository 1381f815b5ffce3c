import type { RecipeParameterDescription, Value, ValueDescription } from '@golem/core'
import { durationToText, exactDuration, parseDurationText } from './durations.ts'
import { formatRange, formatValue, parseInput } from './format.ts'
import { type Language, translate } from './i18n.ts'

/** Parameters of a recipe by name. */
export type Parameters = Readonly<Record<string, RecipeParameterDescription>>

/** The description of a parameter that is no duration. */
export function plain(parameter: RecipeParameterDescription): ValueDescription {
  const { type, ...rest } = parameter
  return { ...rest, type: type === 'duration' ? 'integer' : type }
}

/** A parameter of a run with its unit: `4 min`, `25 °C`. */
export function formatGiven(
  value: Value | undefined,
  parameter: RecipeParameterDescription | undefined,
  language: Language,
): string {
  if (parameter?.type === 'duration' && typeof value === 'number') return exactDuration(value, language)
  return formatValue(value, parameter ? plain(parameter) : { type: 'text' }, language)
}

/** What a field of a parameter begins with. */
export function givenToText(value: Value | undefined, { type }: RecipeParameterDescription): string {
  if (type === 'duration') return typeof value === 'number' ? durationToText(value) : ' s'
  if (type === 'array' && typeof value === 'object') return value.join('; ')
  return value === undefined ? '' : String(value)
}

/** What may be written: `1 s to 1 h`; empty when there is no limit. */
export function givenRange(parameter: RecipeParameterDescription, language: Language): string {
  const { type, min, max } = parameter
  if (type !== 'duration') return formatRange(plain(parameter), language)
  const shown = (ms: number | undefined): string => (ms === undefined ? '' : exactDuration(ms, language))
  if (min !== undefined && max !== undefined) {
    return translate(language, 'rangeBetween', { min: shown(min), max: shown(max) })
  }
  if (min !== undefined) return translate(language, 'rangeFrom', { min: shown(min) })
  return max === undefined ? '' : translate(language, 'rangeTo', { max: shown(max) })
}

/** Reads what somebody wrote for a parameter. @returns the value, or a sentence that says what is allowed */
export function parseGiven(
  text: string,
  parameter: RecipeParameterDescription,
  language: Language,
): { value: Value } | { wrong: string } {
  if (parameter.type !== 'duration') return parseInput(text, plain(parameter), language)
  const value = parseDurationText(text)
  if (value === null) return { wrong: translate(language, 'wrongNumber') }
  if (value < (parameter.min ?? 0) || value > (parameter.max ?? Infinity)) {
    return {
      wrong: translate(language, 'wrongRange', { range: givenRange({ min: 0, ...parameter }, language) }),
    }
  }
  return { value }
}

/**
 * Reads all fields of a form.
 *
 * @returns the values when all can be read, and a sentence for each that can't
 */
export function parseAll(
  texts: Readonly<Record<string, string>>,
  parameters: Parameters,
  language: Language,
): { values: Record<string, Value>; wrongs: Record<string, string> } {
  const values: Record<string, Value> = {}
  const wrongs: Record<string, string> = {}
  for (const [name, parameter] of Object.entries(parameters)) {
    const read = parseGiven(texts[name] ?? '', parameter, language)
    if ('wrong' in read) wrongs[name] = read.wrong
    else values[name] = read.value
  }
  return { values, wrongs }
}
