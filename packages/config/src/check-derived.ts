import type { Derivation } from '@golem/calibration'
import type { Model } from '@golem/core'
import { checkAlarms, readAlarms } from './check-alarms.ts'
import { withCalibrated } from './check-calibrations.ts'
import { readDuration, type Report } from './check-instrument.ts'
import { COMBINING, type RawDerived, type RawDerivedParameter, WINDOWED } from './derived-schema.ts'
import { didYouMean } from './did-you-mean.ts'
import { clip } from './in-words.ts'
import { DEFAULT_GROUP, type DerivedConfig, type DerivedParameter, type InstrumentConfig } from './site.ts'
import type { Path } from './yaml-source.ts'

const WINDOW_BOUNDS = [1_000, 24 * 3_600_000] as const
const PER_BOUNDS = [1_000, 24 * 3_600_000] as const
const DEFAULT_PER_MS = 60_000
const DEFAULT_POINTS = 5

interface Surroundings {
  instruments: readonly InstrumentConfig[]
  models: ReadonlyMap<string, Model> | undefined
  report: Report
}

/** Reads the derived readings. What is faulty is reported, and stands in the result with placeholders. */
export function readDerived(raw: readonly (RawDerived | undefined)[], around: Surroundings): DerivedConfig[] {
  const known = knownReadings(around)
  const ids = new Set(around.instruments.map(({ id }) => id))
  return raw.map((given, index) => {
    const { id = '', label, group = DEFAULT_GROUP, parameters = {} } = given ?? {}
    const path: Path = ['derived', index]
    if (id !== '' && ids.has(id)) {
      around.report([...path, 'id'], `There is an instrument "${id}" already. Give each its own id.`)
    }
    ids.add(id)
    const own = new Set<string>()
    known.set(id, own)
    const entries = Object.entries(parameters).map(([name, one]) => {
      const parameter = readParameter(name, one, [...path, 'parameters', name], known, around.report)
      // What stands further below may be made of it; what stands above may not, so that none is made of itself.
      own.add(name)
      return [name, parameter] as const
    })
    return { id, label: label ?? id, group, parameters: Object.fromEntries(entries) }
  })
}

/** What can be read, by instrument; null: that is not known. */
function knownReadings({ instruments, models }: Surroundings): Map<string, Set<string> | null> {
  return new Map(
    instruments.map((one) => {
      try {
        const driver = models?.get(one.model)?.create(one.options)
        if (!driver) return [one.id, null]
        const readable = Object.entries(withCalibrated(driver.parameters, one.calibrations)).filter(
          ([name, spec]) => spec.readable !== false && one.parameters[name]?.hidden !== true,
        )
        return [one.id, new Set(readable.map(([name]) => name))]
      } catch {
        // Reported with the instrument; what can't be looked up is not judged.
        return [one.id, null]
      }
    }),
  )
}

function readParameter(
  name: string,
  raw: RawDerivedParameter,
  path: Path,
  known: ReadonlyMap<string, ReadonlySet<string> | null>,
  report: Report,
): DerivedParameter {
  const ways = [...COMBINING, ...WINDOWED].filter((way) => raw[way] !== undefined)
  if (ways.length > 1) report(path, `It has ${ways.join(' and ')}. Give one of them.`)
  const way = ways[0] ?? 'sum'
  const from = [raw[way] ?? []].flat().flatMap((text, index) => {
    if (text === undefined) return []
    const place = Array.isArray(raw[way]) ? [...path, way, index] : [...path, way]
    return [readSource(text, place, known, report)]
  })
  const isWindowed = WINDOWED.some((one) => one === way)
  for (const key of ['window', 'points', 'per'] as const) {
    if (raw[key] === undefined || (isWindowed && (key !== 'per' || way === 'rate'))) continue
    report([...path, key], `"${key}" says nothing of a ${way}. Remove it.`, 'key')
  }
  if (isWindowed && raw.window === undefined) {
    report(path, `A ${way} is one over a time: write "window" too, e.g. window: 5 min.`, 'key')
  }
  if (raw.alarms) {
    checkAlarms(name, raw.alarms, { spec: { type: 'number' }, hidden: false }, [...path, 'alarms'], report)
  }
  const { label = name, group, unit, decimals, note, factor = 1 } = raw
  return {
    label,
    ...(group === undefined ? {} : { group }),
    ...(unit === undefined ? {} : { unit }),
    ...(decimals === undefined ? {} : { decimals }),
    ...(note === undefined ? {} : { note }),
    ...(raw.alarms === undefined ? {} : { alarms: readAlarms(raw.alarms, [...path, 'alarms'], report) }),
    derivation: derivationOf(way, raw, path, report),
    from,
    factor,
  }
}

function readSource(
  text: string,
  path: Path,
  known: ReadonlyMap<string, ReadonlySet<string> | null>,
  report: Report,
): DerivedParameter['from'][number] {
  const dot = text.indexOf('.')
  const [instrument, parameter] = [text.slice(0, dot), text.slice(dot + 1)]
  const names = known.get(instrument)
  if (names === undefined) {
    report(path, `There is no instrument "${clip(instrument)}".${didYouMean(instrument, [...known.keys()])}`)
  } else if (names !== null && !names.has(parameter)) {
    report(path, `${instrument} has no reading "${clip(parameter)}".${didYouMean(parameter, [...names])}`)
  }
  return { instrument, parameter }
}

function derivationOf(
  kind: (typeof COMBINING)[number] | (typeof WINDOWED)[number],
  raw: RawDerivedParameter,
  path: Path,
  report: Report,
): Derivation {
  const duration = (key: 'window' | 'per', bounds: readonly [number, number], otherwise: number): number =>
    raw[key] === undefined ? otherwise : (readDuration(raw[key], bounds, [...path, key], report) ?? otherwise)
  switch (kind) {
    case 'mean':
    case 'rSquared':
    case 'rate': {
      const window = {
        windowMs: duration('window', WINDOW_BOUNDS, WINDOW_BOUNDS[0]),
        minPoints: raw.points ?? DEFAULT_POINTS,
      }
      if (kind !== 'rate') return { kind, ...window }
      return { kind, ...window, perMs: duration('per', PER_BOUNDS, DEFAULT_PER_MS) }
    }
    default:
      return { kind }
  }
}
