import type { ActionDescription, InstrumentDescription, ParameterDescription } from '@golem/core'
import { PLOTS } from './plots/address.ts'

/** Groups that come first, in this order; the others follow as they appear. */
const FIRST = ['Relays', 'Sensors', 'Lamps']

export interface Tab {
  /** Stands in the URL after `#`. */
  id: string
  kind: 'group' | 'plots' | 'runs' | 'schedules' | 'alarms' | 'devices' | 'log'
  /** The group's name, as the site writes it; empty for the page's own tabs. */
  group: string
}

/** What one instrument has under one heading of a group. */
export interface Section {
  /** Empty: what stands under no heading. */
  heading: string
  parameters: readonly (readonly [string, ParameterDescription])[]
  actions: readonly (readonly [string, ActionDescription])[]
}

/** What one instrument has in one group. */
export interface GroupPart {
  instrument: InstrumentDescription
  /** Never empty; what stands under no heading is last: it is not what one looks for. */
  sections: readonly Section[]
}

/** The tab that shows every instrument whole; a group of this name has no other tab. */
export const DEVICES = 'Devices'
const RUNS = 'Runs'
const SCHEDULES = 'Schedules'
const ALARMS = 'Alarms'
const LOG = 'Log'
/** Ids of the page's own tabs that a site may have a group for as well. */
const OWN: readonly string[] = [PLOTS, RUNS, SCHEDULES, ALARMS, LOG]

/** The tabs of the page: the site's groups, then plots, runs, schedules and alarms, Devices and Log. */
export function tabsOf(instruments: readonly InstrumentDescription[]): Tab[] {
  const found = new Set<string>()
  for (const instrument of instruments) {
    for (const parameter of Object.values(instrument.parameters)) found.add(groupOf(instrument, parameter))
    for (const action of Object.values(instrument.actions)) found.add(groupOf(instrument, action))
  }
  found.delete(DEVICES)
  const groups = [
    ...FIRST.filter((group) => found.has(group)),
    ...[...found].filter((g) => !FIRST.includes(g)),
  ]
  return [
    ...groups.map((group): Tab => ({ id: groupTabId(group), kind: 'group', group })),
    { id: PLOTS, kind: 'plots', group: '' },
    { id: RUNS, kind: 'runs', group: '' },
    { id: SCHEDULES, kind: 'schedules', group: '' },
    { id: ALARMS, kind: 'alarms', group: '' },
    { id: DEVICES, kind: 'devices', group: '' },
    { id: LOG, kind: 'log', group: '' },
  ]
}

function groupOf(instrument: InstrumentDescription, { group }: { group?: string }): string {
  return group ?? instrument.group
}

/** A site may call a group "Log"; its tab must not hide the page's own. */
function groupTabId(group: string): string {
  return OWN.includes(group) ? `group:${group}` : group
}

/** The tab that a hash names, or the one to begin with: the first group, and without any what says why. */
export function tabOf(tabs: readonly Tab[], hash: string): Tab | undefined {
  const group = tabs.find(({ kind }) => kind === 'group')
  return tabs.find(({ id }) => id === hash) ?? group ?? tabs.find(({ kind }) => kind === 'devices')
}

/** What stands in the panel of a group, by instrument, in the order of the descriptions. */
export function partsOf(instruments: readonly InstrumentDescription[], group: string): GroupPart[] {
  const parts: GroupPart[] = []
  for (const instrument of instruments) {
    const parameters = Object.entries(instrument.parameters).filter(
      ([, parameter]) => groupOf(instrument, parameter) === group,
    )
    const actions = Object.entries(instrument.actions).filter(
      ([, action]) => groupOf(instrument, action) === group,
    )
    if (parameters.length + actions.length > 0) {
      parts.push({ instrument, sections: sectionsOf(parameters, actions) })
    }
  }
  return parts
}

/** Parameters and actions by their headings, in the order in which these appear; what has none comes last. */
export function sectionsOf(parameters: Section['parameters'], actions: Section['actions']): Section[] {
  const headings = new Set([...parameters, ...actions].map(([, { section = '' }]) => section))
  return [...headings]
    .toSorted((a, b) => Number(a === '') - Number(b === ''))
    .map((heading) => ({
      heading,
      parameters: parameters.filter(([, { section = '' }]) => section === heading),
      actions: actions.filter(([, { section = '' }]) => section === heading),
    }))
}
