import { parseDuration } from '@golem/config'
import type { RecipeDescription, RecipeParameterDescription } from '@golem/core'
import { CliError } from '../exit-codes.ts'
import { parseValue } from '../format.ts'

/**
 * Values for parameters of a recipe, from `name=value` each.
 *
 * @returns durations as text with their unit
 * @throws CliError usage, naming what there is
 */
export function givenValues(
  { id, parameters }: Pick<RecipeDescription, 'id' | 'parameters'>,
  words: readonly string[],
): Record<string, unknown> {
  const known = Object.keys(parameters).join(', ') || 'none'
  return Object.fromEntries(
    words.map((word) => {
      const [name, text] = pair(word, `name=value. ${id} takes: ${known}`)
      const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
      if (!parameter) throw new CliError('usage', `${id} has no parameter "${name}". It takes: ${known}.`)
      return [name, valueOf(name, parameter, text)]
    }),
  )
}

/**
 * Instruments for roles, from `role=instrument` each.
 *
 * @throws CliError usage; also when a role is left open whose usual instrument the site does not have
 */
export function givenRoles(
  { id, roles }: Pick<RecipeDescription, 'id' | 'roles'>,
  words: readonly string[] = [],
): Record<string, string> {
  const known = Object.keys(roles).join(', ') || 'none'
  const given = Object.fromEntries(
    words.map((word) => {
      const [role, instrument] = pair(word, `role=instrument. ${id} has the roles: ${known}`)
      if (!Object.hasOwn(roles, role)) {
        throw new CliError('usage', `${id} has no role "${role}". Its roles: ${known}.`)
      }
      return [role, instrument]
    }),
  )
  for (const [role, { label, default: usual }] of Object.entries(roles)) {
    if (usual !== null || Object.hasOwn(given, role)) continue
    throw new CliError(
      'usage',
      `Which instrument is the ${role} (${label})? This site does not have the one that ${id} names: add --role ${role}=INSTRUMENT.`,
    )
  }
  return given
}

function pair(word: string, form: string): [string, string] {
  const [, name, text] = /^([^=]+)=(.*)$/s.exec(word) ?? []
  if (name !== undefined && text !== undefined) return [name, text]
  throw new CliError('usage', `"${word}" can not be read: write ${form}.`)
}

function valueOf(name: string, parameter: RecipeParameterDescription, text: string): unknown {
  const { type, ...rest } = parameter
  if (type !== 'duration') return parseValue(name, { ...rest, type }, text)
  if (parseDuration(text) === null) {
    throw new CliError('usage', `${name} takes a time with its unit, e.g. 30s or "5 min", not "${text}".`)
  }
  return text
}
