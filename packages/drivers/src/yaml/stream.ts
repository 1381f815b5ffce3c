import {
  type ActionSpec,
  GolemError,
  type LineDriver,
  type LineIo,
  type ParameterSpec,
  type Readings,
} from '@golem/core'
import { shown } from '../http-reply.ts'
import { describeParameterOf } from './compile.ts'
import { linkOf } from './line.ts'
import { readAction } from './line-actions.ts'
import { readWriting } from './line-writes.ts'
import type { Language, RawModel, Report } from './model-file.ts'
import { type LineContext, ms } from './question.ts'
import { readSimulation } from './simulation.ts'
import { readSteps, type Steps } from './steps.ts'
import { headerBytes, readFormat, type Understand } from './stream-formats.ts'
import { type RawStreamModel, streamSchema } from './stream-schema.ts'

/** Short, so that even a source of 20 lines a second has a pause that counts as quiet. */
const DEFAULT_QUIET = '20 ms'

/** Instruments that talk by themselves: lines or frames nobody asked for. */
export const stream: Language = {
  transport: 'line',
  schema: streamSchema,
  compile: (raw, report) => compileStream(raw as RawStreamModel, report),
}

function compileStream(raw: RawStreamModel & RawModel, report: Report): () => LineDriver {
  const { header, length } = raw.stream
  const link: LineDriver['link'] = {
    ...linkOf({ quiet: DEFAULT_QUIET, ...raw.link }),
    ...(raw.stream.format === 'frame' && header !== undefined && length !== undefined
      ? { receiveFrame: { header: headerBytes(header).toString('latin1'), length } }
      : {}),
  }
  const context: LineContext = {
    sendTerminator: link.sendTerminator,
    receiveTerminator: link.receiveTerminator,
    pushed: [],
    report,
  }
  const understand = readFormat(raw.stream, raw.parameters ?? {}, report)
  const sequence = (key: 'start' | 'shutDown' | 'makeSafe'): Steps | undefined => {
    const steps = raw[key]
    return steps && readSteps(steps, {}, [key], context, undefined)
  }
  const start = sequence('start')
  const shutDown = sequence('shutDown')
  const makeSafe = sequence('makeSafe')
  const filled = namesIn(raw)
  const parameters = Object.fromEntries(
    Object.keys(raw.parameters ?? {}).map((name) => [
      name,
      readParameter(name, raw, filled.has(name), context),
    ]),
  )
  const actions = Object.fromEntries(
    Object.entries(raw.actions ?? {}).map(([name, action]): [string, ActionSpec<LineIo>] => [
      name,
      readAction(name, action, context, undefined),
    ]),
  )
  readSimulation(raw, report)
  const silenceMs = ms(raw.silence) ?? 0
  return () => ({
    transport: 'line',
    link,
    parameters,
    actions,
    silenceMs,
    ...(raw.uptime === undefined ? {} : { uptime: raw.uptime }),
    ...listening(understand, silenceMs, raw),
    ...(start ? { initialise: async (io: LineIo) => void (await start.run(io, {})) } : {}),
    ...(makeSafe ? { makeSafe: async (io: LineIo) => void (await makeSafe.run(io, {})) } : {}),
    ...(shutDown ? { shutDown: async (io: LineIo) => void (await shutDown.run(io, {})) } : {}),
  })
}

/** The part that hears: one per instrument, since it remembers when it last heard something. */
function listening(
  understand: Understand,
  silenceMs: number,
  { label, stream: { format } }: RawStreamModel,
): Pick<LineDriver, 'identify' | 'readAll' | 'unsolicited'> {
  let heardAt = -Infinity
  /** What was heard in identification: the next poll hands it over. */
  let waiting: Readings = {}
  const take = (line: string): Readings | undefined => {
    try {
      const found = understand(line)
      if (found) heardAt = performance.now()
      return found
    } catch (error) {
      // It looks like a line of this instrument, but makes no sense: cut, or garbled.
      if (error instanceof GolemError && error.code === 'REPLY_MALFORMED') return undefined
      throw error
    }
  }
  return {
    identify: async (io) => {
      // The first line may be the end of one: half a number is a number too. A checksum tells that by itself.
      if (format !== 'nmea' && format !== 'frame') await io.expect({ timeoutMs: silenceMs })
      let strange: string | undefined
      const accept = (line: string): boolean => {
        const found = take(line)
        if (found) waiting = found
        else strange = line
        return found !== undefined
      }
      try {
        await io.expect({ timeoutMs: silenceMs, accept })
      } catch (error) {
        if (strange === undefined || !(error instanceof GolemError) || error.code !== 'REPLY_TIMEOUT')
          throw error
        throw new GolemError('WRONG_INSTRUMENT', `This is no ${label}: it says ${shown(strange)}.`, {
          cause: error,
        })
      }
    },
    readAll: async () => {
      const silentFor = performance.now() - heardAt
      if (silentFor > silenceMs) {
        throw new GolemError(
          'REPLY_TIMEOUT',
          `Nothing that could be understood has come for ${(silentFor / 1000).toFixed(1)} s.`,
        )
      }
      const found = waiting
      waiting = {}
      return found
    },
    unsolicited: take,
  }
}

/** The parameters that lines fill. */
function namesIn({
  stream: { format, patterns = [] },
  parameters = {},
}: RawStreamModel): ReadonlySet<string> {
  if (format === 'pattern') {
    return new Set(
      patterns.flatMap((source) => [...source.matchAll(/\(\?<(\w+)>/g)].map(([, name = '']) => name)),
    )
  }
  return new Set(Object.keys(parameters).filter((name) => parameters[name]?.from !== undefined))
}

function readParameter(
  name: string,
  { parameters = {} }: RawStreamModel,
  readable: boolean,
  context: LineContext,
): ParameterSpec<LineIo> {
  const parameter = parameters[name]
  if (!parameter) throw new GolemError('INTERNAL', `There is no parameter "${name}".`)
  const writing = readWriting(name, parameter, undefined, context, undefined)
  if (!readable && !writing) {
    context.report(['parameters', name], `${name} can neither be read nor written: nothing fills it.`, 'key')
  }
  return { ...describeParameterOf(parameter), ...(readable ? {} : { readable: false }), ...writing }
}
