import type { InstrumentState } from '@golem/core'
import type { MessageKey } from './i18n.ts'
import type { SiteModel } from './model.ts'

export type Role = 'viewer' | 'operator' | 'admin'

/** What decides whether a command can be sent at all. */
export interface Circumstances {
  /** null: not known yet. */
  role: Role | null
  serverLost: boolean
  site: SiteModel | null
}

/** Why nothing at all can be commanded now, as the key of a sentence; null: nothing stands against it. */
export function whyAllBlocked({ role, serverLost, site }: Circumstances): MessageKey | null {
  if (serverLost) return 'blockedServerLost'
  if (role === 'viewer') return 'blockedViewer'
  if (role === null || site === null) return 'blockedStarting'
  if (!site.bus.ok) return 'blockedBusLost'
  return site.stop.site ? 'blockedSiteStopped' : null
}

/** Why this instrument in particular cannot be commanded now. */
export function whyBlocked({ site }: Circumstances, instrument: string): MessageKey | null {
  if (site === null) return 'blockedStarting'
  if (Object.hasOwn(site.stop.instruments, instrument)) return 'blockedInstrumentStopped'
  return blockedByCondition(site.instruments.get(instrument))
}

function blockedByCondition(state: InstrumentState | undefined): MessageKey | null {
  if (!state) return 'blockedStarting'
  if (state.condition === 'lost') return 'blockedLost'
  if (state.condition === 'stopped') return 'blockedWorkerStopped'
  return null
}
