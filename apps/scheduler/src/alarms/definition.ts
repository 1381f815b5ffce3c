import type { Manner } from '@golem/alarms'
import type { Site } from '@golem/config'
import type { AlarmRule, RunRecord, Severity } from '@golem/core'
import type { SiteView } from '@golem/queue'

/** What an alarm is, apart from how it is just now. */
export interface Definition {
  id: string
  instrument?: string
  parameter?: string
  severity: Severity
  guidance?: string
  manner: Manner
  inhibitDuring: AlarmRule['inhibitDuring']
}

/** One rule of the site for one parameter. */
export interface Watch {
  definition: Definition
  instrument: string
  parameter: string
  rule: AlarmRule
}

/** An instrument, or derived readings. */
interface WithAlarms {
  id: string
  parameters: Readonly<Record<string, { alarms?: readonly AlarmRule[] }>>
}

/** All rules of the site's parameters. */
export function watchesOf({ instruments, derived }: Site): Watch[] {
  const all: readonly WithAlarms[] = [...instruments, ...derived]
  return all.flatMap(({ id: instrument, parameters }) =>
    Object.entries(parameters).flatMap(([parameter, { alarms = [] }]) =>
      alarms.map((rule) => {
        const { severity, guidance, delayMs, offDelayMs, latch, inhibitDuring } = rule
        const definition: Definition = {
          id: `${instrument}.${parameter}.${rule.kind}`,
          instrument,
          parameter,
          severity,
          ...(guidance === undefined ? {} : { guidance }),
          manner: { delayMs, offDelayMs, latch },
          inhibitDuring,
        }
        return { definition, instrument, parameter, rule }
      }),
    ),
  )
}

/** Runs that may inhibit something. */
export function runsThatGoOn(view: SiteView): RunRecord[] {
  return [...view.runs.values()].filter(({ state }) => state !== 'ended' && state !== 'waiting')
}

/**
 * Why nobody is called although it is so, as a sentence; undefined: somebody is. The site inhibits by `inhibitDuring`, a
 * recipe by `inhibitAlarms`.
 */
export function inhibitedBy(definition: Definition, runs: readonly RunRecord[]): string | undefined {
  for (const { id, recipe, label, progress, inhibits = [] } of runs) {
    const during = definition.inhibitDuring.find(
      (one) => one.recipe === recipe && (one.stage === undefined || one.stage === progress.stage),
    )
    if (during) {
      const where = during.stage === undefined ? '' : `, in its stage ${during.stage}`
      return `Run ${id} of ${label} goes on${where}.`
    }
    if (inhibits.some((name) => isOf(definition, name))) {
      const where = progress.stage === null ? '' : `, in its stage ${progress.stage}`
      return `Run ${id} of ${label} inhibits it${where}.`
    }
  }
  return undefined
}

/** Does a recipe mean this alarm with `name`: its id, or the parameter it is about? */
function isOf({ id, instrument, parameter }: Definition, name: string): boolean {
  if (instrument === undefined) return false
  return name === id || (parameter !== undefined && name === `${instrument}.${parameter}`)
}
