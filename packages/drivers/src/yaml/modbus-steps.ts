import type { Path } from '@golem/config'
import type { ModbusIo, ParameterSpec, Value } from '@golem/core'
import type { Report } from './model-file.ts'
import { readPlace } from './modbus-places.ts'
import type { ByteOrder, RawModbusStep } from './modbus-schema.ts'
import { readDelivery, type Write } from './modbus-writes.ts'
import { ms } from './question.ts'
import type { Values } from './template.ts'
import type { ValueForm } from './values.ts'

type Forms = Readonly<Record<string, ValueForm>>
type Step = (io: ModbusIo, values: Values) => Promise<void>

/** What steps may refer to. */
export interface StepContext {
  order: ByteOrder
  parameters: Readonly<Record<string, ParameterSpec<ModbusIo>>>
  forms: Forms
  report: Report
}

/** Compiles a sequence of writes. @param args - the arguments that may stand in it */
export function readSteps(
  raw: readonly RawModbusStep[],
  args: Forms,
  path: Path,
  context: StepContext,
): (io: ModbusIo, values: Values) => Promise<void> {
  const steps = raw.map((step, index) => readStep(step, args, [...path, index], context))
  return async (io, values) => {
    for (const step of steps) await step(io, values)
  }
}

function readStep(raw: RawModbusStep, args: Forms, path: Path, context: StepContext): Step {
  const { report } = context
  const { wait, set, value, ...place } = raw
  const nothing: Step = async () => undefined
  const waitMs = ms(wait)
  if (waitMs !== undefined) {
    if (Object.keys(raw).length > 1) report(path, 'A step that waits does nothing else: make it two steps.')
    return (io) => io.sleep(waitMs)
  }
  if (value === undefined) {
    report(path, 'The step does nothing: it needs "value", or "wait".')
    return nothing
  }
  const argument = typeof value === 'string' ? /^\{(\w+)\}$/.exec(value)?.[1] : undefined
  if (argument !== undefined && !Object.hasOwn(args, argument)) {
    report([...path, 'value'], `There is no argument "${argument}" here.`)
    return nothing
  }
  const valueFrom = (values: Values): Value => (argument === undefined ? value : (values[argument] ?? 0))
  const write =
    set === undefined
      ? readPlain(place, argument === undefined ? formOf(value) : args[argument], path, context)
      : readSet(set, place, path, context)
  return write ? (io, values) => write(io, valueFrom(values)) : nothing
}

function readPlain(
  raw: Omit<RawModbusStep, 'wait' | 'set' | 'value'>,
  form: ValueForm | undefined,
  path: Path,
  { order, report }: StepContext,
): Write | undefined {
  if (!form) return undefined
  // A number into a coil is on or off.
  const bit = raw.coil !== undefined || (raw.modicon ?? 0xffff) < 10_000
  const used: ValueForm = bit && form.type !== 'choice' ? { ...form, type: 'boolean' } : form
  const place = readPlace(raw, used, order, path, report)
  if (!place) return undefined
  const write = readDelivery(used, place, raw.function, path, report)
  return bit ? (io, value) => write(io, typeof value === 'number' ? value !== 0 : value) : write
}

function readSet(
  name: string,
  place: object,
  path: Path,
  { parameters, report }: StepContext,
): Write | undefined {
  const other = Object.keys(place)
  if (other.length > 0)
    report(path, `"set" is a parameter by its name: it can't have ${other.join(', ')} too.`)
  const spec = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (!spec?.write) report([...path, 'set'], `There is no parameter "${name}" that can be written.`)
  return spec?.write
}

function formOf(value: number | boolean | string): ValueForm {
  if (typeof value === 'boolean') return { type: 'boolean' }
  return { type: typeof value === 'number' ? 'number' : 'text' }
}
