import { formatDuration, parseDuration } from '@golem/config'
import {
  checkValue,
  GolemError,
  type RecipeParameterDescription,
  type Value,
  type ValueDescription,
  valueInWords,
} from '@golem/core'
import { LONGEST_MS } from '../recipe.ts'

type Parameters = Readonly<Record<string, RecipeParameterDescription>>

/** What a value of a recipe's parameter may be; a duration is a number of milliseconds. */
export function valueDescriptionOf(parameter: RecipeParameterDescription): ValueDescription {
  const { type, ...rest } = parameter
  if (type !== 'duration') return { ...rest, type }
  const { min = 0, max = LONGEST_MS } = parameter
  return { ...rest, type: 'integer', unit: 'ms', min, max: Math.min(max, LONGEST_MS) }
}

/**
 * Checks values that somebody gives for parameters of a recipe. A duration may also be a text with its unit (`5 min`).
 *
 * @throws UNKNOWN_NAME, WRONG_TYPE, OUT_OF_RANGE, each naming the field
 */
export function checkGiven(
  parameters: Parameters,
  given: Readonly<Record<string, unknown>>,
): Record<string, Value> {
  const checked: Record<string, Value> = {}
  for (const [name, value] of Object.entries(given)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    const field = `/parameters/${name}`
    if (!parameter) {
      const known = Object.keys(parameters).join(', ') || 'none'
      throw new GolemError(
        'UNKNOWN_NAME',
        `The recipe has no parameter "${name.slice(0, 60)}". It has: ${known}.`,
        {
          field,
        },
      )
    }
    const ms = parameter.type === 'duration' && typeof value === 'string' ? parseDuration(value) : null
    if (parameter.type === 'duration') checkDuration(name, parameter, ms ?? value, field)
    checked[name] = checkValue(name, valueDescriptionOf(parameter), ms ?? value, field)
  }
  return checked
}

/** Says the limits of a duration as people write them. @throws OUT_OF_RANGE */
function checkDuration(
  name: string,
  { min = 0, max = LONGEST_MS }: RecipeParameterDescription,
  ms: unknown,
  field: string,
): void {
  const most = Math.min(max, LONGEST_MS)
  if (typeof ms !== 'number' || (ms >= min && ms <= most)) return
  const limits = `${inWords(min)} to ${inWords(most)}`
  throw new GolemError('OUT_OF_RANGE', `${name} takes ${limits}, not ${inWords(ms)}.`, { field })
}

const inWords = (ms: number): string => (ms === 0 ? '0 s' : formatDuration(ms))

/**
 * All parameters of a run: what is given, and the defaults.
 *
 * @throws as `checkGiven`; INVALID_REQUEST where one without default is not given
 */
export function checkParameters(
  parameters: Parameters,
  given: Readonly<Record<string, unknown>>,
): Record<string, Value> {
  const checked = checkGiven(parameters, given)
  for (const [name, { default: value, label }] of Object.entries(parameters)) {
    if (Object.hasOwn(checked, name)) continue
    if (value === undefined) {
      throw new GolemError('INVALID_REQUEST', `The recipe needs a value for "${name}" (${label}).`, {
        field: `/parameters/${name}`,
      })
    }
    checked[name] = value
  }
  return checked
}

/** A value as the log shows it. */
export function shown(parameter: RecipeParameterDescription, value: Value | undefined): string {
  if (value === undefined) return 'nothing'
  if (parameter.type === 'duration') return `${Number(value) / 1000} s`
  return `${valueInWords(value)}${parameter.unit === undefined ? '' : ` ${parameter.unit}`}`
}
