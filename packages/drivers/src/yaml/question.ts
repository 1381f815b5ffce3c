import { parseDuration } from '@golem/config'
import { GolemError, type LineIo } from '@golem/core'
import type { Path } from '@golem/config'
import { shown } from '../http-reply.ts'
import { blockComplete, mostBytes, numbersOfBlock } from './blocks.ts'
import type { RawBlock, RawQuestion } from './line-schema.ts'
import type { Report } from './model-file.ts'
import { type Pattern, readPattern } from './patterns.ts'
import { readTemplate, type Template, type Values } from './template.ts'
import { parseNumber, type ValueForm } from './values.ts'

/** The longest comma list that is taken as an answer, in bytes. */
const LONGEST_LIST = 256 * 1024 * 1024

/** What all exchanges of one model have in common. */
export interface LineContext {
  sendTerminator: string
  receiveTerminator: string
  /** Lines that come by themselves, and are no answers. */
  pushed: readonly Pattern[]
  report: Report
}

/** Asks, and gives what the answer's groups are; '' is the answer itself, or the first group without a name. */
export type Ask = (io: LineIo, values: Values) => Promise<Readonly<Record<string, string>>>

/** A time of a model file in ms; the schema has checked its form. */
export function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDuration(text) ?? undefined)
}

/** Compiles a question. @param forms - what may stand in its placeholders */
export function readQuestion(
  raw: RawQuestion,
  forms: Readonly<Record<string, ValueForm>>,
  path: Path,
  context: LineContext,
): Ask & { groups: readonly string[] } {
  const { report } = context
  const pattern =
    raw.pattern === undefined ? undefined : readPattern(raw.pattern, [...path, 'pattern'], report)
  const refused =
    raw.refused === undefined ? undefined : readPattern(raw.refused, [...path, 'refused'], report)
  const timeoutMs = ms(raw.timeout)
  const wait = timeoutMs === undefined ? {} : { timeoutMs }
  if ((raw.ask === undefined) === (raw.bytes === undefined)) {
    report(path, raw.ask === undefined ? '"ask" is missing. Add it.' : 'Either "ask" or "bytes", not both.')
  }
  if (raw.bytes !== undefined && raw.pattern === undefined) {
    report(path, '"pattern" is missing: with "bytes" it tells the answer from other lines.')
  }
  const template = readTemplate(
    raw.ask ?? raw.bytes ?? '',
    forms,
    [...path, raw.ask === undefined ? 'bytes' : 'ask'],
    report,
  )
  const isAnswer = (line: string): boolean =>
    raw.bytes === undefined
      ? !context.pushed.some(({ regex }) => regex.test(line))
      : Boolean(pattern?.regex.test(line) || refused?.regex.test(line))
  const ask: Ask = async (io, values) => {
    const text = template(values)
    let line: string
    if (raw.bytes === undefined) line = await io.ask(text, { ...wait, accept: isAnswer })
    else {
      await io.sendBytes(Buffer.from(text, 'latin1'))
      line = await io.expect({ ...wait, accept: isAnswer })
    }
    throwIfRefused(refused, line, text)
    return groupsOf(pattern, line, text)
  }
  return Object.assign(ask, { groups: pattern?.groups ?? [] })
}

/** @throws INSTRUMENT_REFUSED when the line matches what says no */
export function throwIfRefused(refused: Pattern | undefined, line: string, sent: string): void {
  const match = refused?.regex.exec(line)
  if (!match) return
  const why = match.groups?.['text'] ?? line.trim()
  throw new GolemError('INSTRUMENT_REFUSED', `The instrument refused ${shown(sent)}: ${why}.`)
}

/** What a pattern finds in a line. @throws REPLY_MALFORMED when it does not match */
export function groupsOf(pattern: Pattern | undefined, line: string, sent: string): Record<string, string> {
  if (!pattern) return { '': line }
  const match = pattern.regex.exec(line.trim())
  if (!match) {
    throw new GolemError(
      'REPLY_MALFORMED',
      `The answer ${shown(line)} to ${shown(sent)} does not match ${pattern.regex.source}.`,
    )
  }
  const named = Object.entries(match.groups ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { '': match[1] ?? match[0], ...Object.fromEntries(named) }
}

/** Compiles a question whose answer is many numbers: a block, or a comma list of any length. */
export function readNumbersQuestion(
  raw: RawQuestion & { block?: RawBlock },
  forms: Readonly<Record<string, ValueForm>>,
  path: Path,
  context: LineContext,
): (io: LineIo, values: Values) => Promise<readonly number[]> {
  const { report, sendTerminator, receiveTerminator } = context
  for (const key of ['bytes', 'pattern', 'refused'] as const) {
    if (raw[key] !== undefined) report([...path, key], `An answer of many numbers has no "${key}".`, 'key')
  }
  if (raw.ask === undefined) report(path, '"ask" is missing. Add it.')
  const template: Template = readTemplate(raw.ask ?? '', forms, [...path, 'ask'], report)
  const timeoutMs = ms(raw.timeout)
  const wait = timeoutMs === undefined ? {} : { timeoutMs }
  const { block } = raw
  return async (io, values) => {
    const bytes = Buffer.from(template(values) + sendTerminator, 'latin1')
    if (block) {
      const complete = blockComplete(block, receiveTerminator)
      return numbersOfBlock(
        block,
        await io.askBytes(bytes, { ...wait, complete, maxBytes: mostBytes(block) }),
      )
    }
    const complete = lineComplete(receiveTerminator)
    const answer = await io.askBytes(bytes, { ...wait, complete, maxBytes: LONGEST_LIST })
    return numbersOfList(Buffer.from(answer).toString('latin1').slice(0, -receiveTerminator.length))
  }
}

/** Looks for the line end only in what is new: a list of a megabyte comes in thousands of pieces. */
function lineComplete(terminator: string): (received: Uint8Array) => number | undefined {
  const end = Buffer.from(terminator, 'latin1')
  let seen = 0
  return (received) => {
    const from = Math.max(0, seen - end.length)
    const at = Buffer.from(received.buffer, received.byteOffset, received.length).indexOf(end, from)
    seen = received.length
    return at < 0 ? undefined : at + end.length
  }
}

/** The numbers of a comma list. @throws REPLY_MALFORMED */
export function numbersOfList(text: string): number[] {
  if (text.trim() === '') return []
  return text.split(',').map((item) => {
    const value = parseNumber(item)
    if (value === undefined) {
      throw new GolemError(
        'REPLY_MALFORMED',
        `The answer is no list of numbers: it has ${shown(item)} in it.`,
      )
    }
    return value
  })
}

/** The fields of a line; separators inside double quotes are part of a field. */
export function splitFields(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator)
  const fields: string[] = []
  let field = ''
  let inside = false
  for (let at = 0; at < line.length;) {
    if (!inside && line.startsWith(separator, at)) {
      fields.push(field)
      field = ''
      at += separator.length
      continue
    }
    if (line[at] === '"') inside = !inside
    field += line[at]
    at += 1
  }
  return [...fields, field]
}
