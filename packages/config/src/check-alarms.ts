import { ALARM_KINDS, type AlarmLimit, type AlarmRule, type Value, type ValueDescription } from '@golem/core'
import type { RawAlarms } from './alarms-schema.ts'
import { readDuration, type Report } from './check-instrument.ts'
import { didYouMean } from './did-you-mean.ts'
import { clip } from './in-words.ts'
import type { InstrumentConfig } from './site.ts'
import type { Path } from './yaml-source.ts'

const DELAY_MAX_MS = 24 * 3_600_000
const DEFAULT_STALE_MS = 60_000
const LIMITS = ['lowLow', 'low', 'high', 'highHigh'] as const

/** Reads the alarms of one parameter; those that are at fault are left out. */
export function readAlarms(raw: RawAlarms, path: Path, report: Report): AlarmRule[] {
  return ALARM_KINDS.flatMap((kind) => {
    const one = raw[kind]
    if (one === undefined) return []
    const place = [...path, kind]
    const duration = (key: 'delay' | 'offDelay'): number =>
      one[key] === undefined ? 0 : (readDuration(one[key], [0, DELAY_MAX_MS], [...place, key], report) ?? 0)
    const common = {
      severity: one.severity ?? 'warning',
      delayMs: duration('delay'),
      offDelayMs: duration('offDelay'),
      latch: one.latch ?? false,
      inhibitDuring: (one.inhibitDuring ?? []).filter((text) => text !== undefined).map(recipeAndStage),
      ...(one.guidance === undefined ? {} : { guidance: one.guidance }),
    }
    const watched = readWatched(kind, raw, place, report)
    return watched === null ? [] : [{ ...common, ...watched }]
  })
}

/** What a rule has to itself; null: it is at fault. */
function readWatched(kind: AlarmRule['kind'], raw: RawAlarms, path: Path, report: Report): AlarmLimit | null {
  switch (kind) {
    case 'deviation': {
      const { from, by, hysteresis = 0 } = raw.deviation ?? {}
      if (from === undefined || by === undefined) return null
      checkHysteresis(hysteresis, by, path, report)
      if (typeof from === 'number') return { kind, from, by, hysteresis }
      const dot = from.indexOf('.')
      if (dot > 0 && dot < from.length - 1) {
        const reference = { instrument: from.slice(0, dot), parameter: from.slice(dot + 1) }
        return { kind, from: reference, by, hysteresis }
      }
      report([...path, 'from'], `"${clip(from)}" is no reading. Write a number, or INSTRUMENT.PARAMETER.`)
      return null
    }
    case 'state': {
      const { equals, notEquals } = raw.state ?? {}
      if ((equals === undefined) === (notEquals === undefined)) {
        report(path, 'Write either "equals" or "notEquals": one of them, and not both.', 'key')
        return null
      }
      return equals === undefined ? { kind, notEquals: asList(notEquals) } : { kind, equals: asList(equals) }
    }
    case 'stale': {
      const { after } = raw.stale ?? {}
      const afterMs =
        after === undefined
          ? undefined
          : readDuration(after, [1000, DELAY_MAX_MS], [...path, 'after'], report)
      return { kind, afterMs: afterMs ?? DEFAULT_STALE_MS }
    }
    default: {
      const { at, hysteresis = 0 } = raw[kind] ?? {}
      return at === undefined ? null : { kind, at, hysteresis }
    }
  }
}

/** A way back that is as long as the way there never ends. */
function checkHysteresis(hysteresis: number, by: number, path: Path, report: Report): void {
  if (hysteresis < by) return
  report(
    [...path, 'hysteresis'],
    `hysteresis (${hysteresis}) is not below "by" (${by}): the alarm would never be over. Make it smaller.`,
  )
}

/**
 * Checks the alarms of a parameter against what the parameter is, and its limits against each other.
 *
 * @param spec - what the model says of it; absent: there are no models
 */
export function checkAlarms(
  name: string,
  raw: RawAlarms,
  { spec, hidden }: { spec: (ValueDescription & { readable?: boolean }) | undefined; hidden: boolean },
  path: Path,
  report: Report,
): void {
  if (hidden) {
    report(path, `${name} is hidden: nobody reads it, so it can't have alarms. Remove "hidden".`, 'key')
  }
  if (spec?.readable === false) {
    report(path, `${name} can't be read, so it can't have alarms. Remove "alarms".`, 'key')
  }
  const isNumber = spec === undefined || spec.type === 'number' || spec.type === 'integer'
  for (const kind of [...LIMITS, 'deviation'] as const) {
    if (isNumber || raw[kind] === undefined) continue
    report(
      [...path, kind],
      `${name} is no number (${spec.type}): it can't have "${kind}". Use "state".`,
      'key',
    )
  }
  if (spec?.type === 'array' && raw.state !== undefined) {
    report([...path, 'state'], `${name} is a list of numbers: it can't have "state". Remove it.`, 'key')
    return
  }
  checkOrder(raw, path, report)
  for (const key of ['equals', 'notEquals'] as const) {
    const given = raw.state?.[key]
    if (given === undefined || spec === undefined) continue
    for (const value of asList(given)) checkState(name, value, spec, [...path, 'state', key], report)
  }
}

function checkOrder(raw: RawAlarms, path: Path, report: Report): void {
  let before: { kind: string; at: number } | null = null
  for (const kind of LIMITS) {
    const at = raw[kind]?.at
    if (at === undefined) continue
    if (before !== null && at <= before.at) {
      report(
        [...path, kind, 'at'],
        `${kind} (${at}) is not above ${before.kind} (${before.at}). Exchange or correct them.`,
      )
    }
    before = { kind, at }
  }
}

function checkState(name: string, value: Value, spec: ValueDescription, path: Path, report: Report): void {
  const { type, choices = [] } = spec
  const fits =
    type === 'boolean'
      ? typeof value === 'boolean'
      : type === 'choice'
        ? choices.some((choice) => choice === value)
        : type === 'text'
          ? typeof value === 'string'
          : typeof value === 'number'
  if (fits) return
  const known = type === 'choice' ? ` It is one of ${choices.join(', ')}.` : ` It is of the type ${type}.`
  report(path, `${name} never has the value "${clip(String(value))}".${known}`)
}

/** Checks that what alarms refer to is there. */
export function checkReferences(
  instruments: readonly InstrumentConfig[],
  derived: readonly string[],
  report: Report,
): void {
  const ids = new Set([...instruments.map(({ id }) => id), ...derived])
  for (const [index, { parameters }] of instruments.entries()) {
    for (const [name, { alarms = [] }] of Object.entries(parameters)) {
      for (const rule of alarms) {
        if (rule.kind !== 'deviation' || typeof rule.from === 'number' || ids.has(rule.from.instrument))
          continue
        report(
          ['instruments', index, 'parameters', name, 'alarms', 'deviation', 'from'],
          `There is no instrument "${clip(rule.from.instrument)}".${didYouMean(rule.from.instrument, [...ids])}`,
        )
      }
    }
  }
}

function asList(given: NonNullable<RawAlarms['state']>['equals']): Value[] {
  return [given ?? []].flat().filter((value) => value !== undefined)
}

function recipeAndStage(text: string): { recipe: string; stage?: string } {
  const slash = text.indexOf('/')
  return slash < 0 ? { recipe: text } : { recipe: text.slice(0, slash), stage: text.slice(slash + 1) }
}
