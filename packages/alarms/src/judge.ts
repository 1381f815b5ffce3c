import { type AlarmRule, type Value, valueInWords } from '@golem/core'

/** A reading as an alarm looks at it. */
export interface Watched {
  value: Value | null
  /** How long ago it was read, in ms; never read (`value` is null): for how long that has been so. */
  ageMs: number
  /** It is a value, and no older than its poll period promises. */
  good: boolean
  /** Why it is not good, as a sentence. */
  error?: string
}

/** What is watched, for sentences. */
export interface Subject {
  /** e.g. `Lamp: temperature` */
  label: string
  unit?: string
}

/** What a rule says of the values there are. */
export interface Judgement {
  /** null: nobody can know, because a value is stale, bad or of another kind; then everything stays as it was. */
  so: boolean | null
  /** What is wrong, as a sentence with value and limit; of use when it is so. */
  message: string
  value: Value | null
}

/**
 * Is it so?
 *
 * @param reference - the other reading of a deviation from one
 * @param wasSo - whether it was so before: then hysteresis holds
 */
export function judge(
  rule: AlarmRule,
  subject: Subject,
  watched: Watched,
  reference: Watched | null,
  wasSo: boolean,
): Judgement {
  if (rule.kind === 'stale') return judgeStale(rule.afterMs, subject, watched)
  const { value } = watched
  const words = `${subject.label} is ${value === null ? 'not known' : withUnit(value, subject)}`
  const unknown: Judgement = { so: null, message: `${words}.`, value }
  if (!watched.good || value === null) return unknown
  if (rule.kind === 'state') return judgeState(rule, words, value)
  if (typeof value !== 'number' || !Number.isFinite(value)) return unknown
  const back = wasSo ? rule.hysteresis : 0
  if (rule.kind === 'deviation') {
    const from = typeof rule.from === 'number' ? rule.from : reference?.good ? reference.value : null
    if (typeof from !== 'number' || !Number.isFinite(from)) return unknown
    const message = `${words}, more than ${withUnit(rule.by, subject)} away from ${withUnit(from, subject)}.`
    return { so: Math.abs(value - from) > rule.by - back, message, value }
  }
  if (rule.kind === 'high' || rule.kind === 'highHigh') {
    return {
      so: value > rule.at - back,
      message: `${words}, above ${withUnit(rule.at, subject)}.`,
      value,
    }
  }
  return { so: value < rule.at + back, message: `${words}, below ${withUnit(rule.at, subject)}.`, value }
}

function judgeStale(afterMs: number, { label }: Subject, { value, ageMs, good, error }: Watched): Judgement {
  if (good && ageMs <= afterMs) return { so: false, message: `${label} is read.`, value }
  // A value that is not good any more is not yet too old: then only its age counts.
  if (ageMs <= afterMs) return { so: false, message: `${label} is not read.`, value }
  const since = value === null ? 'was never read' : `has not been read for ${secondsInWords(ageMs)}`
  const why = error === undefined ? '' : ` (${error.replace(/\.$/, '')})`
  return { so: true, message: `${label} ${since}${why}.`, value }
}

function judgeState(rule: AlarmRule & { kind: 'state' }, words: string, value: Value): Judgement {
  const isOneOf = (values: readonly Value[]): boolean => values.some((one) => one === value)
  const so = 'equals' in rule ? isOneOf(rule.equals) : !isOneOf(rule.notEquals)
  return { so, message: `${words}.`, value }
}

function withUnit(value: Value, { unit }: Subject): string {
  const shown = typeof value === 'number' ? String(Number(value.toPrecision(7))) : valueInWords(value)
  return unit === undefined || typeof value !== 'number' ? shown : `${shown} ${unit}`
}

/** e.g. `12 s`, `5 min`, `2 h` */
export function secondsInWords(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`
}
