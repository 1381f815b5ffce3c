import type { ArchivedSeries, InstrumentDescription } from '@golem/core'

/** A series that can be plotted. */
export interface SeriesChoice {
  /** `instrument.parameter` */
  name: string
  /** Label of the instrument. */
  instrument: string
  label: string
  unit: string
  decimals: number | undefined
}

/** What the site has now, then what it had once, as it is archived. */
export function choicesOf(
  instruments: readonly InstrumentDescription[],
  archived: readonly ArchivedSeries[],
): SeriesChoice[] {
  const present = instruments.flatMap(({ id, label: instrument, parameters }) =>
    Object.entries(parameters)
      .filter(([, { type, readable }]) => readable && type !== 'array')
      .map(([name, { label, unit = '', decimals }]): SeriesChoice => ({
        name: `${id}.${name}`,
        instrument,
        label,
        unit,
        decimals,
      })),
  )
  const known = new Set(present.map(({ name }) => name))
  const past = archived
    .filter(({ series, type }) => !known.has(series) && type !== 'array')
    .map(({ series, instrument, label, unit = '' }): SeriesChoice => ({
      name: series,
      instrument,
      label,
      unit,
      decimals: undefined,
    }))
  return [...present, ...past]
}
