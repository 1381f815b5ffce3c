import {
  ADDRESS_KINDS,
  type Address,
  type AnyActionSpec,
  type ArgumentDescription,
  checkValue,
  type Driver,
  GolemError,
  messageOf,
  type Model,
  type Value,
  type ValueDescription,
  valueInWords,
} from '@golem/core'
import { checkAlarms } from './check-alarms.ts'
import { checkUses, withCalibrated } from './check-calibrations.ts'
import type { Report, Surroundings } from './check-instrument.ts'
import { checkRules } from './check-rules.ts'
import { checkSchema } from './check-schema.ts'
import { didYouMean } from './did-you-mean.ts'
import { clip } from './in-words.ts'
import type { RawInstrument, RawParameter } from './site-schema.ts'
import type { Path } from './yaml-source.ts'

/** What a check needs to know of a parameter of a model, whatever its driver speaks. */
interface Spec extends ValueDescription {
  readable?: boolean
  write?: unknown
  safe?: Value
}

/**
 * Checks an instrument against its model: transport, options, parameters, limits, safe values, actions.
 * Without models only what the site says by itself is compared.
 */
export function checkAgainstModel(
  raw: RawInstrument,
  endpoint: Address | null,
  path: Path,
  { models, report }: Pick<Surroundings, 'models' | 'report'>,
): void {
  const model = models && raw.model !== undefined ? models.get(raw.model) : undefined
  if (models && raw.model !== undefined && !model) {
    const known = didYouMean(raw.model, [...models.keys()])
    report([...path, 'model'], `There is no model "${clip(raw.model)}".${known}`)
  }
  const driver = model && makeDriver(model, raw, path, report)
  if (driver === 'broken') return
  if (model && endpoint) checkTransport(model, endpoint, [...path, 'address'], report)
  const parameters = driver && withCalibrated(driver.parameters, raw.calibrations)
  for (const [name, override] of Object.entries(raw.parameters ?? {})) {
    const spec = parameters && own<Spec>(parameters, name)
    if (parameters && !spec) {
      const known = didYouMean(name, Object.keys(parameters))
      report(
        [...path, 'parameters', name],
        `The model ${model?.id} has no parameter "${name}".${known}`,
        'key',
      )
    } else {
      checkParameter(name, override, spec, [...path, 'parameters', name], report)
    }
  }
  if (!driver) return
  checkUses(raw.calibrations, driver, raw.parameters ?? {}, path, report)
  for (const name of Object.keys(raw.actions ?? {})) {
    if (own<unknown>(driver.actions, name) === undefined) {
      const known = didYouMean(name, Object.keys(driver.actions))
      report([...path, 'actions', name], `The model ${model?.id} has no action "${name}".${known}`, 'key')
    }
  }
  checkArguments(raw, driver, path, report)
}

/** Checks what the site says of the arguments of actions. */
function checkArguments(raw: RawInstrument, driver: Driver, path: Path, report: Report): void {
  for (const [action, { arguments: said = {} }] of Object.entries(raw.actions ?? {})) {
    const known = own<AnyActionSpec>(driver.actions, action)
    if (!known) continue
    const specs = known.arguments ?? {}
    for (const [name, override] of Object.entries(said)) {
      const place = [...path, 'actions', action, 'arguments', name]
      const spec = own<ArgumentDescription>(specs, name)
      if (!spec) {
        report(place, `${action} has no argument "${name}".${didYouMean(name, Object.keys(specs))}`, 'key')
      } else if (spec.type !== 'number' && spec.type !== 'integer') {
        report(place, `${name} is no number (${spec.type}): it can't have limits. Remove it.`, 'key')
      } else {
        checkLimits(name, override, spec, place, report)
      }
    }
  }
}

const WRITE_INSTEAD: Readonly<Record<Model['transport'], string>> = {
  http: 'is reached over HTTP. Write an address like http://10.10.0.5.',
  line: 'is reached over a serial port, TCP or USBTMC. Write serial:/dev/serial/by-id/..., tcp://host:port or usbtmc:/dev/usbtmc0.',
  modbus: 'speaks Modbus. Write modbus-tcp://host/UNIT or modbus-rtu:/dev/serial/by-id/...?unit=UNIT.',
  mqtt: 'is reached through an MQTT broker. Write mqtt://broker/topic.',
  hid: 'is a USB HID device. Write hid:VENDOR:PRODUCT or hid:/dev/hidraw0.',
}

function checkTransport(model: Model, endpoint: Address, path: Path, report: Report): void {
  if (endpoint.kind === 'sim' || ADDRESS_KINDS[model.transport].includes(endpoint.kind)) return
  report(path, `The model ${model.id} ${WRITE_INSTEAD[model.transport]}`)
}

/**
 * The driver the worker will use, or undefined when the options leave none. broken: a file of the site is at fault,
 * which is no reason to start without everything else; who loaded it tells what is wrong.
 */
function makeDriver(
  model: Model,
  raw: RawInstrument,
  path: Path,
  report: Report,
): Driver | 'broken' | undefined {
  const options = structuredClone(raw.options ?? {})
  const place = [...path, 'options']
  try {
    const faults = checkSchema(options, model.optionsSchema)
    for (const fault of faults) report([...place, ...fault.path], fault.message, fault.at)
    return faults.length === 0 ? model.create(options) : undefined
  } catch (error) {
    if (model.file !== undefined && error instanceof GolemError && error.code === 'INTERNAL') return 'broken'
    report(place, `The model ${model.id} does not take these options: ${messageOf(error)}`, 'key')
    return undefined
  }
}

function checkParameter(
  name: string,
  raw: RawParameter,
  spec: Spec | undefined,
  path: Path,
  report: Report,
): void {
  const numeric = spec === undefined || spec.type === 'number' || spec.type === 'integer'
  if (!numeric) {
    for (const key of ['min', 'max', 'decimals'] as const) {
      if (raw[key] !== undefined) {
        report(
          [...path, key],
          `${name} is no number (${spec.type}): it can't have "${key}". Remove it.`,
          'key',
        )
      }
    }
  }
  if (spec?.readable === false && raw.pollEvery !== undefined) {
    report([...path, 'pollEvery'], `${name} can't be read, so it is never polled. Remove "pollEvery".`, 'key')
  }
  checkRules(name, raw, spec, path, report)
  if (raw.alarms)
    checkAlarms(name, raw.alarms, { spec, hidden: raw.hidden ?? false }, [...path, 'alarms'], report)
  const limits = numeric ? checkLimits(name, raw, spec, path, report) : {}
  if (limits !== null) checkSafe(name, raw, spec, limits, path, report)
}

/** Checks min and max; returns those that hold here, or null when they make no sense. */
function checkLimits(
  name: string,
  raw: RawParameter,
  spec: Spec | undefined,
  path: Path,
  report: Report,
): { min?: number; max?: number } | null {
  let sound = true
  for (const key of ['min', 'max'] as const) {
    const value = raw[key]
    if (value === undefined || spec === undefined) continue
    if (value < (spec.min ?? -Infinity) || value > (spec.max ?? Infinity)) {
      report([...path, key], `${value} is outside what the model allows for ${name}: ${rangeOf(spec)}.`)
      sound = false
    }
  }
  const min = raw.min ?? spec?.min
  const max = raw.max ?? spec?.max
  if (sound && min !== undefined && max !== undefined && min > max) {
    report([...path, 'min'], `min (${min}) is above max (${max}). Exchange or correct them.`)
    sound = false
  }
  return sound ? { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) } : null
}

function checkSafe(
  name: string,
  raw: RawParameter,
  spec: Spec | undefined,
  limits: { min?: number; max?: number },
  path: Path,
  report: Report,
): void {
  const place = [...path, 'safe']
  if (raw.safe === null) return
  if (spec === undefined) {
    if (typeof raw.safe !== 'number') return
    const wrong = valueFault(name, { type: 'number', ...limits }, raw.safe)
    if (wrong !== null) report(place, wrong)
    return
  }
  if (spec.write === undefined) {
    if (raw.safe !== undefined)
      report(place, `${name} can only be read: it can't have "safe". Remove it.`, 'key')
    return
  }
  const safe = raw.safe ?? spec.safe
  if (safe === undefined) return
  const wrong = valueFault(name, { ...spec, ...limits }, safe)
  if (wrong === null) return
  if (raw.safe !== undefined) report(place, wrong)
  else {
    const key = raw.min === undefined ? 'max' : 'min'
    report(
      [...path, key],
      `The emergency stop brings ${name} to ${valueInWords(safe)}, which these limits exclude. Give it another value with "safe", or "safe: null" to leave it.`,
    )
  }
}

function valueFault(name: string, allowed: ValueDescription, value: Value): string | null {
  try {
    checkValue(name, allowed, value, '')
    return null
  } catch (error) {
    return messageOf(error)
  }
}

function rangeOf({ min, max, unit }: ValueDescription): string {
  const suffix = unit ? ` ${unit}` : ''
  if (min !== undefined && max !== undefined) return `${min} to ${max}${suffix}`
  return min === undefined ? `at most ${String(max)}${suffix}` : `at least ${min}${suffix}`
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
