import type { Path } from '@golem/config'
import {
  type ActionSpec,
  GolemError,
  isFault,
  type ModbusDriver,
  type ModbusIo,
  type ParameterSpec,
  type Readings,
  type SerialSettings,
  valueInWords,
} from '@golem/core'
import { describeActionOf, describeParameterOf } from './compile.ts'
import type { Language, RawModel, Report } from './model-file.ts'
import { readAddress, readPlace } from './modbus-places.ts'
import { readAll, type Reader, readOne, type ReadRules } from './modbus-reads.ts'
import {
  modbusSchema,
  type RawIdentify,
  type RawModbusModel,
  type RawModbusParameter,
} from './modbus-schema.ts'
import { readModbusSimulation } from './modbus-simulation.ts'
import { readSteps, type StepContext } from './modbus-steps.ts'
import { isOneOf } from './modbus-values.ts'
import { readWriting } from './modbus-writes.ts'
import { ms } from './question.ts'
import type { ValueForm } from './values.ts'

const REPLY_TIMEOUT_MS = 1000
const GAP_MS = 5
/** Keys of values that mean nothing in registers. */
const FOREIGN = ['format', 'quote', 'allowed'] as const

/** Units on a Modbus line: registers and bits. */
export const modbus: Language = {
  transport: 'modbus',
  schema: modbusSchema,
  compile: (raw, report) => compileModbus(raw, report),
}

function compileModbus(raw: RawModel, report: Report): () => ModbusDriver {
  const model: RawModbusModel = raw
  const { order = 'ABCD' } = model
  const rules = rulesOf(model, report)
  const readers: Reader[] = []
  const parameters: Record<string, ParameterSpec<ModbusIo>> = {}
  for (const [name, parameter] of Object.entries(model.parameters ?? {})) {
    const spec = parameterOf(name, parameter, model, readers, report)
    if (spec) parameters[name] = spec
  }
  checkHoles(readers, rules, report)
  const context: StepContext = { order, parameters, forms: model.parameters ?? {}, report }
  const sequence = (key: 'start' | 'shutDown' | 'makeSafe') => {
    const steps = model[key] && readSteps(model[key], {}, [key], context)
    return steps && ((io: ModbusIo) => steps(io, {}))
  }
  const [start, shutDown, makeSafe] = [sequence('start'), sequence('shutDown'), sequence('makeSafe')]
  const actions = Object.fromEntries(
    Object.entries(model.actions ?? {}).map(([name, action]): [string, ActionSpec<ModbusIo>] => {
      for (const [argument, form] of Object.entries(action.arguments ?? {})) {
        checkForeign(form, ['actions', name, 'arguments', argument], report)
      }
      const run = readSteps(action.steps ?? [], action.arguments ?? {}, ['actions', name, 'steps'], context)
      return [name, { ...describeActionOf(action), run }]
    }),
  )
  const identify = model.identify ? readIdentify(model.identify, model, report) : async () => undefined
  readModbusSimulation(model, report)
  const link = linkOf(model)
  return () => {
    const apart = new Set<string>()
    return {
      transport: 'modbus',
      link,
      parameters,
      actions,
      ...(model.uptime === undefined ? {} : { uptime: model.uptime }),
      identify,
      ...(start ? { initialise: start } : {}),
      ...(makeSafe ? { makeSafe } : {}),
      ...(shutDown ? { shutDown } : {}),
      readAll: (io, due): Promise<Readings> =>
        readAll(
          io,
          readers.filter(({ name }) => due.has(name)),
          rules,
          apart,
        ),
    }
  }
}

function linkOf({ link = {} }: RawModbusModel): ModbusDriver['link'] {
  const { replyTimeout, gap, ...serial } = link
  const settings: SerialSettings = serial
  return { replyTimeoutMs: ms(replyTimeout) ?? REPLY_TIMEOUT_MS, gapMs: ms(gap) ?? GAP_MS, ...settings }
}

function rulesOf({ holes = [], maxGap = 0, maxRead = 125 }: RawModbusModel, report: Report): ReadRules {
  return {
    maxGap,
    maxRead,
    holes: holes.flatMap((hole, index) => {
      const at = readAddress(hole, ['holes', index], report)
      return at ? [{ ...at, size: hole.count ?? 1 }] : []
    }),
  }
}

function checkHoles(readers: readonly Reader[], { holes }: ReadRules, report: Report): void {
  for (const { name, place } of readers) {
    const hit = holes.some(
      ({ table, address, size }) =>
        table === place.table && address < place.address + place.size && address + size > place.address,
    )
    if (hit) report(['parameters', name], `${name} is in one of the "holes", which are never read.`, 'key')
  }
}

function parameterOf(
  name: string,
  parameter: RawModbusParameter,
  { order = 'ABCD', maxRead = 125 }: RawModbusModel,
  readers: Reader[],
  report: Report,
): ParameterSpec<ModbusIo> | undefined {
  const path: Path = ['parameters', name]
  checkForeign(parameter, path, report)
  const place = readPlace(parameter, parameter, order, path, report)
  if (!place) return undefined
  if (place.size > maxRead) report(path, `${name} has more registers than one read may have ("maxRead").`)
  const readable = parameter.read !== false
  if (readable) readers.push({ name, form: parameter, place })
  const writing = readWriting(name, parameter, place, report)
  if (!readable && !writing)
    report(path, `${name} can neither be read nor written: remove "read: false", or add "write".`, 'key')
  return {
    ...describeParameterOf(parameter),
    ...(readable ? { read: (io) => readOne(io, parameter, place) } : { readable: false }),
    ...writing,
  }
}

function checkForeign(form: ValueForm, path: Path, report: Report): void {
  for (const key of FOREIGN) {
    if (form[key] !== undefined) report([...path, key], `"${key}" means nothing in registers.`, 'key')
  }
}

function readIdentify(
  raw: RawIdentify,
  { order = 'ABCD', label }: RawModbusModel,
  report: Report,
): ModbusDriver['identify'] {
  const { equals, ...rest } = raw
  const texts = [equals].flat().every((each) => typeof each === 'string')
  const form: ValueForm = { type: texts ? 'text' : 'number' }
  const bit = rest.coil !== undefined || rest.discrete !== undefined
  if (bit) report(['identify'], 'A single bit identifies nothing: name an input or holding register.')
  const place = bit ? undefined : readPlace(rest, form, order, ['identify'], report)
  return async (io) => {
    if (!place) return
    const found = await readOne(io, form, place).catch((error: unknown) => {
      // A unit that does not have the register at all is another one.
      if (!(error instanceof GolemError) || !isNotThere(error)) throw error
      throw new GolemError('WRONG_INSTRUMENT', `This is no ${label}: ${error.message}`, { cause: error })
    })
    if (isOneOf(found, equals)) return
    throw new GolemError(
      'WRONG_INSTRUMENT',
      `This is no ${label}: ${place.table} register ${place.address} is ${isFault(found) ? found.fault : valueInWords(found)}, not ${[equals].flat().join(' or ')}.`,
    )
  }
}

/** Illegal function, address or value: what it says no to for good, unlike when it is busy. */
function isNotThere({ code, details }: GolemError): boolean {
  return code === 'INSTRUMENT_REFUSED' && [1, 2, 3].includes(Number(details['exception']))
}
