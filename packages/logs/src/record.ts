import type { LogLevel } from '@golem/core'

/** A line of somebody's log, of whatever form it came in; all texts are of bounded length and never interpreted. */
export interface LogRecord {
  level: LogLevel
  /** As its writer would expect to read it. */
  message: string
  logger?: string
  /** When it was written, by its writer's clock; ms since 1970. */
  time?: number
  /** A traceback, or at least the class and text of the exception. */
  exception?: string
  /** Where in the program, e.g. `cli.py:5 in main`. */
  place?: string
  /** Id of the run that its writer says it belongs to. */
  run?: string
  /** Number of the reservation that its writer says it belongs to. */
  reservation?: number
  /** Whatever else came with it, by its own names. */
  extra?: Readonly<Record<string, unknown>>
}

/** What a reader has found, before lengths are bounded. */
export type FoundRecord = Omit<LogRecord, 'extra'> & { extra?: Iterable<readonly [string, unknown]> }

/** The longest message that is kept, in characters. */
export const MAX_LOG_MESSAGE = 8_000
/** The longest exception that is kept, in characters: its beginning, and three times as much of its end. */
export const MAX_LOG_EXCEPTION = 16_000
const TRACEBACK = /\n(?=Traceback \(most recent call last\):\n)/
const MAX_NAME = 200
const MAX_KEYS = 40
const MAX_KEY = 100
const MAX_VALUE = 1_000
const MAX_DEPTH = 4
const MAX_EXTRA = 8_000

/** The record with every text cut to what is kept; what is cut says how much is missing. */
export function boundedRecord(found: FoundRecord): LogRecord {
  const { level, logger, time, place, run, reservation } = found
  const { message, exception } = withTraceback(found)
  const extra = boundedExtra(found.extra ?? [])
  return {
    level,
    message: cut(message.replaceAll('\0', ''), MAX_LOG_MESSAGE),
    ...(logger ? { logger: cut(logger, MAX_NAME) } : {}),
    ...(time !== undefined && isPlausible(time) ? { time } : {}),
    ...(exception ? { exception: cutMiddle(exception.replaceAll('\0', ''), MAX_LOG_EXCEPTION) } : {}),
    ...(place ? { place: cut(place, MAX_NAME) } : {}),
    ...(run === undefined ? {} : { run: cut(run, MAX_NAME) }),
    ...(reservation === undefined ? {} : { reservation }),
    ...(extra === undefined ? {} : { extra }),
  }
}

/** A handler that formats early (QueueHandler, or one for syslog) writes the traceback below the message. */
function withTraceback({ message, exception }: Pick<FoundRecord, 'message' | 'exception'>): {
  message: string
  exception?: string | undefined
} {
  const at = exception === undefined ? message.search(TRACEBACK) : -1
  return at < 0 ? { message, exception } : { message: message.slice(0, at), exception: message.slice(at + 1) }
}

/** A time between 1970 and 2200, as a clock may tell it. */
function isPlausible(time: number): boolean {
  return time > 0 && time < 7_258_118_400_000
}

/** The id of a run and the number of a reservation as records name them; what can be neither stays among the rest. */
export function tiesOf(run: unknown, reservation: unknown): Pick<LogRecord, 'run' | 'reservation'> {
  const number = typeof reservation === 'number' ? reservation : Number(digits(reservation))
  return {
    ...(typeof run === 'string' && /^[\w.:-]{1,200}$/.test(run) ? { run } : {}),
    ...(Number.isSafeInteger(number) && number > 0 ? { reservation: number } : {}),
  }
}

function digits(value: unknown): string {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? value : 'NaN'
}

function boundedExtra(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> | undefined {
  const kept: [string, unknown][] = []
  let room = MAX_EXTRA
  let left = 0
  for (const [key, value] of entries) {
    const entry: [string, unknown] = [cut(key, MAX_KEY), boundedValue(value, MAX_DEPTH)]
    const size = entry[0].length + (JSON.stringify(entry[1]) ?? '').length
    if (kept.length >= MAX_KEYS || size > room) left += 1
    else {
      kept.push(entry)
      room -= size
    }
  }
  if (left > 0) kept.push(['…', `${left} more left out`])
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

function boundedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value, MAX_VALUE)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '…'
  if (Array.isArray(value)) {
    return value.slice(0, MAX_KEYS).map((item: unknown) => boundedValue(item, depth - 1))
  }
  const entries = Object.entries(value).slice(0, MAX_KEYS)
  return Object.fromEntries(entries.map(([key, item]) => [cut(key, MAX_KEY), boundedValue(item, depth - 1)]))
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} characters more)`
}

/** The end of a traceback says what happened, its beginning where. */
function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text
  const head = Math.floor(most / 4)
  return `${text.slice(0, head)}\n… (${text.length - most} characters left out)\n${text.slice(head - most)}`
}
