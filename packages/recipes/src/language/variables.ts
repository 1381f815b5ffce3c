import type { RecipeParameterDescription, Value } from '@golem/core'
import type { ForEachStep, Given } from '../recipe.ts'

/** What `$name` can stand for at a place in a recipe: a parameter, or the variable of a loop. */
export type Variables = ReadonlyMap<string, VariableType>

/** What is known of its values. */
export interface VariableType {
  type: RecipeParameterDescription['type'] | 'mixed'
  min?: number
  max?: number
  choices?: readonly string[]
  /** Values it certainly has: a default, or those of a loop. */
  values: readonly Value[]
}

export function variablesOf(parameters: Readonly<Record<string, RecipeParameterDescription>>): Variables {
  return new Map(
    Object.entries(parameters).map(([name, { type, min, max, choices, default: value }]) => [
      name,
      {
        type,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(choices === undefined ? {} : { choices }),
        values: value === undefined ? [] : [value],
      },
    ]),
  )
}

/** The variables inside a loop. */
export function withLoop(step: ForEachStep, around: Variables): Variables {
  return new Map([...around, [step.variable, typeOfLoop(step.values, around)]])
}

function typeOfLoop(values: ForEachStep['values'], around: Variables): VariableType {
  if ('from' in values) {
    const ends = [values.from, values.to].filter((end) => typeof end === 'number')
    const both = ends.length === 2
    return {
      type: 'number',
      ...(both ? { min: Math.min(...ends), max: Math.max(...ends) } : {}),
      values: ends,
    }
  }
  const plain = values.filter((value) => isPlain(value))
  const types = new Set(values.map((value) => typeOf(value, around)))
  const [type = 'mixed'] = types.size === 1 ? types : []
  return { type, values: plain }
}

export function isPlain<T extends Value>(given: Given<T>): given is T {
  return typeof given !== 'object' || !('variable' in given)
}

function typeOf(given: Given<Value>, around: Variables): VariableType['type'] {
  if (!isPlain(given)) return around.get(given.variable)?.type ?? 'mixed'
  if (typeof given === 'number') return 'number'
  if (typeof given === 'boolean') return 'boolean'
  return typeof given === 'string' ? 'text' : 'mixed'
}
