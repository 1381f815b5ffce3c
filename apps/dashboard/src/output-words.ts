import type { OutputCount, OutputRules, OutputState, ParameterDescription } from '@golem/core'
import { formatDuration, formatNumber, formatTime } from './format.ts'
import { type Language, type MessageKey, translate } from './i18n.ts'

/** What is said of an output now. `looks`: how urgent it is. */
export interface OutputWord {
  part: 'off-by' | 'held' | 'unknown' | 'count' | 'limit'
  text: string
  looks: 'quiet' | 'warn' | 'bad'
}

/** How an output stands under its rules. @param nowMs - the site's time; null: not known yet */
export function outputNow(
  { rules = {} }: ParameterDescription,
  state: OutputState | undefined,
  nowMs: number | null,
  language: Language,
): OutputWord[] {
  if (!state || nowMs === null) return []
  const words: OutputWord[] = []
  const say = (part: OutputWord['part'], looks: OutputWord['looks'], text: string): void =>
    void words.push({ part, looks, text })
  const left = (at: string): string => formatDuration(Date.parse(at) - nowMs, language)
  if (state.on === null) say('unknown', 'quiet', translate(language, 'outputUnknown'))
  if (state.on === true && state.offBy !== undefined) {
    if (Date.parse(state.offBy) > nowMs) {
      say('off-by', 'quiet', translate(language, 'outputOffBy', { left: left(state.offBy) }))
    } else say('off-by', 'bad', translate(language, 'outputOverdue'))
  }
  if (state.heldUntil !== undefined && Date.parse(state.heldUntil) > nowMs) {
    const key = state.on === true ? 'outputHeldOn' : 'outputHeldOff'
    say('held', 'quiet', translate(language, key, { left: left(state.heldUntil) }))
  }
  if (state.count) {
    say('count', 'quiet', counted(state.count, rules, nowMs, language))
    const { level } = state.count
    const atLimit = rules.count?.atLimit === 'refuse' ? 'outputRefused' : 'outputAtLimit'
    if (level === 'warn') say('limit', 'warn', translate(language, 'outputNear'))
    if (level === 'limit') say('limit', 'bad', translate(language, atLimit))
  }
  return words
}

/** What the site demands of an output, in sentences. */
export function rulesInWords({ rules = {}, unit }: ParameterDescription, language: Language): string[] {
  const amount = (value: number): string =>
    `${formatNumber(value, undefined, language)}${unit === undefined ? '' : ` ${unit}`}`
  const said: string[] = []
  const say = (key: MessageKey, values: Record<string, string> = {}): void =>
    void said.push(translate(language, key, values))
  const time = (ms: number): string => formatDuration(ms, language)
  if (rules.maxOnMs !== undefined) say('ruleMaxOn', { time: time(rules.maxOnMs) })
  if (rules.minOnMs !== undefined) say('ruleMinOn', { time: time(rules.minOnMs) })
  if (rules.minOffMs !== undefined) say('ruleMinOff', { time: time(rules.minOffMs) })
  if (rules.slew) {
    say('ruleSlew', { step: amount(rules.slew.step), perSecond: amount(rules.slew.perSecond) })
  }
  if (rules.rearmMs !== undefined) say('ruleRearm', { time: time(rules.rearmMs) })
  else if (rules.maxOnMs !== undefined) say('ruleDeath')
  return said
}

function counted(
  { onTimeS, cycles, litres, since }: OutputCount,
  { count }: OutputRules,
  nowMs: number,
  language: Language,
): string {
  const of = (text: string, limit: string | undefined): string =>
    limit === undefined ? text : translate(language, 'outputOf', { counted: text, limit })
  // In hours, as such limits are given, and not in days.
  const hours = (ms: number): string =>
    `${formatNumber(ms / 3_600_000, ms < 360_000_000 ? 2 : 0, language)} ${translate(language, 'unitHour')}`
  const parts: string[] = []
  if (count?.onTime) {
    const { limitMs } = count.onTime
    const time = translate(language, 'outputOn', { time: hours(onTimeS * 1000) })
    parts.push(of(time, limitMs === undefined ? undefined : hours(limitMs)))
  }
  if (count?.cycles) {
    parts.push(of(translate(language, 'outputCycles', { count: cycles }), count.cycles.limit?.toString()))
  }
  if (count?.volume && litres !== undefined) {
    const volume = translate(language, 'outputLitres', { count: formatNumber(litres, 1, language) })
    parts.push(of(volume, count.volume.limit?.toString()))
  }
  return translate(language, 'outputCounted', {
    since: formatTime(since, nowMs, language),
    counted: parts.join(', '),
  })
}
