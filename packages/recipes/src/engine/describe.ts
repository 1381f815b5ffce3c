import { formatDuration } from '@golem/config'
import { describeTarget, type Value, valueInWords } from '@golem/core'
import type { Given, RecipeCondition, Step } from '../recipe.ts'
import { keyOf } from './context.ts'

type Values = Readonly<Record<string, Value>>

/** A value as a sentence shows it; `$name` where it is not known. */
export function givenInWords(given: Given<Value>, values: Values): string {
  if (typeof given !== 'object' || !('variable' in given)) return valueInWords(given)
  const value = Object.hasOwn(values, given.variable) ? values[given.variable] : undefined
  return value === undefined ? `$${given.variable}` : valueInWords(value)
}

function duration(given: Given<number>, values: Values): string {
  const text = givenInWords(given, values)
  return text.startsWith('$') ? text : formatDuration(Math.round(Number(text)))
}

/** A condition in words, e.g. `co2.co2 below 450 for 10 s`. */
export function conditionInWords(condition: RecipeCondition, values: Values): string {
  if ('all' in condition) return condition.all.map((part) => conditionInWords(part, values)).join(' and ')
  if ('any' in condition) return condition.any.map((part) => conditionInWords(part, values)).join(' or ')
  const { reading, above, below, between, equals, notEquals, forMs } = condition.compare
  const words = [keyOf(reading)]
  if (above !== undefined) words.push(`above ${givenInWords(above, values)}`)
  if (below !== undefined) words.push(`below ${givenInWords(below, values)}`)
  if (between) {
    words.push(`between ${givenInWords(between[0], values)} and ${givenInWords(between[1], values)}`)
  }
  if (equals !== undefined) words.push(`equal to ${givenInWords(equals, values)}`)
  if (notEquals !== undefined) words.push(`other than ${givenInWords(notEquals, values)}`)
  if (forMs !== undefined) words.push(`for ${duration(forMs, values)}`)
  return words.join(' ')
}

/** What a step does, e.g. `wait 4 min`. */
export function stepInWords(step: Step, values: Values): string {
  switch (step.verb) {
    case 'set':
      return `set ${step.writes.map(({ target, value }) => `${keyOf(target)} = ${givenInWords(value, values)}`).join(', ')}`
    case 'do': {
      const given = Object.fromEntries(
        Object.entries(step.arguments).map(([name, value]) => [name, givenInWords(value, values)]),
      )
      return `do ${step.action.instrument}.${describeTarget({ action: step.action.name, arguments: given })}`
    }
    case 'wait':
      return 'ms' in step.for
        ? `wait ${duration(step.for.ms, values)}`
        : `wait for the next mark of every ${duration(step.for.alignedMs, values)}`
    case 'until':
      return `wait until ${conditionInWords(step.condition, values)}`
    case 'repeat':
      return 'repeat'
    case 'forEach':
      return `for each ${step.variable}`
    case 'ramp':
      return `ramp ${keyOf(step.target)} to ${givenInWords(step.to, values)}`
    case 'measure':
      return `measure ${step.readings.map(keyOf).join(', ')}`
    case 'parallel':
      return 'in parallel'
    case 'if':
      return `see whether ${conditionInWords(step.condition, values)}`
    case 'control':
      return `keep ${keyOf(step.reading)} by ${keyOf(step.output)}`
    case 'note':
      return 'note'
    case 'call':
      return `call ${step.recipe}`
  }
}
