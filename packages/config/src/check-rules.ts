import {
  type Address,
  type CountRules,
  type OutputRules,
  type Value,
  type ValueDescription,
  defaultMatches,
  valueInWords,
} from '@golem/core'
import { readDuration, type Report } from './check-instrument.ts'
import type { RawRules } from './rules-schema.ts'
import type { RawInstrument, RawParameter } from './site-schema.ts'
import type { Path } from './yaml-source.ts'

const LEAST_MS = 1_000
/** Its worker looks five times a second, and a write may take a second try. */
const LEAST_REARM_MS = 2_000
const MOST_MS = 366 * 24 * 3_600_000
const TIMES = ['maxOn', 'minOn', 'minOff', 'rearm'] as const
const RULES = [...TIMES, 'slew', 'count'] as const
const COUNT_MOST_MS = 100 * MOST_MS

/** Reads the rules of an output; undefined when it has none. */
export function readRules(
  raw: { [Rule in keyof RawRules]: RawRules[Rule] | undefined },
  path: Path,
  report: Report,
): OutputRules | undefined {
  const read = (key: (typeof TIMES)[number]): number | undefined => {
    const text = raw[key]
    return text === undefined ? undefined : readDuration(text, [LEAST_MS, MOST_MS], [...path, key], report)
  }
  const [maxOnMs, minOnMs, minOffMs, rearmMs] = TIMES.map(read)
  const { perSecond, step } = raw.slew ?? {}
  const rules: OutputRules = {
    ...(maxOnMs === undefined ? {} : { maxOnMs }),
    ...(minOnMs === undefined ? {} : { minOnMs }),
    ...(minOffMs === undefined ? {} : { minOffMs }),
    ...(rearmMs === undefined ? {} : { rearmMs }),
    ...(perSecond === undefined ? {} : { slew: { perSecond, step: step ?? perSecond } }),
    ...(raw.count === undefined ? {} : { count: readCount(raw.count, [...path, 'count'], report) }),
  }
  if (minOnMs !== undefined && maxOnMs !== undefined && minOnMs >= maxOnMs) {
    report([...path, 'minOn'], `It has to stay on for ${raw.minOn}, and may for ${raw.maxOn}. Correct one.`)
  }
  return Object.keys(rules).length > 0 ? rules : undefined
}

function readCount(raw: NonNullable<RawRules['count']>, path: Path, report: Report): CountRules {
  const { onTime, cycles, volume, atLimit = 'tell' } = raw
  const time = (key: 'limit' | 'warnAt'): number | undefined => {
    const text = onTime?.[key]
    const bounds = [LEAST_MS, COUNT_MOST_MS] as const
    return text === undefined ? undefined : readDuration(text, bounds, [...path, 'onTime', key], report)
  }
  const [limitMs, warnAtMs] = [time('limit'), time('warnAt')]
  const pairs = { onTime: { limit: limitMs, warnAt: warnAtMs }, cycles, volume }
  for (const [key, { limit = Infinity, warnAt = 0 } = {}] of Object.entries(pairs)) {
    if (warnAt < limit) continue
    report([...path, key, 'warnAt'], 'People are told of the limit itself too. Write less than "limit".')
  }
  if (!onTime && !cycles && !volume) {
    report(path, 'Say what is counted: onTime, cycles or volume, e.g. onTime: { limit: 1000 h }.')
  }
  const hasLimit = [limitMs, cycles?.limit, volume?.limit].some((limit) => limit !== undefined)
  if (atLimit === 'refuse' && !hasLimit) {
    report([...path, 'atLimit'], 'There is no limit to refuse at. Write "limit", or leave this out.')
  }
  return {
    ...(onTime === undefined
      ? {}
      : {
          onTime: {
            ...(limitMs === undefined ? {} : { limitMs }),
            ...(warnAtMs === undefined ? {} : { warnAtMs }),
          },
        }),
    ...(cycles === undefined ? {} : { cycles }),
    ...(volume === undefined ? {} : { volume: { ...volume, litresPerMinute: volume.litresPerMinute ?? 0 } }),
    atLimit,
  }
}

/** What its model says of an output, as far as rules go by it. */
type OutputSpec = ValueDescription & {
  readable?: boolean
  write?: unknown
  safe?: Value
  timed?: { minMs: number; maxMs: number }
}

/** Checks the rules of an output against what its model says of it. */
export function checkRules(
  name: string,
  raw: RawParameter,
  spec: OutputSpec | undefined,
  path: Path,
  report: Report,
): void {
  const given = RULES.filter((rule) => raw[rule] !== undefined)
  for (const rule of spec === undefined ? [] : given) {
    const place = [...path, rule]
    if (spec?.write === undefined) {
      report(place, `${name} can only be read: it can't have "${rule}". Remove it.`, 'key')
    } else if (rule === 'slew' && spec.type !== 'number' && spec.type !== 'integer') {
      report(place, `${name} is no number (${spec.type}): it can't have "slew". Remove it.`, 'key')
    } else if (rule === 'slew' && spec.readable === false && (raw.safe ?? spec.safe) === undefined) {
      report(
        place,
        `${name} can't be read and has no safe value: nobody would know from where it changes. Write "safe" too.`,
        'key',
      )
    } else if (rule !== 'slew' && (raw.safe ?? spec.safe) === undefined) {
      report(
        place,
        `${name} is on when it is not at its safe value, and has none. Write "safe" too, e.g. safe: ${spec.type === 'boolean' ? 'false' : '0'}.`,
        'key',
      )
    }
  }
  if (spec?.write !== undefined && raw.rearm !== undefined) {
    checkRearm(name, raw.rearm, raw.safe ?? undefined, spec, [...path, 'rearm'], report)
  }
  if (raw.safe !== null) return
  for (const rule of given.filter((one) => one !== 'slew')) {
    report(
      [...path, rule],
      `With "safe: null" ${name} is never off. Remove "${rule}", or give a value.`,
      'key',
    )
  }
}

function checkRearm(
  name: string,
  text: string,
  safe: Value | undefined,
  { timed, safe: off }: OutputSpec,
  path: Path,
  report: Report,
): void {
  if (!timed) {
    return report(
      path,
      `This model has no command that switches ${name} on for a time: nothing would switch it off when its worker is dead. Remove "rearm"; "maxOn" is kept by the worker.`,
      'key',
    )
  }
  readDuration(text, [Math.max(LEAST_REARM_MS, timed.minMs), timed.maxMs], path, report)
  if (safe === undefined || (off !== undefined && defaultMatches(off, safe))) return
  report(
    path,
    `When its time is over ${name} goes back to ${valueInWords(off ?? 'what its model says')} by itself, and not to the "safe" that stands here. Remove one of them.`,
    'key',
  )
}

/**
 * What a gateway's clients write can't be judged, and over a TCP line the last switching off can't be sent beside another
 * owner: rules that would not be kept are refused.
 */
export function checkRulesKept(
  raw: RawInstrument,
  endpoint: Address | null,
  readOnlySite: boolean | undefined,
  path: Path,
  report: Report,
): void {
  for (const [name, parameter] of Object.entries(raw.parameters ?? {})) {
    const rule = RULES.find((one) =>
      one === 'count' ? parameter.count?.atLimit === 'refuse' : parameter[one] !== undefined,
    )
    if (rule === undefined) continue
    const place = [...path, 'parameters', name, rule]
    if (raw.gateway !== undefined && !(raw.gateway.readOnly ?? readOnlySite ?? false)) {
      report(
        place,
        `The clients of its gateway port write what they like, and "${rule}" could not be kept. Write "readOnly: true" under "gateway", or remove one of them.`,
        'key',
      )
    }
    if (parameter.maxOn !== undefined && endpoint?.kind === 'tcp' && raw.host === undefined) {
      report(
        [...path, 'parameters', name, 'maxOn'],
        'While Redis is away it is switched off by the worker that had it last, and on a line over TCP no other one may talk in between. Write "host", the machine whose worker owns it.',
        'key',
      )
    }
  }
}
