import type { SiteEvent, TimelineDocument } from '@golem/core'
import type { Api } from './api.ts'

/** A rare word in years of entries takes a moment. */
const TIMEOUT_MS = 20_000

/** What a note is about; times are ISO 8601 UTC. */
export interface NoteBody {
  text: string
  from?: string
  to?: string
  instrument?: string
  run?: string
}

/** golem's HTTP interface of the timeline. Every method throws Problem or Unreachable. */
export class TimelineApi {
  readonly #api: Pick<Api, 'request'>

  constructor(api: Pick<Api, 'request'>) {
    this.#api = api
  }

  async page(query: URLSearchParams): Promise<TimelineDocument> {
    const answer = await this.#api.request(`api/timeline?${query.toString()}`, { timeoutMs: TIMEOUT_MS })
    return answer.body as TimelineDocument
  }

  async note(body: NoteBody): Promise<SiteEvent> {
    return (await this.#api.request('api/notes', { method: 'POST', body })).body as SiteEvent
  }
}
