import { GolemError } from '@golem/core'
import { levelOfName, levelOfNumber } from './level.ts'
import { exceptionOfInfo, messageOfPython } from './python-message.ts'
import { boundedRecord, type LogRecord, tiesOf } from './record.ts'
import { timeOf } from './time.ts'

/** What a Python LogRecord has of its own; `taskName` from 3.12 on. The rest of a form is its writer's. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'msg',
  'args',
  'levelname',
  'levelno',
  'pathname',
  'filename',
  'module',
  'exc_info',
  'exc_text',
  'stack_info',
  'lineno',
  'funcName',
  'created',
  'msecs',
  'relativeCreated',
  'thread',
  'threadName',
  'processName',
  'process',
  'taskName',
  'message',
  'asctime',
  'run',
  'reservation',
  'token',
])

/**
 * Reads what Python's `logging.handlers.HTTPHandler` sends, as a body or in the address: each attribute of the record as
 * text, form-encoded. Broken escapes and bytes that are no UTF-8 become U+FFFD or stay as they are.
 *
 * @param form - without `?`; `token` in it is left out of the record
 * @throws INVALID_REQUEST when there is no message in it
 */
export function readForm(form: string): LogRecord {
  const fields = new URLSearchParams(form)
  const field = (name: string): string | undefined => {
    const value = fields.get(name)
    return value === null || value === 'None' ? undefined : value
  }
  const template = fields.get('msg')
  // Present when a handler with a formatter has run before, or `mapLogRecord` is the sender's own.
  const message =
    fields.get('message') ?? (template === null ? null : messageOfPython(template, field('args')))
  if (message === null) {
    throw new GolemError('INVALID_REQUEST', 'There is no "msg" or "message" in the form.', { field: 'msg' })
  }
  const logger = field('name')
  const time = timeOf(field('created'))
  const exception = exceptionOf(field('exc_text'), field('exc_info'), field('stack_info'))
  const place = placeOf(field('pathname') ?? field('filename'), field('lineno'), field('funcName'))
  const ties = tiesOf(field('run'), field('reservation'))
  const { level, unusual } = levelOf(field('levelno'), field('levelname'))
  return boundedRecord({
    level,
    message,
    ...(logger === undefined ? {} : { logger }),
    ...(time === undefined ? {} : { time }),
    ...(exception === undefined ? {} : { exception }),
    ...(place === undefined ? {} : { place }),
    ...ties,
    extra: [
      ...(unusual === undefined ? [] : [['levelname', unusual] as const]),
      ...[...fields].filter(([name]) => isExtra(name, ties)),
    ],
  })
}

/** What names no run or reservation that there can be is kept as it came. */
function isExtra(name: string, ties: Pick<LogRecord, 'run' | 'reservation'>): boolean {
  if (name === 'run' || name === 'reservation') return ties[name] === undefined
  return !OWN_FIELDS.has(name)
}

/** The number says more than a name that somebody has invented; that one is kept beside. */
function levelOf(
  number: string | undefined,
  name: string | undefined,
): { level: LogRecord['level']; unusual?: string } {
  const known = name === undefined ? undefined : levelOfName(name)
  if (known !== undefined) return { level: known }
  const level = number !== undefined && /^-?\d{1,6}$/.test(number) ? levelOfNumber(Number(number)) : 'info'
  return name === undefined ? { level } : { level, unusual: name }
}

/** The traceback is in `exc_text` only when something has formatted it; `exc_info` has class and text. */
export function exceptionOf(
  text: string | undefined,
  info: string | undefined,
  stack: string | undefined,
): string | undefined {
  const exception = text ?? (info === undefined ? undefined : (exceptionOfInfo(info) ?? info))
  const parts = [exception, stack].filter((part) => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : parts.join('\n')
}

/** e.g. `cli.py:5 in main`; a module's own lines have no function. */
export function placeOf(
  file: string | undefined,
  line: string | undefined,
  name: string | undefined,
): string | undefined {
  if (file === undefined) return undefined
  const where = line === undefined ? file : `${file}:${line}`
  return name === undefined || name === '<module>' ? where : `${where} in ${name}`
}
