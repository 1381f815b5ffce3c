import type { LogLevel } from '@golem/core'

const NAMES: Readonly<Record<string, LogLevel>> = {
  notset: 'debug',
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  information: 'info',
  notice: 'notice',
  success: 'notice',
  warn: 'warning',
  warning: 'warning',
  err: 'error',
  error: 'error',
  exception: 'error',
  crit: 'critical',
  critical: 'critical',
  fatal: 'critical',
  alert: 'critical',
  emerg: 'critical',
  emergency: 'critical',
  panic: 'critical',
}

/** The level of a name as loggers write it, in whatever case; undefined when it is none of theirs. */
export function levelOfName(name: string): LogLevel | undefined {
  const plain = name.trim().toLowerCase()
  if (Object.hasOwn(NAMES, plain)) return NAMES[plain]
  // Python's name of a number that has none.
  const number = /^level (-?\d{1,6})$/.exec(plain)?.[1]
  return number === undefined ? undefined : levelOfNumber(Number(number))
}

/** The level of a number of Python's: 10 debug, 20 info, 30 warning, 40 error, 50 critical, and between them. */
export function levelOfNumber(number: number): LogLevel {
  if (number < 20) return 'debug'
  if (number < 25) return 'info'
  if (number < 30) return 'notice'
  if (number < 40) return 'warning'
  return number < 50 ? 'error' : 'critical'
}

/** The level of a severity of syslog (RFC 5424, table 2): 0 emergency to 7 debug. */
export function levelOfSeverity(severity: number): LogLevel {
  if (severity <= 2) return 'critical'
  return (['error', 'warning', 'notice', 'info', 'debug'] as const)[severity - 3] ?? 'info'
}
