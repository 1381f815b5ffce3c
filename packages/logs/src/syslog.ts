import { levelOfSeverity } from './level.ts'
import { boundedRecord, type FoundRecord, type LogRecord, tiesOf } from './record.ts'
import { timeOf } from './time.ts'

/** Names of facilities, RFC 5424 table 1. */
const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  )
const TIME_5424 = '-|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:\\d\\d)'
const HEADER_5424 = new RegExp(
  `^1 (${TIME_5424}) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) (?=-|\\[)`,
)
/** RFC 3164, or with the time in ISO 8601 as rsyslog forwards. */
const HEADER_3164 = new RegExp(
  `^([A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d|${TIME_5424.slice(2)}) ([!-~]{1,255}) ([^\\s:\\[]{1,64})(?:\\[([^\\]\\s]{1,32})\\])?: ?`,
)
const ELEMENT = /\[([!#-<>-\\^-~]{1,32})((?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\[^])*")*)\]/y
const PARAMETER = / ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\[^])*)"/g

/**
 * Reads one syslog message: RFC 5424, RFC 3164, or, as Python's SysLogHandler sends it, only priority and text. What has no
 * priority is a message of level info.
 *
 * @param bytes - one datagram, or one message of a stream
 * @returns undefined when there is no text in it
 */
export function readSyslog(bytes: Uint8Array): LogRecord | undefined {
  const text = new TextDecoder().decode(bytes).replace(/[\0\r\n ]+$/, '')
  if (text === '') return undefined
  const priority = /^<(\d{1,3})>/.exec(text)
  const number = Number(priority?.[1] ?? NaN)
  if (!priority || number > 191) return boundedRecord({ level: 'info', message: text })
  const level = levelOfSeverity(number % 8)
  const facility = FACILITIES[Math.floor(number / 8)] ?? ''
  const rest = text.slice(priority[0].length)
  const found = from5424(rest) ?? from3164(rest) ?? { message: rest }
  const extra = [...(found.extra ?? []), ...(facility === 'user' ? [] : [['facility', facility] as const])]
  if (found.message === '' && extra.length === 0) return undefined
  return boundedRecord({ ...found, level, extra })
}

type Found = Omit<FoundRecord, 'level'>

function from5424(text: string): Found | undefined {
  const header = HEADER_5424.exec(text)
  if (!header) return undefined
  const [whole, at = '-', host = '-', app = '-', process = '-', id = '-'] = header
  const structured = structuredData(text, whole.length)
  if (!structured) return undefined
  const { parameters, end } = structured
  const ofGolem = (name: string): string | undefined =>
    parameters.find(([key]) => key.slice(key.indexOf('.') + 1) === name)?.[1]
  const time = timeOf(at)
  return {
    message: text.slice(end + 1).replace(/^\uFEFF/, ''),
    ...(app === '-' ? {} : { logger: app }),
    ...(time === undefined ? {} : { time }),
    ...tiesOf(ofGolem('run'), ofGolem('reservation')),
    extra: [
      ...named({ host, process, msgid: id }),
      // Of util-linux's logger: about its clock, not about what happened.
      ...parameters.filter(([key]) => !key.startsWith('timeQuality.')),
    ],
  }
}

/** @returns parameters as `id.name`, and where the data ends; undefined when its form is broken */
function structuredData(
  text: string,
  start: number,
): { parameters: [string, string][]; end: number } | undefined {
  if (text[start] === '-') return { parameters: [], end: start + 1 }
  const parameters: [string, string][] = []
  let end = start
  while (text[end] === '[') {
    ELEMENT.lastIndex = end
    const element = ELEMENT.exec(text)
    if (!element) return undefined
    const [whole, id = '', pairs = ''] = element
    for (const [, name = '', value = ''] of pairs.matchAll(PARAMETER)) {
      parameters.push([`${id}.${name}`, value.replaceAll(/\\(["\\\]])/g, '$1')])
    }
    end += whole.length
  }
  return text[end] === ' ' || text[end] === undefined ? { parameters, end } : undefined
}

function from3164(text: string): Found | undefined {
  const header = HEADER_3164.exec(text)
  if (!header) return undefined
  const [whole, at = '', host = '-', tag = '', process = '-'] = header
  const time = timeOf(at)
  return {
    message: text.slice(whole.length),
    logger: tag,
    ...(time === undefined ? {} : { time }),
    // Without year and zone it is no time that could be told, and is kept as it was written.
    extra: [...named({ host, process }), ...(time === undefined ? [['time', at] as const] : [])],
  }
}

function named(fields: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(fields).filter(([, value]) => value !== '-')
}
