import type { ParameterDescription } from '@golem/core'
import { formatDuration } from './duration.ts'
import type { InstrumentConfig, Site } from './site.ts'

/** How long another worker needs to take a link after its lease is over: a look, a connection, one write. In ms. */
const TAKE_OVER_MS = 2_000
/** How often interlocks and silence of Redis are looked at, in ms. */
const LOOK_MS = 100
/** Share of the lease after which a worker treats readings of others as not known, when it can't renew. */
const BLIND_SHARE = 0.7

/**
 * How long an output may stay in a state that nobody wants any more, by what has failed; as sentences. Times are at
 * the latest, without the time the instrument itself takes to answer.
 *
 * @param name - of the parameter
 */
export function worstCases(
  site: Pick<Site, 'leaseMs' | 'interlocks' | 'instruments'>,
  instrument: InstrumentConfig,
  name: string,
  { safe }: Pick<ParameterDescription, 'safe'>,
): string[] {
  const { leaseMs } = site
  const { orphanSafeAfterMs: safeAfterMs, host } = instrument
  const { maxOnMs, rearmMs } = instrument.parameters[name]?.rules ?? {}
  const whose = host === null ? 'another worker' : `another worker on ${host}`
  const takenOver = inSeconds(leaseMs + TAKE_OVER_MS)
  const sentences =
    safe === undefined
      ? ['It has no safe value: emergency stop, lost Redis and lost workers leave it as it is.']
      : [
          safeAfterMs === undefined
            ? rearmMs === undefined
              ? 'Redis lost: it stays as it is until Redis is back.'
              : `Redis lost: it is re-armed for as long as its worker may, and off after ${inSeconds(leaseMs + rearmMs)} by itself.`
            : `Redis lost: safe after ${inSeconds(safeAfterMs + LOOK_MS)}.`,
          safeAfterMs === undefined
            ? `Its worker dies: it stays as it is; ${whose} takes over after ${takenOver}, if there is one.`
            : `Its worker dies: safe after ${takenOver}, if ${whose} is running; otherwise when one is started.`,
        ]
  if (rearmMs !== undefined)
    sentences.splice(
      safe === undefined ? sentences.length : 1,
      safe === undefined ? 0 : 1,
      `Its worker dies, or its link is lost: off after ${inSeconds(rearmMs)} by itself, unless ${whose} takes over before (after ${takenOver}).`,
    )
  if (maxOnMs !== undefined)
    sentences.push(`maxOn: safe after ${formatDuration(maxOnMs)}, while a worker runs on its machine.`)
  return [...sentences, ...trips(site, instrument, name)]
}

function trips(
  { leaseMs, interlocks, instruments }: Pick<Site, 'leaseMs' | 'interlocks' | 'instruments'>,
  { id, link }: InstrumentConfig,
  name: string,
): string[] {
  return interlocks
    .filter(({ trip }) => trip.some((one) => one.instrument === id && one.name === name))
    .map(({ name: rule, watch, stale }) => {
      const seen = watch.readings.map(({ instrument, parameter, forMs }) => {
        const watched = instruments.find((one) => one.id === instrument)
        return (watched?.parameters[parameter]?.pollEveryMs ?? watched?.pollEveryMs ?? 0) + forMs + LOOK_MS
      })
      const aged = Math.max(...watch.readings.map(({ maxAgeMs, forMs }) => maxAgeMs + forMs + LOOK_MS))
      const isRemote = watch.readings.some(
        ({ instrument }) => instruments.find((one) => one.id === instrument)?.link !== link,
      )
      const withoutRedis = isRemote
        ? `, ${inSeconds(Math.min(aged, BLIND_SHARE * leaseMs + LOOK_MS))} after Redis is`
        : ''
      const lost =
        stale === 'trip'
          ? `; ${inSeconds(aged)} after what it watches is lost${withoutRedis}`
          : '; not when what it watches is lost'
      return `Interlock "${rule}": ${inSeconds(Math.max(...seen))} after its cause${lost}.`
    })
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
