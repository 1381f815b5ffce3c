import { GolemError, type InstrumentDescription } from '@golem/core'
import { type Series, allSeries } from '../batch.ts'
import type { Database } from '../database.ts'
import { nameOf } from '../history.ts'
import type { ExportedSeries } from './sheet.ts'

/** Of a name that a request gave, in messages. */
const SHOWN = 60

/**
 * The series that were asked for, in that order, each once.
 *
 * @param names - `instrument.parameter`; `instrument` or `instrument.*`: all of that; `*`: all there are
 * @param span - ms since 1970: what held when it begins, and the calibrations when it ends, are told
 * @throws GolemError UNKNOWN_NAME when the archive has none of that name
 */
export async function chooseSeries(
  database: Database,
  names: readonly string[],
  { from, to }: { from: number; to: number },
): Promise<ExportedSeries[]> {
  const all = await allSeries(database)
  const chosen = new Map<string, Series>()
  for (const name of names) {
    const found = all.filter((series) => isMeant(series, name))
    if (found.length === 0) {
      const shown = name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name
      throw new GolemError('UNKNOWN_NAME', `The archive has no series "${shown}".`, { field: 'query.series' })
    }
    for (const series of found) chosen.set(nameOf(series), series)
  }
  const marks = new Map<string, Marks>()
  const exported: ExportedSeries[] = []
  for (const [name, series] of chosen) {
    let ofInstrument = marks.get(series.instrument)
    if (!ofInstrument) {
      ofInstrument = await marksOf(database, series.instrument, to)
      marks.set(series.instrument, ofInstrument)
    }
    const before = await lastBefore(database, series.id, from)
    exported.push({ ...series, name, calibration: ofInstrument.get(series.parameter) ?? null, before })
  }
  return exported
}

async function lastBefore(
  database: Database,
  series: number,
  from: number,
): Promise<ExportedSeries['before']> {
  const [last] = await database.query<{ t: number; v: number | null; x: string | null }>(
    'SELECT t, v, x FROM sample WHERE series = ? AND t < ? ORDER BY t DESC LIMIT 1',
    [series, from],
  )
  const value = last?.v ?? last?.x ?? null
  return last === undefined || value === null ? null : { time: new Date(last.t).toISOString(), value }
}

function isMeant(series: Series, name: string): boolean {
  return (
    name === '*' || name === nameOf(series) || name === series.instrument || name === `${series.instrument}.*`
  )
}

type Marks = Map<string, string>

/** Which calibrations the description of an instrument named at a time, by parameter. */
async function marksOf(database: Database, instrument: string, to: number): Promise<Marks> {
  const [newest] = await database.query<{ body: string }>(
    "SELECT body FROM document WHERE kind = 'description' AND name = ? AND t < ? ORDER BY t DESC LIMIT 1",
    [instrument, to],
  )
  if (!newest) return new Map()
  const { parameters } = JSON.parse(newest.body) as Pick<InstrumentDescription, 'parameters'>
  return new Map(
    Object.entries(parameters).flatMap(([name, { calibration }]) => {
      if (!calibration) return []
      const { name: curve, version, at, by, from } = calibration
      const made =
        version === undefined ? 'not made yet' : `version ${version} of ${at ?? '?'} by ${by ?? '?'}`
      return [[name, `${curve}, ${made}, from ${from.join(', ')}`]]
    }),
  )
}
