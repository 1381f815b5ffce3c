import {
  type AnyParameterSpec,
  checkValue,
  type Driver,
  type InterlockRule,
  type InterlockTarget,
  messageOf,
  type Model,
  type Value,
  valueInWords,
  type ValueDescription,
  type WatchedCondition,
  type WatchedReading,
} from '@golem/core'
import { withCalibrated } from './check-calibrations.ts'
import { readDuration, type Report } from './check-instrument.ts'
import { describeParameter } from './describe.ts'
import { didYouMean } from './did-you-mean.ts'
import { formatDuration } from './duration.ts'
import { clip } from './in-words.ts'
import type { RawInterlock, RawWatched } from './interlocks-schema.ts'
import type { InstrumentConfig } from './site.ts'
import type { Path } from './yaml-source.ts'

const FOR_MAX_MS = 3_600_000
const MAX_AGE_BOUNDS = [200, 24 * 3_600_000] as const
const COMPARISONS = ['above', 'below', 'equals', 'notEquals'] as const

interface Around {
  instruments: readonly InstrumentConfig[]
  /** By id of the instrument; of those that are missing nothing is known. */
  drivers: ReadonlyMap<string, Driver>
  report: Report
}

/**
 * Reads the interlocks. What is faulty is reported; what is left is good for finding further faults only.
 *
 * @param models - absent: what the rules name is looked up among the instruments only
 */
export function readInterlocks(
  raw: readonly (RawInterlock | undefined)[],
  instruments: readonly InstrumentConfig[],
  models: ReadonlyMap<string, Model> | undefined,
  report: Report,
): InterlockRule[] {
  if (raw.length === 0) return []
  const around: Around = { instruments, drivers: driversOf(instruments, models), report }
  const names = new Map<string, number>()
  const rules = raw.map((one, index) => {
    const name = one?.name ?? ''
    const first = names.get(name)
    if (name !== '' && first !== undefined) {
      report(
        ['interlocks', index, 'name'],
        `interlocks[${first}] is called "${name}" already. Give each its own name.`,
      )
    } else names.set(name, index)
    return readInterlock(one ?? {}, ['interlocks', index], around)
  })
  checkTrips(rules, around)
  return rules
}

function readInterlock(raw: RawInterlock, path: Path, around: Around): InterlockRule {
  const { report } = around
  const refuse = (raw.refuse ?? []).flatMap((text, n) =>
    text === undefined ? [] : readRefused(text, [...path, 'refuse', n], around),
  )
  const trip = Object.entries(raw.trip ?? {}).flatMap(([text, value]) =>
    readTrip(text, value, [...path, 'trip', text], around),
  )
  if (raw.refuse === undefined && raw.trip === undefined) {
    report(
      path,
      'It does nothing. Say with "refuse" what is not to be carried out, or with "trip" what is to be written.',
    )
  }
  const trips = raw.trip !== undefined
  for (const key of ['latch', 'stale'] as const) {
    if (trips || (key === 'stale' ? raw.stale !== 'trip' : raw.latch === undefined)) continue
    report(
      [...path, key],
      `"${key}: ${String(raw[key])}" is about "trip", and it has none. Remove it.`,
      'key',
    )
  }
  return {
    name: raw.name ?? '',
    watch: readWatch(raw.watch ?? {}, [...path, 'watch'], around),
    refuse,
    trip,
    allow: (raw.allow ?? []).flatMap((text, n) =>
      text === undefined ? [] : readAction(text, [...path, 'allow', n], around),
    ),
    stale: raw.stale ?? (trips ? 'trip' : 'refuse'),
    latch: trips && (raw.latch ?? true),
    ...(raw.guidance === undefined ? {} : { guidance: raw.guidance }),
  }
}

function readWatch(
  raw: NonNullable<RawInterlock['watch']>,
  path: Path,
  around: Around,
): InterlockRule['watch'] {
  const { any, all, ...single } = raw
  const given = [any, all, Object.keys(single).length > 0 ? single : undefined].filter(
    (one) => one !== undefined,
  )
  if (given.length !== 1) {
    around.report(
      path,
      'Write one reading with its limit, or a list of such under "any", or one under "all".',
    )
    return { all: false, readings: [] }
  }
  const key = any ? 'any' : 'all'
  const list = any ?? all
  const readings = list
    ? list.flatMap((one, n) => (one ? readWatched(one, [...path, key, n], around) : []))
    : readWatched(single, path, around)
  return { all: all !== undefined, readings }
}

function readWatched(raw: RawWatched, path: Path, around: Around): WatchedReading[] {
  const { report } = around
  if (raw.reading === undefined) {
    report(path, '"reading" is missing (a reading, as INSTRUMENT.PARAMETER). Add it.')
    return []
  }
  const given = COMPARISONS.filter((key) => raw[key] !== undefined)
  if (given.length !== 1) {
    report(path, 'Write one of "above", "below", "equals" and "notEquals": one of them, and not more.')
    return []
  }
  const found = findInstrument(raw.reading, [...path, 'reading'], around)
  if (!found) return []
  const { instrument, name, driver } = found
  const spec = driver && parameterOf(found, [...path, 'reading'], around)
  if (driver && !spec) return []
  const isHidden = instrument.parameters[name]?.hidden === true
  if (spec?.readable === false || isHidden) {
    const why = isHidden ? 'is hidden here' : "can't be read"
    report([...path, 'reading'], `${raw.reading} ${why}, so nobody knows it. Watch another one.`)
  }
  const condition = readCondition(raw, spec, path, report)
  const forMs =
    raw.for === undefined ? 0 : (readDuration(raw.for, [0, FOR_MAX_MS], [...path, 'for'], report) ?? 0)
  const pollEveryMs = instrument.parameters[name]?.pollEveryMs ?? instrument.pollEveryMs
  const staleMs = Math.max(3 * pollEveryMs, pollEveryMs + 2_000, driver?.silenceMs ?? 0)
  const maxAgeMs =
    (raw.maxAge === undefined
      ? undefined
      : readDuration(raw.maxAge, MAX_AGE_BOUNDS, [...path, 'maxAge'], report)) ?? staleMs
  if (maxAgeMs <= pollEveryMs) {
    report(
      [...path, 'maxAge'],
      `${raw.reading} is read every ${formatDuration(pollEveryMs)}: it would be older than ${formatDuration(maxAgeMs)} again and again. Make maxAge longer or pollEvery shorter.`,
    )
  }
  return [{ ...condition, instrument: instrument.id, parameter: name, forMs, maxAgeMs }]
}

function readCondition(
  raw: RawWatched,
  spec: AnyParameterSpec | undefined,
  path: Path,
  report: Report,
): WatchedCondition {
  const isNumber = spec === undefined || spec.type === 'number' || spec.type === 'integer'
  for (const is of ['above', 'below'] as const) {
    const limit = raw[is]
    if (limit === undefined) continue
    if (!isNumber)
      report([...path, is], `${raw.reading ?? ''} is no number (${spec.type}). Use "equals".`, 'key')
    return { is, limit, hysteresis: raw.hysteresis ?? 0 }
  }
  if (raw.hysteresis !== undefined) {
    report([...path, 'hysteresis'], '"hysteresis" belongs to "above" and "below". Remove it.', 'key')
  }
  const is = raw.equals === undefined ? 'notEquals' : 'equals'
  const value = raw[is] ?? ''
  if (spec) checkFits(raw.reading ?? '', withoutLimits(spec), value, [...path, is], report)
  return { is, value }
}

function readRefused(text: string, path: Path, around: Around): InterlockTarget[] {
  const [place, given] = splitOnce(text)
  const found = findInstrument(place, path, around)
  if (!found) return []
  const { instrument, name, driver } = found
  const target = { instrument: instrument.id, name }
  if (!driver) return [given === undefined ? target : { ...target, value: plainValue(given) }]
  if (Object.hasOwn(driver.actions, name)) {
    if (given === undefined) return [target]
    around.report(path, `${place} is an action and has no value. Leave out "= ${clip(given)}".`)
    return []
  }
  const spec = parameterOf(found, path, around)
  if (!spec || !isWritable(place, spec, path, around.report)) return []
  if (given === undefined) return [target]
  const value = valueFor(spec, given)
  return checkFits(place, withoutLimits(spec), value, path, around.report) ? [{ ...target, value }] : []
}

function readTrip(
  text: string,
  value: Value,
  path: Path,
  around: Around,
): (InterlockTarget & { value: Value })[] {
  const found = findInstrument(text, path, around, 'key')
  if (!found) return []
  const { instrument, name, driver } = found
  const target = { instrument: instrument.id, name, value }
  if (!driver) return [target]
  const spec = parameterOf(found, path, around, 'key')
  if (!spec || !isWritable(text, spec, path, around.report)) return []
  const described = describeParameter(spec, instrument.parameters[name] ?? {})
  if (!checkFits(text, described, value, path, around.report)) return []
  const { maxOnMs } = instrument.parameters[name]?.rules ?? {}
  if (maxOnMs !== undefined && described.safe !== value) {
    around.report(
      path,
      `${text} has "maxOn", which brings it to its safe value, and this interlock would hold it at ${valueInWords(value)}: the two would fight. Take one of them away.`,
    )
  }
  return [target]
}

function readAction(text: string, path: Path, around: Around): InterlockTarget[] {
  const found = findInstrument(text, path, around)
  if (!found) return []
  const { instrument, name, driver } = found
  if (driver && !Object.hasOwn(driver.actions, name)) {
    const known = didYouMean(name, Object.keys(driver.actions))
    around.report(path, `${instrument.id} has no action "${name}".${known}`)
    return []
  }
  return [{ instrument: instrument.id, name }]
}

/** One output has one value to be held at, and nobody goes round the rules. */
function checkTrips(rules: readonly InterlockRule[], { instruments, report }: Around): void {
  const held = new Map<string, { value: Value; rule: string }>()
  for (const [index, { name: rule, trip }] of rules.entries()) {
    for (const { instrument, name, value } of trip) {
      const place = `${instrument}.${name}`
      const before = held.get(place)
      if (before && before.value !== value) {
        report(
          ['interlocks', index, 'trip', place],
          `"${before.rule}" brings ${place} to ${valueInWords(before.value)} and this one to ${valueInWords(value)}: when both act, they would fight. Write the same value in both.`,
        )
      }
      held.set(place, before ?? { value, rule })
    }
  }
  const concerned = new Set(
    rules.flatMap(({ trip, refuse }) => [...trip, ...refuse].map((one) => one.instrument)),
  )
  for (const [index, { id, gateway }] of instruments.entries()) {
    if (!concerned.has(id) || !gateway || gateway.readOnly) continue
    report(
      ['instruments', index, 'gateway'],
      `Interlocks hold outputs of ${id}, and what clients of a gateway port write can't be judged by them. Write "readOnly: true", or take one of them away.`,
      'key',
    )
  }
}

interface Found {
  instrument: InstrumentConfig
  name: string
  driver: Driver | undefined
}

function findInstrument(place: string, path: Path, around: Around, at?: 'key'): Found | null {
  const dot = place.indexOf('.')
  const id = place.slice(0, dot)
  const instrument = around.instruments.find((one) => one.id === id)
  if (instrument) return { instrument, name: place.slice(dot + 1), driver: around.drivers.get(id) }
  const known = didYouMean(
    id,
    around.instruments.map((one) => one.id),
  )
  around.report(path, `There is no instrument "${clip(id)}".${known}`, at)
  return null
}

function parameterOf(
  { instrument, name, driver }: Found,
  path: Path,
  { report }: Around,
  at?: 'key',
): AnyParameterSpec | undefined {
  const parameters = driver ? withCalibrated(driver.parameters, instrument.calibrations) : {}
  const spec: AnyParameterSpec | undefined = Object.hasOwn(parameters, name) ? parameters[name] : undefined
  if (!spec) {
    report(
      path,
      `${instrument.id} has no parameter "${name}".${didYouMean(name, Object.keys(parameters))}`,
      at,
    )
  }
  return spec
}

function isWritable(place: string, spec: AnyParameterSpec, path: Path, report: Report): boolean {
  if (spec.write) return true
  report(path, `${place} can only be read: there is nothing to refuse or to write. Remove it.`, 'key')
  return false
}

function checkFits(
  place: string,
  allowed: ValueDescription,
  value: Value,
  path: Path,
  report: Report,
): boolean {
  try {
    checkValue(place, allowed, value, '')
    return true
  } catch (error) {
    report(path, messageOf(error))
    return false
  }
}

/** What a reading may be: limits are for what is written. */
function withoutLimits({ type, choices, maxLength, maxItems }: ValueDescription): ValueDescription {
  return {
    type,
    ...(choices ? { choices } : {}),
    ...(maxLength ? { maxLength } : {}),
    ...(maxItems ? { maxItems } : {}),
  }
}

function splitOnce(text: string): [string, string?] {
  const at = text.indexOf('=')
  return at < 0 ? [text] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

/** A value as it stands behind a "=", for a parameter of this type. */
function valueFor({ type }: ValueDescription, text: string): Value {
  if (type === 'choice' || type === 'text') return text
  return plainValue(text)
}

function plainValue(text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** The drivers of the instruments; what their options do to them is told where those are checked. */
function driversOf(
  instruments: readonly InstrumentConfig[],
  models: ReadonlyMap<string, Model> | undefined,
): Map<string, Driver> {
  const drivers = new Map<string, Driver>()
  for (const { id, model, options } of instruments) {
    try {
      const driver = models?.get(model)?.create(options)
      if (driver) drivers.set(id, driver)
    } catch {
      // Reported with the instrument; what can't be looked up is not judged.
      continue
    }
  }
  return drivers
}
