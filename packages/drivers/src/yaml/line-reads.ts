import type { Path } from '@golem/config'
import { type Fault, GolemError, type LineIo, type Value } from '@golem/core'
import { shown } from '../http-reply.ts'
import type { RawGroup, RawLineModel, RawLineParameter, RawRead } from './line-schema.ts'
import { type LineContext, readNumbersQuestion, readQuestion, splitFields } from './question.ts'
import { fromNumbers, fromWire, UnknownWord, type ValueForm } from './values.ts'

/** One exchange that fills parameters. */
export interface Reader {
  /** The parameters it fills. */
  names: readonly string[]
  run: (io: LineIo) => Promise<Record<string, Value | Fault>>
}

/** The value of a parameter in its text. */
type Take = (name: string, form: ValueForm, text: string) => Value | Fault

/** As a reader, with how texts are taken. */
interface RawReader {
  names: readonly string[]
  run: (io: LineIo, take: Take) => Promise<Record<string, Value | Fault>>
}

type Parameters = Readonly<Record<string, RawLineParameter>>

/** Compiles all reads of a model: the groups, then the parameters that are read by themselves. */
export function readReaders(raw: RawLineModel, context: LineContext): Reader[] {
  const parameters = raw.parameters ?? {}
  const { report } = context
  const readers: RawReader[] = []
  const filledBy = new Map<string, string>()
  for (const [group, spec] of Object.entries(raw.reads ?? {})) {
    const reader = readGroup(spec, parameters, ['reads', group], context)
    if (reader.names.length === 0) {
      report(
        ['reads', group],
        'It fills no parameter: name some in "fields", "join" or as groups of "pattern".',
      )
    }
    for (const name of reader.names) {
      const other = filledBy.get(name)
      if (other !== undefined) report(['reads', group], `${name} is filled by "${other}" already.`)
      filledBy.set(name, group)
      if (parameters[name]?.read !== undefined && spec.join === undefined) {
        report(['parameters', name, 'read'], `${name} is filled by "${group}" already. Remove one.`, 'key')
      }
    }
    readers.push(reader)
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (parameter.read !== undefined && !filledBy.has(name)) readers.push(readOne(name, parameter, context))
  }
  return readers.map(({ names, run }) => ({ names, run: (io) => askedAgain(io, names, run) }))
}

/**
 * A word that the model does not know may be the answer to something else, of a line that is out of step: it is asked for
 * again. What is answered twice the instrument does say: this parameter has no value then, the others have.
 *
 * @throws REPLY_MALFORMED when it is something else the second time
 */
async function askedAgain(
  io: LineIo,
  names: readonly string[],
  run: RawReader['run'],
): Promise<Record<string, Value | Fault>> {
  const unknown = new Map<string, string>()
  for (;;) {
    try {
      return await run(io, (name, form, text) => {
        try {
          return fromWire(form, text)
        } catch (error) {
          if (!(error instanceof UnknownWord)) throw error
          const before = unknown.get(name)
          if (before === error.word) return error.asFault()
          if (before === undefined) unknown.set(name, error.word)
          throw before === undefined ? error : malformed(`${error.message} Before it was ${shown(before)}`)
        }
      })
    } catch (error) {
      if (!(error instanceof UnknownWord) || unknown.size > names.length) throw error
    }
  }
}

function full(read: string | RawRead): RawRead {
  return typeof read === 'string' ? { ask: read } : read
}

function placeOf(name: string): Path {
  return ['parameters', name, 'read']
}

function readOne(name: string, parameter: RawLineParameter, context: LineContext): RawReader {
  const read = full(parameter.read ?? '')
  const place = placeOf(name)
  if (read.block !== undefined && parameter.type !== 'array') {
    context.report([...place, 'block'], `A block is many numbers: ${name} would have to be an array.`, 'key')
  }
  if (parameter.type === 'array' && read.pattern === undefined && read.separator === undefined) {
    const ask = readNumbersQuestion(read, {}, place, context)
    return { names: [name], run: async (io) => ({ [name]: fromNumbers(parameter, await ask(io, {})) }) }
  }
  checkField(read, place, context)
  const ask = readQuestion(read, {}, place, context)
  return {
    names: [name],
    run: async (io, take) => {
      const groups = await ask(io, {})
      return { [name]: take(name, parameter, pieceFor(name, read, groups)) }
    },
  }
}

function checkField(read: RawRead, place: Path, { report }: LineContext): void {
  if ((read.field === undefined) !== (read.separator === undefined)) {
    report(place, 'Of "separator" and "field" each needs the other.')
  }
}

/** The part of an answer that is one parameter's. @throws REPLY_MALFORMED when it is not there */
function pieceFor(
  name: string,
  { separator, field }: RawRead,
  groups: Readonly<Record<string, string>>,
): string {
  const whole = groups[name] ?? groups[''] ?? ''
  if (separator === undefined || field === undefined) return whole
  const piece = splitFields(whole, separator)[field - 1]
  if (piece === undefined) throw malformed(`${shown(whole)} has no field ${field}`)
  return piece
}

function readGroup(raw: RawGroup, parameters: Parameters, place: Path, context: LineContext): RawReader {
  if (raw.join) return readJoined(raw, raw.join, parameters, place, context)
  const ask = readQuestion(raw, {}, place, context)
  const known = (names: readonly string[], at: Path): string[] =>
    names.filter((name) => {
      if (Object.hasOwn(parameters, name)) return true
      context.report(at, `There is no parameter "${name}".`)
      return false
    })
  const { fields, separator } = raw
  if (!fields) {
    const names = known(ask.groups, [...place, 'pattern'])
    return {
      names,
      run: async (io, take) => {
        const groups = await ask(io, {})
        return valuesOf(names, parameters, (name) => groups[name], take)
      },
    }
  }
  const names = known(
    fields.filter((name) => name !== null),
    [...place, 'fields'],
  )
  return {
    names,
    run: async (io, take) => {
      const whole = (await ask(io, {}))[''] ?? ''
      if (separator === undefined) return valuesOf(names, parameters, () => whole, take)
      const parts = splitFields(whole, separator)
      if (parts.length !== fields.length) {
        throw malformed(`${shown(whole)} has ${parts.length} fields instead of ${fields.length}`)
      }
      return valuesOf(names, parameters, (name) => parts[fields.indexOf(name)], take)
    },
  }
}

/** Several questions in one line, as SCPI takes them: their answers come in one line too. */
function readJoined(
  raw: RawGroup,
  join: readonly string[],
  parameters: Parameters,
  place: Path,
  context: LineContext,
): RawReader {
  const { report } = context
  for (const key of ['ask', 'bytes', 'pattern', 'refused', 'fields', 'separator'] as const) {
    if (raw[key] !== undefined) report([...place, key], `A group with "join" has no "${key}".`, 'key')
  }
  const joiner = raw.joiner ?? ';'
  const parts = join.flatMap((name) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    const read = parameter?.read === undefined ? undefined : full(parameter.read)
    if (!parameter || read?.ask === undefined || read.block) {
      report([...place, 'join'], `"${name}" is no parameter with a question of its own ("read").`)
      return []
    }
    if (read.pattern !== undefined || read.timeout !== undefined || read.refused !== undefined) {
      report(
        placeOf(name),
        'In a joined question there is no "pattern", "refused" or "timeout" for one part.',
      )
    }
    checkField(read, placeOf(name), context)
    return [{ name, parameter, read, ask: read.ask }]
  })
  const question = parts.map((part) => part.ask).join(joiner)
  const times = raw.timeout === undefined ? {} : { timeout: raw.timeout }
  const ask = readQuestion({ ask: question, ...times }, {}, place, context)
  return {
    names: parts.map(({ name }) => name),
    run: async (io, take) => {
      const whole = (await ask(io, {}))[''] ?? ''
      const answers = splitFields(whole, joiner)
      if (answers.length !== parts.length) {
        throw malformed(`${shown(whole)} has ${answers.length} answers instead of ${parts.length}`)
      }
      return Object.fromEntries(
        parts.map(({ name, parameter, read }, index) => [
          name,
          take(name, parameter, pieceFor(name, read, { '': answers[index] ?? '' })),
        ]),
      )
    },
  }
}

/** Values from their texts; a part of a pattern that was not there leaves its parameter as it is. */
export function valuesOf(
  names: readonly string[],
  parameters: Parameters,
  textOf: (name: string) => string | undefined,
  take: Take,
): Record<string, Value | Fault> {
  const found: Record<string, Value | Fault> = {}
  for (const name of names) {
    const text = textOf(name)
    const parameter = parameters[name]
    if (text !== undefined && parameter) found[name] = take(name, parameter, text)
  }
  return found
}

function malformed(what: string): GolemError {
  return new GolemError('REPLY_MALFORMED', `The answer can't be understood: ${what}.`)
}
