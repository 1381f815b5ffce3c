import { inputsOf, newestOf, withVersion } from '@golem/calibration'
import {
  type AnyParameterSpec,
  type Calibration,
  type Curve,
  type Driver,
  isoTime,
  messageOf,
} from '@golem/core'
import { basename, join } from 'node:path'
import {
  type RawCalibration,
  type RawUse,
  type RawVersion,
  calibrationSchema,
} from './calibrations-schema.ts'
import type { Report } from './check-instrument.ts'
import { checkSchema } from './check-schema.ts'
import { didYouMean } from './did-you-mean.ts'
import { clip, inWords } from './in-words.ts'
import { ID_PATTERN } from './schema-parts.ts'
import type { Fault } from './site-faults.ts'
import type { CalibratedParameter, InstrumentConfig } from './site.ts'
import { yamlFilesIn } from './yaml-files.ts'
import { formatPath, type Path, readYamlSource } from './yaml-source.ts'

const CURVES = ['linear', 'polynomial', 'table', 'surface'] as const

/**
 * Reads the calibrations of folders (`calibrations/*.yaml`, one name a file); a folder that is not there has none. A file
 * of a later folder replaces one of the same name.
 *
 * @param faults - gets what is wrong with them
 */
export function readCalibrations(folders: readonly string[], faults: Fault[]): Calibration[] {
  const files = new Map<string, string>()
  for (const folder of folders) {
    for (const file of yamlFilesIn(join(folder, 'calibrations'), faults)) files.set(basename(file), file)
  }
  return [...files.values()].flatMap((file) => readFile(file, faults))
}

function readFile(file: string, faults: Fault[]): Calibration[] {
  const source = readYamlSource(file)
  faults.push(...source.faults)
  const report: Report = (path, message, at) => {
    faults.push({ file, ...source.locate(path, at), path: formatPath(path), message })
  }
  const name = basename(file, '.yaml')
  if (!new RegExp(ID_PATTERN).test(name)) {
    report([], `The name of the file is that of the calibration: a-z, 0-9 and -. "${clip(name)}" is none.`)
  }
  const { data } = source
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    if (source.faults.length === 0)
      report([], `The file is ${inWords(data)} instead of a table with "versions".`)
    return []
  }
  for (const fault of checkSchema(data, calibrationSchema)) report(fault.path, fault.message, fault.at)
  const raw: RawCalibration = data
  const seen = new Map<string, number>()
  return (raw.versions ?? []).flatMap((given, index) => {
    const one = readVersion(name, raw, given ?? {}, ['versions', index], report)
    if (!one) return []
    const first = seen.get(one.at)
    if (first !== undefined) {
      report(
        ['versions', index, 'at'],
        `versions[${first}] is of the same moment. Which of them counts could not be told.`,
      )
    }
    seen.set(one.at, index)
    return [one]
  })
}

function readVersion(
  name: string,
  { unit, of }: RawCalibration,
  raw: RawVersion,
  path: Path,
  report: Report,
): Calibration | null {
  const given = CURVES.filter((kind) => raw[kind] !== undefined)
  if (given.length > 1) {
    report(path, `It has ${given.join(' and ')}. A version has one curve: write several versions.`)
    return null
  }
  const curve = curveOf(raw)
  // Without any of these the schema has said so, or what was wrong with it.
  if (!curve || raw.at === undefined || raw.by === undefined) return null
  const at = Date.parse(raw.at.includes(':') ? raw.at.replace(' ', 'T') : raw.at)
  if (Number.isNaN(at)) {
    report([...path, 'at'], `${raw.at} is no day of the calendar.`)
    return null
  }
  const range = pairs(raw.range)
  const points = raw.points?.flatMap((point, n) => {
    if (point?.length === inputsOf(curve) + 1) {
      return [{ inputs: point.slice(0, -1), value: point.at(-1) ?? 0 }]
    }
    report(
      [...path, 'points', n],
      `A point of this curve has ${inputsOf(curve) + 1} numbers: the inputs and the value.`,
    )
    return []
  })
  try {
    return withVersion({
      name,
      at: isoTime(at),
      by: raw.by,
      ...(raw.note === undefined ? {} : { note: raw.note }),
      ...(unit === undefined ? {} : { unit }),
      ...(of === undefined ? {} : { of }),
      source: 'file',
      curve,
      ...(range === undefined ? {} : { range }),
      ...(raw.rSquared === undefined ? {} : { rSquared: raw.rSquared }),
      ...(points === undefined ? {} : { points }),
    })
  } catch (error) {
    report(path, messageOf(error))
    return null
  }
}

function curveOf(raw: RawVersion): Curve | null {
  const numbers = (list: readonly (number | undefined)[]): number[] => list.map((one) => one ?? NaN)
  if (raw.linear) {
    const { slope, offset } = raw.linear
    return slope === undefined || offset === undefined ? null : { kind: 'linear', slope, offset }
  }
  if (raw.polynomial) return { kind: 'polynomial', coefficients: numbers(raw.polynomial) }
  if (raw.surface) return { kind: 'surface', coefficients: numbers(raw.surface) }
  return raw.table ? { kind: 'table', points: pairs(raw.table) ?? [] } : null
}

function pairs(list: readonly (readonly number[] | undefined)[] | undefined): [number, number][] | undefined {
  return list?.map((pair) => [pair?.[0] ?? NaN, pair?.[1] ?? NaN])
}

/** What an instrument says of its calibrated parameters; those at fault have been told by the schema. */
export function readUses(
  raw: Readonly<Record<string, RawUse>> | undefined,
): Record<string, CalibratedParameter> {
  return Object.fromEntries(
    Object.entries(raw ?? {}).map(([name, { from = [], use = '', writable = false }]) => [
      name,
      { from: from.filter((one) => one !== undefined), use, writable },
    ]),
  )
}

/** A driver's parameters with those that calibrations add: numbers that are read. */
export function withCalibrated(
  parameters: Readonly<Record<string, AnyParameterSpec>>,
  calibrations: Readonly<Record<string, { from?: readonly (string | undefined)[] }>> | undefined,
): Readonly<Record<string, AnyParameterSpec>> {
  if (calibrations === undefined) return parameters
  const specs = Object.entries(calibrations).flatMap(([name, { from = [] }]) => {
    if (Object.hasOwn(parameters, name)) return []
    const [raw = ''] = from
    const group = Object.hasOwn(parameters, raw) ? parameters[raw]?.group : undefined
    return [[name, { label: name, type: 'number', ...(group === undefined ? {} : { group }) }] as const]
  })
  return { ...parameters, ...Object.fromEntries(specs) }
}

/** Checks calibrated parameters against the driver. */
export function checkUses(
  raw: Readonly<Record<string, RawUse>> | undefined,
  driver: Driver,
  overrides: Readonly<Record<string, { hidden?: boolean; pollEvery?: string }>>,
  path: Path,
  report: Report,
): void {
  const parameters: Readonly<Record<string, AnyParameterSpec>> = driver.parameters
  const spec = (name: string): AnyParameterSpec | undefined =>
    Object.hasOwn(parameters, name) ? parameters[name] : undefined
  for (const [name, { from = [], writable }] of Object.entries(raw ?? {})) {
    const place = [...path, 'calibrations', name]
    if (spec(name)) report(place, `The model has a parameter "${name}" already. Choose another name.`, 'key')
    for (const [index, one] of from.entries()) {
      if (one === undefined) continue
      const found = spec(one)
      const at = [...place, 'from', index]
      if (!found)
        report(at, `There is no parameter "${clip(one)}".${didYouMean(one, Object.keys(parameters))}`)
      else if (found.type !== 'number' && found.type !== 'integer') {
        report(at, `${one} is no number (${found.type}): nothing can be made of it.`)
      } else if (overrides[one]?.hidden) {
        report(at, `${one} is hidden, and what is made of it stands beside it. Remove "hidden" there.`)
      } else if (found.readable === false) report(at, `${one} can't be read, so nothing can be made of it.`)
    }
    if (overrides[name]?.pollEvery !== undefined) {
      report(
        [...path, 'parameters', name, 'pollEvery'],
        `${name} is made of ${from.join(' and ')}, as often as that is read. Remove "pollEvery".`,
        'key',
      )
    }
    if (!writable) continue
    const [first, second] = from
    if (second !== undefined) {
      report(
        [...place, 'writable'],
        'What is made of two parameters can not be set: many pairs give the same value.',
      )
    } else if (first !== undefined && spec(first) && !spec(first)?.write) {
      report([...place, 'writable'], `${first} can only be read, so ${name} can't be set either.`)
    }
  }
}

/** Checks that calibrations take as many inputs as they are given. */
export function checkInputs(
  instruments: readonly InstrumentConfig[],
  calibrations: readonly Calibration[],
  report: Report,
): void {
  const newest = newestOf(calibrations)
  for (const [index, instrument] of instruments.entries()) {
    for (const [name, { from, use }] of Object.entries(instrument.calibrations ?? {})) {
      const calibration = newest.get(use)
      if (!calibration || from.length === 0) continue
      const wanted = inputsOf(calibration.curve)
      if (wanted === from.length) continue
      report(
        ['instruments', index, 'calibrations', name, 'from'],
        `The calibration ${use} takes ${wanted} ${wanted === 1 ? 'parameter' : 'parameters'}, not ${from.length}.`,
      )
    }
  }
}
