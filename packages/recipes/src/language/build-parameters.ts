import { clip, parseDuration, type Path } from '@golem/config'
import { checkValue, messageOf, type RecipeParameterDescription } from '@golem/core'
import { valueDescriptionOf } from '../engine/index.ts'
import type { RawParameter } from './raw.ts'
import type { Report } from './report.ts'

/** The parameters of a recipe; limits and default of a duration are times in the file, and ms here. */
export function buildParameters(
  raw: Readonly<Record<string, RawParameter | undefined>>,
  path: Path,
  report: Report,
): Record<string, RecipeParameterDescription> {
  return Object.fromEntries(
    Object.entries(raw).flatMap(([name, parameter]) =>
      parameter === undefined ? [] : [[name, buildParameter(name, parameter, [...path, name], report)]],
    ),
  )
}

function buildParameter(
  name: string,
  raw: RawParameter,
  path: Path,
  report: Report,
): RecipeParameterDescription {
  const type = raw.type ?? 'text'
  const numeric = type === 'number' || type === 'integer' || type === 'duration'
  const limits: { min?: number; max?: number } = {}
  for (const key of ['min', 'max'] as const) {
    const given = raw[key]
    if (given === undefined || raw.type === undefined) continue
    if (!numeric) {
      report([...path, key], `A ${type} has no "${key}". Remove it.`, 'key')
      continue
    }
    const limit = type === 'duration' ? msOf(given) : given
    if (typeof limit === 'number') limits[key] = limit
    else report([...path, key], `"${key}" of a ${type} is ${type === 'duration' ? 'a time' : 'a number'}.`)
  }
  const { min, max } = limits
  if (min !== undefined && max !== undefined && min > max) {
    report([...path, 'min'], `min is above max. Exchange or correct them.`)
  }
  if (type === 'choice' && raw.choices === undefined)
    report(path, 'A choice needs "choices". Add them.', 'key')
  if (type !== 'choice' && raw.choices !== undefined && raw.type !== undefined) {
    report([...path, 'choices'], `A ${type} has no "choices". Remove them, or make it a choice.`, 'key')
  }
  const description: RecipeParameterDescription = {
    type,
    label: raw.label ?? name,
    ...(raw.note === undefined ? {} : { note: raw.note }),
    ...(raw.unit === undefined ? {} : { unit: raw.unit }),
    ...limits,
    ...(raw.choices === undefined ? {} : { choices: raw.choices }),
  }
  if (raw.default === undefined || raw.type === undefined) return description
  const value = type === 'duration' ? msOf(raw.default) : raw.default
  if (value === null) {
    report(
      [...path, 'default'],
      `"${clip(String(raw.default))}" is no time. Write a number and ms, s, min or h.`,
    )
    return description
  }
  try {
    return { ...description, default: checkValue(name, valueDescriptionOf(description), value, '') }
  } catch (error) {
    report([...path, 'default'], messageOf(error))
    return description
  }
}

function msOf(given: number | boolean | string): number | null {
  return typeof given === 'string' ? parseDuration(given) : null
}
