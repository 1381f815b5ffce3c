import type { ArgumentDescription, InstrumentDescription, Value, ValueDescription } from './description.ts'
import { type Effect, type ErrorCode, GolemError, type OutcomeKind } from './errors.ts'

/** How long a command is valid when nobody says otherwise, in ms. */
export const DEFAULT_VALID_FOR_MS = 30_000
/** The longest a command may be valid, in ms. */
export const MAX_VALID_FOR_MS = 3_600_000
/** How many commands may wait for one instrument. */
export const MAX_WAITING = 32
/** The longest text that is accepted where no description says otherwise, in characters. */
const MAX_TEXT = 256
/** The longest list of numbers that is accepted, shown as a reading or kept in the ledger where nothing else is said. */
export const MAX_ITEMS = 4096
/** Of a longer list of numbers messages show only the beginning. */
const SHOWN_ITEMS = 4

/** What a command is to do: write one parameter or run one action. */
export type CommandTarget =
  { parameter: string; value: Value } | { action: string; arguments: Readonly<Record<string, Value>> }

/** The ledger record of a command, as the HTTP API shows it. Times are ISO 8601 UTC. */
export interface CommandRecord {
  id: string
  instrument: string
  parameter?: string
  value?: Value
  action?: string
  arguments?: Readonly<Record<string, Value>>
  /** Instead of parameter or action: what a foreign program sent through the gateway, printable and clipped. */
  exchange?: string
  /** Who asked. */
  by: string
  /** Number of the reservation it was given under, where it named one. */
  reservation?: number
  submittedAt: string
  /** Given again after Redis had lost it: when it was first given, at the earliest. */
  givenAt?: string
  validUntil: string
  state: 'queued' | 'running' | 'ended'
  outcome?: OutcomeKind
  effect?: Effect
  code?: ErrorCode
  message?: string
  /** What the instrument answered, or what was read back. */
  result?: Value
  /** It answered with so many numbers, too many for the ledger: they are kept apart for an hour. */
  resultItems?: number
  /** The worker that carried it out. */
  worker?: string
  startedAt?: string
  endedAt?: string
  /** What reading back showed after an unknown outcome. */
  settled?: Settlement
}

/** What was found out about a command of unknown outcome by reading the instrument back. */
export interface Settlement {
  at: string
  /** done: the instrument is as the command asked; none: it is not; unknown: it could not be told. */
  effect: Effect
  /** What was read. */
  value?: Value
  message: string
}

/** How a command ended, as the worker reports it. */
export interface Outcome {
  outcome: OutcomeKind
  effect: Effect
  code?: ErrorCode
  message?: string
  result?: Value
  /** The result is this many numbers, kept apart. */
  resultItems?: number
}

/** The target of a ledger record. */
export function targetOf(
  record: Pick<CommandRecord, 'parameter' | 'value' | 'action' | 'arguments'>,
): CommandTarget {
  if (record.parameter !== undefined && record.value !== undefined) {
    return { parameter: record.parameter, value: record.value }
  }
  return { action: record.action ?? '', arguments: record.arguments ?? {} }
}

/** What a ledger record is about, in words. */
export function describeCommand(
  record: Pick<CommandRecord, 'parameter' | 'value' | 'action' | 'arguments' | 'exchange'>,
): string {
  return record.exchange ?? describeTarget(targetOf(record))
}

/** A target in words, for messages: `relay0 = true` or `reset()`. */
export function describeTarget(target: CommandTarget): string {
  if ('parameter' in target) return `${target.parameter} = ${valueInWords(target.value)}`
  const given = Object.entries(target.arguments).map(([name, value]) => `${name}: ${valueInWords(value)}`)
  return `${target.action}(${given.join(', ')})`
}

/** A value as messages show it; of a long list of numbers only the beginning. */
export function valueInWords(value: Value): string {
  if (typeof value !== 'object') return String(value)
  const shown = value.slice(0, SHOWN_ITEMS).join(', ')
  return value.length > SHOWN_ITEMS ? `[${shown}, … ${value.length} numbers]` : `[${shown}]`
}

/**
 * Checks a request against an instrument's description.
 *
 * @param description - of the instrument concerned, with this site's limits
 * @param request - `{ parameter, value }` or `{ action, arguments? }`; other keys are ignored
 * @returns the target, arguments completed with their defaults
 * @throws INVALID_REQUEST, UNKNOWN_NAME, NOT_WRITABLE, WRONG_TYPE, OUT_OF_RANGE, each naming the field
 */
export function validateTarget(
  description: InstrumentDescription,
  request: { parameter?: unknown; value?: unknown; action?: unknown; arguments?: unknown },
): CommandTarget {
  const both = request.parameter !== undefined && request.action !== undefined
  const neither = request.parameter === undefined && request.action === undefined
  if (both || neither) {
    throw new GolemError(
      'INVALID_REQUEST',
      'Give either "parameter" and "value", or "action" and "arguments".',
      { field: both ? '/action' : '/parameter' },
    )
  }
  return request.parameter !== undefined
    ? validateWrite(description, request.parameter, request.value)
    : validateAction(description, request.action, request.arguments)
}

function validateWrite(description: InstrumentDescription, name: unknown, value: unknown): CommandTarget {
  if (typeof name !== 'string') {
    throw new GolemError('INVALID_REQUEST', '"parameter" has to be a text.', { field: '/parameter' })
  }
  const parameter = own(description.parameters, name)
  if (!parameter) {
    throw new GolemError(
      'UNKNOWN_NAME',
      `${description.id} has no parameter "${clip(name)}". It has: ${Object.keys(description.parameters).join(', ')}.`,
      { field: '/parameter' },
    )
  }
  if (!parameter.writable) {
    throw new GolemError('NOT_WRITABLE', `${description.id}.${name} can only be read.`, {
      field: '/parameter',
    })
  }
  return { parameter: name, value: checkValue(`${description.id}.${name}`, parameter, value, '/value') }
}

function validateAction(description: InstrumentDescription, name: unknown, given: unknown): CommandTarget {
  if (typeof name !== 'string') {
    throw new GolemError('INVALID_REQUEST', '"action" has to be a text.', { field: '/action' })
  }
  const action = own(description.actions, name)
  if (!action) {
    const known = Object.keys(description.actions).join(', ') || 'none'
    throw new GolemError(
      'UNKNOWN_NAME',
      `${description.id} has no action "${clip(name)}". It has: ${known}.`,
      { field: '/action' },
    )
  }
  const values = given ?? {}
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new GolemError('INVALID_REQUEST', '"arguments" has to be an object.', { field: '/arguments' })
  }
  for (const key of Object.keys(values)) {
    if (!own(action.arguments, key)) {
      const known = Object.keys(action.arguments).join(', ') || 'none'
      throw new GolemError(
        'UNKNOWN_NAME',
        `${description.id}.${name} has no argument "${clip(key)}". It has: ${known}.`,
        { field: `/arguments/${clip(key)}` },
      )
    }
  }
  const checked: Record<string, Value> = {}
  for (const [key, argument] of Object.entries(action.arguments)) {
    checked[key] = argumentValue(
      `${description.id}.${name}`,
      key,
      argument,
      (values as Record<string, unknown>)[key],
    )
  }
  return { action: name, arguments: checked }
}

function argumentValue(where: string, key: string, argument: ArgumentDescription, value: unknown): Value {
  if (value === undefined) {
    if (argument.default !== undefined) return argument.default
    throw new GolemError('INVALID_REQUEST', `${where} needs the argument "${key}".`, {
      field: `/arguments/${key}`,
    })
  }
  return checkValue(`${where}.${key}`, argument, value, `/arguments/${key}`)
}

/**
 * Checks one value against what is allowed there.
 *
 * @param where - what the value is for, for the message
 * @param allowed - type, limits, choices
 * @param field - JSON pointer for the problem document
 * @throws WRONG_TYPE, OUT_OF_RANGE
 */
export function checkValue(where: string, allowed: ValueDescription, value: unknown, field: string): Value {
  const wrong = (wanted: string): GolemError =>
    new GolemError('WRONG_TYPE', `${where} takes ${wanted}, not ${inWords(value)}.`, { field })
  switch (allowed.type) {
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('true or false')
      return value
    case 'choice':
      if (typeof value !== 'string') throw wrong(`one of ${(allowed.choices ?? []).join(', ')}`)
      if (!(allowed.choices ?? []).includes(value)) {
        throw new GolemError(
          'OUT_OF_RANGE',
          `${where} takes one of ${(allowed.choices ?? []).join(', ')}, not "${clip(value)}".`,
          { field },
        )
      }
      return value
    case 'text':
      if (typeof value !== 'string') throw wrong('a text')
      if (value.length > (allowed.maxLength ?? MAX_TEXT)) {
        throw new GolemError(
          'OUT_OF_RANGE',
          `${where} takes at most ${allowed.maxLength ?? MAX_TEXT} characters, not ${value.length}.`,
          { field },
        )
      }
      return value
    case 'integer':
    case 'number':
      return checkNumber(where, allowed, value, field)
    case 'array': {
      if (!Array.isArray(value)) throw wrong('a list of numbers')
      const most = allowed.maxItems ?? MAX_ITEMS
      if (value.length > most) {
        throw new GolemError('OUT_OF_RANGE', `${where} takes at most ${most} numbers, not ${value.length}.`, {
          field,
        })
      }
      return value.map((item: unknown, index) =>
        checkNumber(`${where}[${index}]`, allowed, item, `${field}/${index}`),
      )
    }
  }
}

function checkNumber(where: string, allowed: ValueDescription, value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new GolemError('WRONG_TYPE', `${where} takes a number${inUnit(allowed)}, not ${inWords(value)}.`, {
      field,
    })
  }
  if (allowed.type === 'integer' && !Number.isInteger(value)) {
    throw new GolemError('WRONG_TYPE', `${where} takes a whole number, not ${inWords(value)}.`, { field })
  }
  const { min, max } = allowed
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    throw new GolemError('OUT_OF_RANGE', `${where} takes ${rangeInWords(allowed)}, not ${value}.`, { field })
  }
  return value
}

function rangeInWords({ min, max, unit }: ValueDescription): string {
  const suffix = unit ? ` ${unit}` : ''
  if (min !== undefined && max !== undefined) return `${min} to ${max}${suffix}`
  return min !== undefined ? `at least ${min}${suffix}` : `at most ${String(max)}${suffix}`
}

function inUnit({ unit }: ValueDescription): string {
  return unit ? ` in ${unit}` : ''
}

function inWords(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return `the text "${clip(value)}"`
  return clip(JSON.stringify(value) ?? typeof value)
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** A property of the object itself: a request for `constructor` or `__proto__` finds nothing. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
