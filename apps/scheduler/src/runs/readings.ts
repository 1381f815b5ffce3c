import type { Snapshot } from '@golem/core'
import type { SiteView } from '@golem/queue'
import type { AgedReading } from '@golem/recipes'

/**
 * What is known of some readings, as the engine wants it.
 *
 * @param wanted - as `instrument.parameter`
 */
export function readingsFrom(view: SiteView, wanted: readonly string[]): Record<string, AgedReading> {
  const found: Record<string, AgedReading> = {}
  for (const name of wanted) {
    const dot = name.indexOf('.')
    const snapshot = view.snapshots.get(name.slice(0, dot))
    const reading = snapshot?.readings[name.slice(dot + 1)]
    if (!snapshot || !reading) continue
    found[name] = {
      ...reading,
      ...unheard(view, snapshot),
      staleAfterMs: staleAfterMs(snapshot, name.slice(dot + 1)),
    }
  }
  return found
}

function staleAfterMs(snapshot: Snapshot, parameter: string): number {
  return snapshot.staleAfterMsOf?.[parameter] ?? snapshot.staleAfterMs
}

/** Nobody reads an instrument without a worker: whatever its snapshot says is old. */
function unheard(view: SiteView, { owner, condition }: Snapshot): { quality?: 'stale' } {
  const isRead = owner !== null && view.workers.has(owner) && condition !== 'lost'
  return isRead ? {} : { quality: 'stale' }
}
