import type { Severity, SiteEvent } from '@golem/core'
import type { Api } from './api.ts'

/** Somebody who is told of alarms. */
export interface NotifierDescription {
  name: string
  kind: 'email' | 'webhook' | 'telegram'
  severities: readonly Severity[]
  /** Why it can't be told, as a sentence; null: it can. */
  failing: string | null
}

/** golem's HTTP interface of alarms. Every method throws Problem or Unreachable. */
export class AlarmsApi {
  readonly #api: Pick<Api, 'request'>

  constructor(api: Pick<Api, 'request'>) {
    this.#api = api
  }

  /** Says that an alarm was seen. @param note - what its reader makes of it */
  async acknowledge(alarm: string, note: string): Promise<void> {
    const path = `api/alarms/${encodeURIComponent(alarm)}/acknowledge`
    await this.#api.request(path, { method: 'POST', body: { note } })
  }

  /** What became of alarms and of the messages about them; newest first. */
  async history(limit: number): Promise<SiteEvent[]> {
    const [alarms, told] = await Promise.all([this.#events('alarm', limit), this.#events('notify', limit)])
    return [...alarms, ...told].toSorted((a, b) => compareIds(b.id, a.id)).slice(0, limit)
  }

  async notifiers(): Promise<NotifierDescription[]> {
    return (await this.#api.request('api/notifiers')).body as NotifierDescription[]
  }

  /** Sends a test; the history says what came of it. */
  async test(notifier: string): Promise<void> {
    await this.#api.request(`api/notifiers/${encodeURIComponent(notifier)}/test`, { method: 'POST' })
  }

  async #events(kind: string, limit: number): Promise<SiteEvent[]> {
    return (await this.#api.request(`api/events?limit=${limit}&kind=${kind}`)).body as SiteEvent[]
  }
}

/** Ids of events are `ms-n`: as texts they do not sort. */
function compareIds(a: string, b: string): number {
  const [aMs = 0, aN = 0] = a.split('-').map(Number)
  const [bMs = 0, bN = 0] = b.split('-').map(Number)
  return aMs - bMs || aN - bN
}
