import type { EventDetails, InterlockRule, LogLevel } from '@golem/core'

/** What the log says of an interlock besides its sentence: which one, what it watches, and what it holds. */
export function detailsOf(
  rule: InterlockRule,
  level: LogLevel,
): EventDetails & { instrument?: string; data: Readonly<Record<string, unknown>> } {
  const only = onlyInstrumentOf(rule)
  const outputs = [...rule.trip, ...rule.refuse].map(({ instrument, name }) => `${instrument}.${name}`)
  return {
    level,
    ...(only === '' ? {} : { instrument: only }),
    data: {
      interlock: rule.name,
      watched: rule.watch.readings.map(({ instrument, parameter }) => `${instrument}.${parameter}`),
      outputs: [...new Set(outputs)],
    },
  }
}

/** The instrument whose outputs it holds; '': those of several. */
export function onlyInstrumentOf({ trip, refuse }: InterlockRule): string {
  const all = new Set([...trip, ...refuse].map(({ instrument }) => instrument))
  const [only = ''] = all
  return all.size === 1 ? only : ''
}
