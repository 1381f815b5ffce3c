import type { Expectation, Series } from '@golem/archive'
import { type ArchiveRule, DEFAULT_ARCHIVE_RULE, type Site } from '@golem/config'
import type { SiteView } from '@golem/queue'

/** Until something is known of an instrument, in ms. */
const USUAL_SILENCE_MS = 3_000
/** A worker that has not been heard of for so long is gone, in ms, and for as long as a lease lasts. */
const WORKER_SILENCE_MS = 3_000

/** What the site says of a parameter's readings. */
export function ruleOf(site: Site, instrument: string, parameter: string): false | ArchiveRule {
  const config = site.instruments.find(({ id }) => id === instrument)
  return config?.parameters[parameter]?.archive ?? DEFAULT_ARCHIVE_RULE
}

/** Why a series may be silent, as far as Redis knows. */
export function expectationOf(site: Site, view: SiteView, { instrument, parameter }: Series): Expectation {
  const description = view.descriptions.get(instrument)
  const snapshot = view.snapshots.get(instrument)
  const staleAfterMs = snapshot?.staleAfterMsOf?.[parameter] ?? snapshot?.staleAfterMs ?? USUAL_SILENCE_MS
  const because = (reason: Expectation['reason'], message: string): Expectation => ({
    staleAfterMs,
    reason,
    message,
  })
  const isOfSite = [...site.instruments, ...site.derived].some(({ id }) => id === instrument)
  if (!isOfSite || (description && !description.parameters[parameter])) {
    return because('hidden', 'The site does not have it any more.')
  }
  if (ruleOf(site, instrument, parameter) === false) {
    return because('hidden', 'The site does not archive it any more.')
  }
  if (snapshot?.condition === 'lost') return because('link', snapshot.message)
  if (snapshot?.condition === 'stopped') return because('stopped', snapshot.message)
  const worker = view.workers.get(snapshot?.owner ?? '')
  if (!worker) {
    const who =
      description?.kind === 'derived' ? 'No scheduler computes it.' : 'No worker is in charge of it.'
    return because('worker', who)
  }
  const silentMs = view.now() - Date.parse(worker.lastSeen)
  if (silentMs > Math.max(WORKER_SILENCE_MS, site.leaseMs)) {
    return because('worker', `Its worker ${worker.id} is silent since ${worker.lastSeen}.`)
  }
  return because('stale', 'It told nothing new for too long.')
}
