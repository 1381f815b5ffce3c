import type { Gap } from '@golem/core'
import type { ExportedSeries, Selection } from './sheet.ts'

/** Where a file comes from. */
export interface Origin {
  /** Name of the site, and its title. */
  site: string
  title: string
  /** Version of golem. */
  golem: string
  /** ISO 8601 UTC. */
  exportedAt: string
  /** The request that gives this file again, as path and query. */
  query: string
}

const EACH = {
  exact: 'a reading as it was stored; a number that stayed within its dead band since the one before was not',
  minute: 'the readings of a minute that begins at this time',
  hour: 'the readings of an hour that begins at this time',
} as const

/** What every format says before its rows, by name. */
export function prefaceOf(origin: Origin, selection: Selection): Readonly<Record<string, string>> {
  return {
    site: `${origin.title} (${origin.site})`,
    exported: `${origin.exportedAt} by golem ${origin.golem}`,
    from: new Date(selection.from).toISOString(),
    to: `${new Date(selection.to).toISOString()} (not included)`,
    timeZone: 'UTC',
    each:
      selection.layout === 'wide' && selection.every !== 'exact'
        ? `mean of ${EACH[selection.every]}`
        : EACH[selection.every],
    truth: '0 is false, 1 is true',
    query: origin.query,
  }
}

/** What every format says of its series: one object for each. */
export function seriesOf(
  selection: Selection,
): Pick<ExportedSeries, 'name' | 'label' | 'unit' | 'type' | 'calibration' | 'before'>[] {
  return selection.series.map(({ name, label, unit, type, calibration, before }) => ({
    name,
    label,
    unit,
    type,
    calibration,
    before,
  }))
}

/** A gap as every format tells it. */
export function gapInFull(series: string, gap: Gap): Record<string, string | null> {
  return { series, ...gap }
}
