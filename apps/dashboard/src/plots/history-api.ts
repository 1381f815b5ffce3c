import type { ArchivedSeries, HistoryDocument } from '@golem/core'
import type { Api } from '../api.ts'

/** A year of many series takes a moment. */
const TIMEOUT_MS = 20_000

/** golem's HTTP interface of the archive, as far as plots use it. Every method throws Problem or Unreachable. */
export class HistoryApi {
  readonly #api: Pick<Api, 'request'>

  constructor(api: Pick<Api, 'request'>) {
    this.#api = api
  }

  /** @param from, to - as the API takes them: ISO 8601 UTC, or `-3600s` and `now` */
  async history(
    series: readonly string[],
    from: string,
    to: string,
    points: number,
  ): Promise<HistoryDocument> {
    const query = new URLSearchParams({ series: series.join(','), from, to, points: String(points) })
    const answer = await this.#api.request(`api/history?${query.toString()}`, { timeoutMs: TIMEOUT_MS })
    return answer.body as HistoryDocument
  }

  async series(): Promise<ArchivedSeries[]> {
    return (await this.#api.request('api/series', { timeoutMs: TIMEOUT_MS })).body as ArchivedSeries[]
  }
}
