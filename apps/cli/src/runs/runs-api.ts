import { randomUUID } from 'node:crypto'
import type { RecipeDescription, RunRecord, RunRequest, RunRow, SiteEvent } from '@golem/core'
import type { ApiClient } from '../client.ts'
import { CliError } from '../exit-codes.ts'

/** A run that is asked for. */
export interface RunStart {
  recipe: string
  parameters?: Readonly<Record<string, unknown>>
  /** Instruments by role. */
  instruments?: Readonly<Record<string, string>>
  note?: string
}

/** As many as the API gives at once. */
const MOST_ROWS = 100_000
const LOOK = '`golem runs show ID` tells what became of it.'

/** Recipes and runs at the site's HTTP API. */
export class RunsApi {
  readonly #api: ApiClient

  constructor(api: ApiClient) {
    this.#api = api
  }

  recipes(): Promise<RecipeDescription[]> {
    return this.#api.request('/api/recipes', { retry: true })
  }

  /** @throws CliError refused, naming those there are */
  async recipe(id: string): Promise<RecipeDescription> {
    const all = await this.recipes()
    const found = all.find((recipe) => recipe.id === id)
    if (found) return found
    const known = all.map((recipe) => recipe.id).join(', ') || 'none yet; is a scheduler running?'
    throw new CliError('refused', `There is no recipe "${id}". There are: ${known}.`, {
      details: { code: 'NOT_FOUND' },
    })
  }

  /** Newest first. */
  runs(query: { recipe?: string; limit: number }): Promise<RunRecord[]> {
    const { recipe, limit } = query
    const words = new URLSearchParams({ ...(recipe === undefined ? {} : { recipe }), limit: String(limit) })
    return this.#api.request(`/api/runs?${words.toString()}`, { retry: true })
  }

  run(id: string): Promise<RunRecord> {
    return this.#api.request(pathOf(id), { retry: true })
  }

  /** Starts a run; the request carries an idempotency key, so that sending it again never makes a second one. */
  start(start: RunStart): Promise<RunRecord> {
    return this.#api.request('/api/runs', {
      method: 'POST',
      body: start,
      headers: { 'idempotency-key': randomUUID() },
      retry: true,
      unknownHint: 'Whether the run was begun is not known: see `golem runs`.',
    })
  }

  ask(id: string, request: RunRequest, note: string | undefined): Promise<RunRecord> {
    return this.#api.request(`${pathOf(id)}/${request}`, {
      method: 'POST',
      body: note === undefined ? {} : { note },
      unknownHint: `Whether the request arrived is not known. ${LOOK}`,
    })
  }

  change(id: string, parameters: Readonly<Record<string, unknown>>): Promise<RunRecord> {
    return this.#api.request(pathOf(id), {
      method: 'PATCH',
      body: { parameters },
      unknownHint: `Whether the change arrived is not known. ${LOOK}`,
    })
  }

  rows(id: string): Promise<RunRow[]> {
    return this.#api.request(`${pathOf(id)}/rows?limit=${MOST_ROWS}`, { retry: true })
  }

  rowsAsCsv(id: string): Promise<string> {
    return this.#api.request(`${pathOf(id)}/rows?limit=${MOST_ROWS}&format=csv`, { retry: true, text: true })
  }

  /** Id of the newest entry of the site's log. */
  async newestEvent(): Promise<string> {
    const [newest] = await this.#api.request<SiteEvent[]>('/api/events?limit=1', { retry: true })
    return newest?.id ?? '0'
  }

  /** What the log says of a run after an entry, oldest first, without the run's name in front. */
  async saidOf(id: string, since: string): Promise<string[]> {
    const path = `/api/events?kind=run&limit=100&since=${encodeURIComponent(since)}`
    const events = await this.#api.request<SiteEvent[]>(path, { retry: true })
    const name = `run ${id}`
    return events.flatMap(({ message }) =>
      message.startsWith(name) ? [message.slice(name.length).replace(/^: /, '').trim()] : [],
    )
  }
}

const pathOf = (id: string): string => `/api/runs/${encodeURIComponent(id)}`
