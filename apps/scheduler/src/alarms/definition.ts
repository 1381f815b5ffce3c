import type { Manner } from '@golem/alarms'
import type { Site } from '@golem/config'
import type { AlarmRule, Severity } from '@golem/core'
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

/** All rules of the site's parameters. */
export function watchesOf(site: Site): Watch[] {
  return site.instruments.flatMap(({ id: instrument, parameters }) =>
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

/** Why nobody is called although it is so, as a sentence; undefined: somebody is. */
export function inhibitedBy({ inhibitDuring }: Definition, view: SiteView): string | undefined {
  if (inhibitDuring.length === 0) return undefined
  for (const { id, recipe, label, state, progress } of view.runs.values()) {
    if (state === 'ended' || state === 'waiting') continue
    const during = inhibitDuring.find(
      (one) => one.recipe === recipe && (one.stage === undefined || one.stage === progress.stage),
    )
    if (!during) continue
    const where = during.stage === undefined ? '' : `, in its stage ${during.stage}`
    return `Run ${id} of ${label} goes on${where}.`
  }
  return undefined
}
