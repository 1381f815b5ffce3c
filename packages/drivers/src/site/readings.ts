import { type Fault, fault, GolemError, type Readings, type Value } from '@golem/core'

/**
 * What a driver says it has read, checked: it may be written in JavaScript. What is no value is a bad reading of that
 * parameter.
 *
 * @throws INTERNAL when it is no table at all
 */
export function checkedReadings(name: string, doing: string, found: unknown): Readings {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new GolemError(
      'INTERNAL',
      `${name}: ${doing} returned ${inWords(found)} instead of readings by name.`,
    )
  }
  return Object.fromEntries(
    Object.entries(found).flatMap(([parameter, value]: [string, unknown]): [string, Value | Fault][] =>
      value === undefined ? [] : [[parameter, checkedReading(name, doing, value)]],
    ),
  )
}

/** One value or fault; anything else becomes a fault that says so. */
export function checkedReading(name: string, doing: string, value: unknown): Value | Fault {
  if (isValue(value)) return value
  if (typeof value === 'object' && value !== null && 'fault' in value && typeof value.fault === 'string') {
    return fault(value.fault)
  }
  return fault(`${name}: ${doing} gave ${inWords(value)}, which is no value.`)
}

/** What an action answered. @throws INTERNAL when it is no value */
export function checkedAnswer(name: string, doing: string, value: unknown): Value | undefined {
  if (value === undefined || value === null) return undefined
  if (isValue(value)) return value
  throw new GolemError(
    'INTERNAL',
    `${name}: ${doing} was run and returned ${inWords(value)}, which is no value.`,
  )
}

function isValue(value: unknown): value is Value {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'boolean' || typeof value === 'string') return true
  return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item))
}

function inWords(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (value === null || value === undefined) return String(value)
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
}
