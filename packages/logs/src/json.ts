import { GolemError, type LogLevel } from '@golem/core'
import { exceptionOf, placeOf } from './form.ts'
import { levelOfName, levelOfNumber } from './level.ts'
import { boundedRecord, type LogRecord, tiesOf } from './record.ts'
import { timeOf } from './time.ts'

/** How many records one request may have. */
export const MAX_RECORDS = 5_000

/** Under which names loggers write what; the first that is there counts, the others stay among the rest. */
const MESSAGE = ['message', 'msg']
const LEVEL = ['levelname', 'level', 'severity', 'levelno']
const TIME = ['created', 'time', 'timestamp', '@timestamp', 'ts', 'asctime']
const LOGGER = ['name', 'logger', 'logger_name']
const EXCEPTION = ['exc_text', 'exc_info', 'exception', 'stack_trace', 'stack']

type Table = Readonly<Record<string, unknown>>

/**
 * Reads log records in JSON: an object, an array of them, or one on each line, with the names of python-json-logger,
 * structlog, pino and their like. On a line or in an array, what is no object with a message is kept as its text.
 *
 * @throws INVALID_REQUEST when it is no JSON, a single object without a message, or more than `MAX_RECORDS`
 */
export function readJson(text: string): LogRecord[] {
  const whole = parsed(text)
  if (whole !== undefined && !Array.isArray(whole.value)) return [single(whole.value)]
  const items = whole ? (whole.value as unknown[]) : linesOf(text)
  if (items.length > MAX_RECORDS) {
    throw new GolemError(
      'INVALID_REQUEST',
      `There are ${items.length} records; send at most ${MAX_RECORDS} in one request.`,
      { field: 'body' },
    )
  }
  return items.map((item) => recordOf(item) ?? asText(item))
}

function single(value: unknown): LogRecord {
  if (typeof value !== 'object' || value === null) {
    throw new GolemError('INVALID_REQUEST', 'The body has to be a JSON object.', { field: 'body' })
  }
  const record = recordOf(value)
  if (record) return record
  throw new GolemError('INVALID_REQUEST', 'There is no "message" in the object.', { field: '/message' })
}

/** The lines of NDJSON; one that is no JSON stands for itself. */
function linesOf(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const found = lines.map((line) => parsed(line))
  if (found.every((value) => value === undefined)) {
    throw new GolemError('INVALID_REQUEST', 'The body is not JSON, nor is any line of it.', { field: 'body' })
  }
  return found.map((value, index) => (value ? value.value : lines[index]?.trim()))
}

/** JSON, also with the NaN and Infinity that Python writes into it. */
function parsed(text: string): { value: unknown } | undefined {
  for (const json of [text, withQuotedNaN(text)]) {
    try {
      return { value: JSON.parse(json) }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}

function withQuotedNaN(text: string): string {
  return text.replaceAll(/"[^"\\]*(?:\\[^][^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  )
}

function recordOf(item: unknown): LogRecord | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
  const table = item as Table
  const used = new Set<string>()
  const take = (names: readonly string[]): unknown => {
    const name = names.find((one) => Object.hasOwn(table, one) && table[one] !== null)
    if (name === undefined) return undefined
    used.add(name)
    return table[name]
  }
  const message = take(MESSAGE)
  if (message === undefined || message === '') return undefined
  const level = levelFrom(table, used)
  const logger = take(LOGGER)
  const time = timeFrom(table, used)
  const exception = exceptionFrom(take(EXCEPTION), take(['stack_info']))
  const place = placeOf(
    textOr(take(['pathname', 'filename'])),
    textOr(take(['lineno'])),
    textOr(take(['funcName'])),
  )
  const ties = tiesOf(table['run'], table['reservation'])
  for (const name of Object.keys(ties)) used.add(name)
  return boundedRecord({
    level,
    message: textOf(message),
    ...(logger === undefined ? {} : { logger: textOf(logger) }),
    ...(time === undefined ? {} : { time }),
    ...(exception === undefined ? {} : { exception }),
    ...(place === undefined ? {} : { place }),
    ...ties,
    extra: Object.entries(table).filter(([name]) => !used.has(name)),
  })
}

function levelFrom(table: Table, used: Set<string>): LogLevel {
  for (const name of LEVEL) {
    const value = table[name]
    const level =
      typeof value === 'string'
        ? (levelOfName(value) ?? (/^\d{1,3}$/.test(value) ? levelOfNumber(Number(value)) : undefined))
        : typeof value === 'number'
          ? levelOfNumber(isPino(table) ? value - 10 : value)
          : undefined
    if (level === undefined) continue
    used.add(name)
    if (name === 'levelname') used.add('levelno')
    return level
  }
  return 'info'
}

/** pino and bunyan count from 10 (trace) to 60, one step above Python, and write their times in ms. */
function isPino(table: Table): boolean {
  return typeof table['level'] === 'number' && 'pid' in table && 'hostname' in table
}

function timeFrom(table: Table, used: Set<string>): number | undefined {
  for (const name of TIME) {
    const time = timeOf(table[name])
    if (time === undefined) continue
    used.add(name)
    return time
  }
  return undefined
}

function exceptionFrom(exception: unknown, stack: unknown): string | undefined {
  const given = exception === undefined || exception === false ? undefined : textOf(exception)
  return exceptionOf(undefined, given === '' || given === 'None' ? undefined : given, textOr(stack))
}

function textOr(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function asText(item: unknown): LogRecord {
  return boundedRecord({ level: 'info', message: textOf(item) })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : shallowJson(value)
}

/** JSON as text; what is nested so deep that it can't be written is not shown. */
function shallowJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return '…'
    throw error
  }
}
