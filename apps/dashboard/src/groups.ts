import type { ActionDescription, InstrumentDescription, ParameterDescription } from '@golem/core'

/** Groups that come first, in this order; the others follow as they appear. */
const FIRST = ['Relays', 'Sensors', 'Lamps']

export interface Tab {
  /** Stands in the URL after `#`. */
  id: string
  kind: 'group' | 'devices' | 'log'
  /** The group's name, as the site writes it; empty for the page's own tabs. */
  group: string
}

/** What one instrument has in one group. */
export interface GroupPart {
  instrument: InstrumentDescription
  parameters: readonly (readonly [string, ParameterDescription])[]
  actions: readonly (readonly [string, ActionDescription])[]
}

/** The tab that shows every instrument whole; a group of this name has no other tab. */
export const DEVICES = 'Devices'
const LOG = 'Log'

/** The tabs of the page: the site's groups, then Devices and Log. */
export function tabsOf(instruments: readonly InstrumentDescription[]): Tab[] {
  const found = new Set<string>()
  for (const instrument of instruments) {
    for (const parameter of Object.values(instrument.parameters))
      found.add(parameter.group ?? instrument.group)
    for (const action of Object.values(instrument.actions)) if (action.group) found.add(action.group)
  }
  found.delete(DEVICES)
  const groups = [
    ...FIRST.filter((group) => found.has(group)),
    ...[...found].filter((g) => !FIRST.includes(g)),
  ]
  return [
    ...groups.map((group): Tab => ({ id: groupTabId(group), kind: 'group', group })),
    { id: DEVICES, kind: 'devices', group: '' },
    { id: LOG, kind: 'log', group: '' },
  ]
}

/** A site may call a group "Log"; its tab must not hide the page's own. */
function groupTabId(group: string): string {
  return group === LOG ? `group:${group}` : group
}

/** What stands in the panel of a group, by instrument, in the order of the descriptions. */
export function partsOf(instruments: readonly InstrumentDescription[], group: string): GroupPart[] {
  const parts: GroupPart[] = []
  for (const instrument of instruments) {
    const parameters = Object.entries(instrument.parameters).filter(
      ([, parameter]) => (parameter.group ?? instrument.group) === group,
    )
    const actions = Object.entries(instrument.actions).filter(([, action]) => action.group === group)
    if (parameters.length + actions.length > 0) parts.push({ instrument, parameters, actions })
  }
  return parts
}
