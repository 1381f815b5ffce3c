import type {
  PlannedStart,
  RecipeDescription,
  RunRecord,
  RunRequest,
  RunRow,
  ScheduleState,
  SiteEvent,
  Value,
} from '@golem/core'
import type { Api } from './api.ts'

/** What a run is started with. */
export interface RunBody {
  recipe: string
  parameters: Readonly<Record<string, Value>>
  /** Instruments by role, where they are not the usual ones. */
  instruments?: Readonly<Record<string, string>>
  note?: string
}

/** A planned start that is still to come. */
export type ComingStart = Pick<PlannedStart, 'schedule' | 'plannedAt'>

/** Rows of one run can be many. */
const ROWS_TIMEOUT_MS = 15_000

/** golem's HTTP interface of recipes, runs and schedules. Every method throws Problem or Unreachable. */
export class AutomationApi {
  readonly #api: Pick<Api, 'request'>

  constructor(api: Pick<Api, 'request'>) {
    this.#api = api
  }

  async recipes(): Promise<RecipeDescription[]> {
    return (await this.#api.request('api/recipes')).body as RecipeDescription[]
  }

  /** Newest first, ended ones too. */
  async runs(limit: number): Promise<RunRecord[]> {
    return (await this.#api.request(`api/runs?limit=${limit}`)).body as RunRecord[]
  }

  /** Starts a run; sending it again with the same key gives the same run and no second one. */
  async start(body: RunBody, key: string): Promise<RunRecord> {
    const headers = { 'Idempotency-Key': key }
    return (await this.#api.request('api/runs', { method: 'POST', body, headers })).body as RunRecord
  }

  async ask({ id, progress }: RunRecord, request: RunRequest): Promise<void> {
    // Two who skip the same wait at once skip it once.
    const body = request === 'skip' ? { step: progress.step } : {}
    await this.#api.request(`${pathOf(id)}/${request}`, { method: 'POST', body })
  }

  async change(run: string, parameters: Readonly<Record<string, Value>>): Promise<void> {
    await this.#api.request(pathOf(run), { method: 'PATCH', body: { parameters } })
  }

  /** Oldest first. @param since - id of the last row that is known */
  async rows(run: string, since: string | null): Promise<RunRow[]> {
    const after = since === null ? '' : `?since=${encodeURIComponent(since)}`
    const options = { timeoutMs: ROWS_TIMEOUT_MS }
    return (await this.#api.request(`${pathOf(run)}/rows${after}`, options)).body as RunRow[]
  }

  async rowsAsCsv(run: string): Promise<string> {
    const answer = await this.#api.request(`${pathOf(run)}/rows?format=csv&limit=100000`, {
      answer: 'text',
      timeoutMs: ROWS_TIMEOUT_MS,
    })
    return answer.body as string
  }

  /** What the site's log says of runs: the newest ones, oldest first. */
  async runEvents(limit: number): Promise<SiteEvent[]> {
    return (await this.#api.request(`api/events?kind=run&limit=${limit}`)).body as SiteEvent[]
  }

  async schedules(): Promise<ScheduleState[]> {
    return (await this.#api.request('api/schedules')).body as ScheduleState[]
  }

  /** What became of planned starts, newest first. */
  async starts(limit: number): Promise<PlannedStart[]> {
    return (await this.#api.request(`api/schedules/starts?limit=${limit}`)).body as PlannedStart[]
  }

  /** The earliest first. */
  async planned(hours: number, limit: number): Promise<ComingStart[]> {
    const path = `api/schedules/planned?hours=${hours}&limit=${limit}`
    return (await this.#api.request(path)).body as ComingStart[]
  }

  async enable(schedule: string, enabled: boolean): Promise<void> {
    const path = `api/schedules/${encodeURIComponent(schedule)}`
    await this.#api.request(path, { method: 'PATCH', body: { enabled } })
  }
}

function pathOf(run: string): string {
  return `api/runs/${encodeURIComponent(run)}`
}
