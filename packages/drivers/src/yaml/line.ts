import {
  type ActionSpec,
  GolemError,
  type LineDriver,
  type LineIo,
  type ParameterSpec,
  type Readings,
  type SerialSettings,
} from '@golem/core'
import { shown } from '../http-reply.ts'
import { describeParameterOf } from './compile.ts'
import { type ErrorQueue, readErrorQueue } from './error-queue.ts'
import { readAction } from './line-actions.ts'
import { readReaders, type Reader, valuesOf } from './line-reads.ts'
import { lineSchema, type RawLineModel, type RawLink } from './line-schema.ts'
import { readWriting } from './line-writes.ts'
import type { Language, RawModel, Report } from './model-file.ts'
import { type Pattern, readPattern } from './patterns.ts'
import { type LineContext, ms, readQuestion } from './question.ts'
import { readSimulation } from './simulation.ts'
import { readSteps, type Steps } from './steps.ts'
import { fromOwnText } from './values.ts'

const DEFAULT_REPLY_MS = 2000
const DEFAULT_QUIET_MS = 200

/** Instruments that answer line by line: serial, TCP, USBTMC. */
export const line: Language = {
  transport: 'line',
  schema: lineSchema,
  compile: (raw, report) => compileLine(raw, report),
}

function compileLine(raw: RawModel, report: Report): () => LineDriver {
  const model: RawLineModel = raw
  const link = linkOf(model.link)
  const context: LineContext = {
    sendTerminator: link.sendTerminator,
    receiveTerminator: link.receiveTerminator,
    pushed: readPushed(model, report),
    report,
  }
  const errors = model.errors && readErrorQueue(model.errors, context)
  const readers = readReaders(model, context)
  checkErrorParameter(model, readers, report)
  const sequence = (key: 'start' | 'shutDown' | 'makeSafe'): Steps | undefined => {
    const steps = model[key]
    return steps && readSteps(steps, {}, [key], context, errors)
  }
  const start = sequence('start')
  const shutDown = sequence('shutDown')
  const makeSafe = sequence('makeSafe')
  const identify = readIdentify(model, context)
  const parameters = Object.fromEntries(
    Object.keys(model.parameters ?? {}).map((name) => [
      name,
      readParameter(name, model, readers, context, errors),
    ]),
  )
  const actions = Object.fromEntries(
    Object.entries(model.actions ?? {}).map(([name, action]): [string, ActionSpec<LineIo>] => [
      name,
      readAction(name, action, context, errors),
    ]),
  )
  readSimulation(model, report)
  const unsolicited = unsolicitedOf(model, context.pushed)
  return () => ({
    transport: 'line',
    link,
    parameters,
    actions,
    ...(model.uptime === undefined ? {} : { uptime: model.uptime }),
    ...(model.link?.replies === undefined ? {} : { replies: model.link.replies }),
    identify,
    ...(start || errors ? { initialise: initialiser(start, errors) } : {}),
    readAll: (io, due) => readAll(io, due, readers, model.errors?.parameter, errors),
    ...(unsolicited ? { unsolicited } : {}),
    ...(makeSafe ? { makeSafe: async (io) => void (await makeSafe.run(io, {})) } : {}),
    ...(shutDown ? { shutDown: async (io) => void (await shutDown.run(io, {})) } : {}),
  })
}

/** `link:` as the driver has it, with the defaults. */
export function linkOf(raw: RawLink = {}): LineDriver['link'] {
  const {
    send,
    receive,
    replyTimeout,
    quiet,
    gap,
    maxLine,
    baudRate,
    dataBits,
    parity,
    stopBits,
    flowControl,
    dtr,
    rts,
  } = raw
  const gapMs = ms(gap)
  const serial = { baudRate, dataBits, parity, stopBits, flowControl, dtr, rts }
  const settings: SerialSettings = Object.fromEntries(
    Object.entries(serial).filter(([, setting]) => setting !== undefined),
  )
  return {
    sendTerminator: send ?? '\n',
    receiveTerminator: receive ?? '\n',
    replyTimeoutMs: ms(replyTimeout) ?? DEFAULT_REPLY_MS,
    quietMs: ms(quiet) ?? DEFAULT_QUIET_MS,
    ...(gapMs === undefined ? {} : { gapMs }),
    ...(maxLine === undefined ? {} : { maxLineLength: maxLine }),
    ...settings,
  }
}

function readIdentify({ identify, label }: RawLineModel, context: LineContext): LineDriver['identify'] {
  if (!identify) return async () => undefined
  const { pattern: source, ...question } = identify
  const pattern = readPattern(source, ['identify', 'pattern'], context.report)
  const ask = readQuestion(question, {}, ['identify'], context)
  return async (io) => {
    const said = (await ask(io, {}))[''] ?? ''
    if (pattern?.regex.test(said.trim())) return
    throw new GolemError(
      'WRONG_INSTRUMENT',
      `This is no ${label}: it answered ${shown(said)} to ${identify.ask}.`,
    )
  }
}

/** What is in the error queue from before is not this model's doing; what its own start-up brings is. */
function initialiser(start: Steps | undefined, errors: ErrorQueue | undefined) {
  return async (io: LineIo): Promise<void> => {
    await errors?.drain(io)
    await start?.run(io, {})
    if (start?.sends) await errors?.check(io, 'what it is started with')
  }
}

async function readAll(
  io: LineIo,
  due: ReadonlySet<string>,
  readers: readonly Reader[],
  errorParameter: string | undefined,
  errors: ErrorQueue | undefined,
): Promise<Readings> {
  const found: Record<string, Readings[string]> = {}
  for (const reader of readers) {
    if (reader.names.some((name) => due.has(name))) Object.assign(found, await reader.run(io))
  }
  if (errors && errorParameter !== undefined && due.has(errorParameter)) {
    found[errorParameter] = (await errors.drain(io)).at(-1) ?? ''
  }
  return found
}

function checkErrorParameter(
  { errors, parameters = {} }: RawLineModel,
  readers: readonly Reader[],
  report: Report,
): void {
  const name = errors?.parameter
  if (name === undefined) return
  const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (parameter?.type !== 'text') report(['errors', 'parameter'], `"${name}" is no parameter of type text.`)
  else if (readers.some(({ names }) => names.includes(name))) {
    report(['errors', 'parameter'], `${name} is filled otherwise already.`)
  }
}

function readParameter(
  name: string,
  model: RawLineModel,
  readers: readonly Reader[],
  context: LineContext,
  errors: ErrorQueue | undefined,
): ParameterSpec<LineIo> {
  const parameter = model.parameters?.[name]
  if (!parameter) throw new GolemError('INTERNAL', `There is no parameter "${name}".`)
  const reader = readers.find(({ names }) => names.includes(name))
  const pushed = context.pushed.some(({ groups }) => groups.includes(name))
  const readable = reader !== undefined || pushed || model.errors?.parameter === name
  const readAlone = reader && (async (io: LineIo) => (await reader.run(io))[name])
  const writing = readWriting(name, parameter, readAlone, context, errors)
  if (!readable && !writing) {
    context.report(['parameters', name], `${name} can neither be read nor written: nothing fills it.`, 'key')
  }
  return {
    ...describeParameterOf(parameter),
    ...(readable ? {} : { readable: false }),
    ...(readAlone ? { read: readerOf(name, readAlone) } : {}),
    ...writing,
  }
}

function readerOf(
  name: string,
  readAlone: (io: LineIo) => Promise<Readings[string] | undefined>,
): (io: LineIo) => Promise<Readings[string]> {
  return async (io) => {
    const value = await readAlone(io)
    if (value === undefined) throw new GolemError('REPLY_MALFORMED', `The answer has no ${name} in it.`)
    return value
  }
}

function readPushed({ pushed = [], parameters = {} }: RawLineModel, report: Report): Pattern[] {
  return pushed.flatMap((source, index) => {
    const pattern = readPattern(source, ['pushed', index], report)
    for (const group of pattern?.groups ?? []) {
      if (!Object.hasOwn(parameters, group)) report(['pushed', index], `There is no parameter "${group}".`)
    }
    return pattern ? [pattern] : []
  })
}

/** What a line says that nobody asked for. One that can't be understood says nothing: it was no answer. */
function unsolicitedOf(
  model: RawLineModel,
  pushed: readonly Pattern[],
): LineDriver['unsolicited'] | undefined {
  if (pushed.length === 0) return undefined
  return (text) => {
    for (const { regex, groups } of pushed) {
      const match = regex.exec(text.trim())
      if (!match) continue
      try {
        return valuesOf(
          groups,
          model.parameters ?? {},
          (name) => match.groups?.[name],
          (_name, form, text) => fromOwnText(form, text),
        )
      } catch (error) {
        if (error instanceof GolemError && error.code === 'REPLY_MALFORMED') return undefined
        throw error
      }
    }
    return undefined
  }
}
