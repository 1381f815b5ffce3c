import type {
  CommandRecord,
  Effect,
  FleetDocument,
  InstrumentDescription,
  PowerReturnChoice,
  SiteEvent,
  StateDocument,
  UnclaimedDevice,
  Value,
} from '@golem/core'
import type { Role } from './availability.ts'

/** The answer of `GET /api/session`. */
export interface Session {
  name: string
  role: Role
  title: string
  version: string
  /** `tokens`: people prove who they are; otherwise they may sign with any name. */
  auth: 'loopback' | 'none' | 'tokens'
}

/** What the body of a command may be. */
export type CommandBody =
  { parameter: string; value: Value } | { action: string; arguments: Readonly<Record<string, Value>> }

/** What is asked of a reservation; times are ISO 8601 UTC. */
export interface ReservationBody {
  forMs?: number
  from?: string
  note?: string
  quietUntil?: string | null
  share?: string[]
  onExpiry?: 'hold' | 'safe'
  wait?: boolean
  to?: string
}

/** What is given back; nothing: the reservation of the person who asks. */
export interface GiveBackQuery {
  fence?: string
  booking?: string
  waiting?: 'true'
  reason?: string
}

/** golem has answered, and the answer is no (RFC 9457 problem document). */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly effect: Effect

  constructor(status: number, body: { code?: unknown; effect?: unknown; detail?: unknown; title?: unknown }) {
    super(textOf(body.detail) ?? textOf(body.title) ?? `HTTP ${status}`)
    this.name = 'Problem'
    this.status = status
    this.code = textOf(body.code) ?? `HTTP_${status}`
    // What is refused for its form never went further; of an error of the server nothing is known.
    this.effect = isEffect(body.effect) ? body.effect : status < 500 ? 'none' : 'unknown'
  }
}

/** No answer of golem: no network, a time-out, or something in between (a proxy) that answers in its place. */
export class Unreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Unreachable'
  }
}

const READ_TIMEOUT_MS = 4000
/** Seconds the server may wait for a command's outcome before it answers 202. */
const WAIT_SECONDS = 5
const SUBMIT_TIMEOUT_MS = (WAIT_SECONDS + 4) * 1000

export interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  headers?: Readonly<Record<string, string>>
  timeoutMs?: number
  /** `text`: the body of a good answer is not JSON (default `json`). */
  answer?: 'json' | 'text'
}

export interface Answer {
  status: number
  etag: string | null
  body: unknown
}

export interface ApiOptions {
  /** Where the page was loaded from; `api/…` is below it. */
  base: string
  /** The access token, or null when none is needed or known. */
  token: () => string | null
  /** The name people sign with where nobody has to prove who they are. */
  name: () => string | null
  /** Called at each 401. */
  onUnauthorized: () => void
}

/** golem's HTTP interface, as far as the page uses it. Every method throws Problem or Unreachable. */
export class Api {
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
  }

  async session(): Promise<Session> {
    return (await this.request('api/session')).body as Session
  }

  /** A ticket that stands for the token at the socket, once. */
  async ticket(): Promise<string> {
    const { body } = await this.request('api/session/ticket', { method: 'POST' })
    return (body as { ticket: string }).ticket
  }

  /** Where a path is, for the browser itself to open. */
  address(path: string): string {
    return new URL(path, this.#options.base).href
  }

  async instruments(): Promise<InstrumentDescription[]> {
    return (await this.request('api/instruments')).body as InstrumentDescription[]
  }

  /** @returns null in place of the document when nothing has changed since (304) */
  async state(
    since: string | null,
    etag: string | null,
  ): Promise<{ document: StateDocument | null; etag: string | null }> {
    const query = since === null ? '' : `?since=${encodeURIComponent(since)}`
    const answer = await this.request(
      `api/state${query}`,
      etag === null ? {} : { headers: { 'If-None-Match': etag } },
    )
    if (answer.status === 304) return { document: null, etag }
    return { document: answer.body as StateDocument, etag: answer.etag }
  }

  /** Submits a command; sending it again with the same key gives the same record and no second command. */
  async submit(instrument: string, body: CommandBody, key: string): Promise<CommandRecord> {
    const answer = await this.request(`api/instruments/${encodeURIComponent(instrument)}/commands`, {
      method: 'POST',
      body,
      headers: { 'Idempotency-Key': key, Prefer: `wait=${WAIT_SECONDS}` },
      timeoutMs: SUBMIT_TIMEOUT_MS,
    })
    return answer.body as CommandRecord
  }

  /** The numbers of a result that is too long for the ledger. */
  async result(id: string): Promise<number[]> {
    const path = `api/commands/${encodeURIComponent(id)}/result`
    return (await this.request(path, { timeoutMs: SUBMIT_TIMEOUT_MS })).body as number[]
  }

  async command(id: string): Promise<CommandRecord> {
    return (await this.request(`api/commands/${encodeURIComponent(id)}`)).body as CommandRecord
  }

  /** Newest first. */
  async commands(query: { instrument?: string; limit: number }): Promise<CommandRecord[]> {
    const of = query.instrument === undefined ? '' : `&instrument=${encodeURIComponent(query.instrument)}`
    return (await this.request(`api/commands?limit=${query.limit}${of}`)).body as CommandRecord[]
  }

  async cancel(id: string): Promise<void> {
    await this.request(`api/commands/${encodeURIComponent(id)}`, { method: 'DELETE' })
  }

  /** The newest `limit` ones, oldest first. */
  async events(limit: number): Promise<SiteEvent[]> {
    return (await this.request(`api/events?limit=${limit}`)).body as SiteEvent[]
  }

  /** Devices on the machines of living workers that are no instruments yet; only admins get any. */
  async unclaimed(): Promise<(UnclaimedDevice & { host: string })[]> {
    const { workers } = (await this.request('api/fleet')).body as FleetDocument
    const all = workers
      .filter(({ alive }) => alive)
      .flatMap(({ host, unclaimed = [] }) => unclaimed.map((device) => ({ ...device, host })))
    // Two workers of one machine see the same devices.
    return all.filter(
      ({ host, address }, index) =>
        all.findIndex((other) => other.host === host && other.address === address) === index,
    )
  }

  /** Emergency stop of everything, or of one instrument. */
  async stop(instrument: string | null, reason: string): Promise<void> {
    const path = instrument === null ? 'api/stop' : `api/instruments/${encodeURIComponent(instrument)}/stop`
    await this.request(path, { method: 'POST', body: { reason } })
  }

  /** Reserves, renews, shares, hands over, books or waits in line. */
  async reserve(instrument: string, body: ReservationBody): Promise<void> {
    const path = `api/instruments/${encodeURIComponent(instrument)}/reservation`
    await this.request(path, { method: 'PUT', body })
  }

  /** Gives back, leaves the line, cancels a booking; with a reason also what is somebody else's. */
  async giveBack(instrument: string, query: GiveBackQuery): Promise<void> {
    const path = `api/instruments/${encodeURIComponent(instrument)}/reservation`
    const text = new URLSearchParams({ ...query }).toString()
    await this.request(text === '' ? path : `${path}?${text}`, { method: 'DELETE' })
  }

  async release(instrument: string | null): Promise<void> {
    await this.request('api/stop/release', {
      method: 'POST',
      body: instrument === null ? {} : { instrument },
    })
  }

  async settlePowerReturn(instrument: string, keep: PowerReturnChoice): Promise<void> {
    const path = `api/instruments/${encodeURIComponent(instrument)}/power-return`
    await this.request(path, { method: 'POST', body: { keep } })
  }

  /** By parameter: how long it may stay in a state that nobody wants. */
  async worstCases(instrument: string): Promise<[string, string[]][]> {
    const { body } = await this.request(`api/instruments/${encodeURIComponent(instrument)}/worst-cases`)
    return Object.entries(body as Record<string, string[]>)
  }

  async resetInterlock(name: string, note: string): Promise<void> {
    const path = `api/interlocks/${encodeURIComponent(name)}/reset`
    await this.request(path, { method: 'POST', body: { note } })
  }

  /** What all other methods go through, also those of classes beside this one. @throws Problem, Unreachable */
  async request(path: string, request: Request = {}): Promise<Answer> {
    const token = this.#options.token()
    const headers: Record<string, string> = { Accept: 'application/json', ...request.headers }
    if (token !== null) headers['Authorization'] = `Bearer ${token}`
    const name = this.#options.name()
    if (name !== null) headers['X-Golem-User'] = encodeURIComponent(name)
    if (request.body !== undefined) headers['Content-Type'] = 'application/json'
    const response = await this.#fetch(path, {
      method: request.method ?? 'GET',
      headers,
      cache: 'no-store',
      redirect: 'error',
      signal: AbortSignal.timeout(request.timeoutMs ?? READ_TIMEOUT_MS),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    })
    const etag = response.headers.get('etag')
    if (response.status === 304) return { status: 304, etag, body: null }
    if (response.ok && request.answer === 'text') {
      return { status: response.status, etag, body: await readText(response) }
    }
    const body = await readJson(response)
    if (response.ok) return { status: response.status, etag, body }
    if (response.status === 401) this.#options.onUnauthorized()
    throw new Problem(response.status, body as Record<string, unknown>)
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#options.base), init)
    } catch (error) {
      throw new Unreachable(error instanceof Error ? error.message : String(error), error)
    }
  }
}

/** The body as an object or array; anything else did not come from golem. */
async function readJson(response: Response): Promise<object> {
  try {
    const body: unknown = await response.json()
    if (typeof body === 'object' && body !== null) return body
  } catch (error) {
    throw new Unreachable(`HTTP ${response.status} without a readable answer`, error)
  }
  throw new Unreachable(`HTTP ${response.status} without a readable answer`)
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    throw new Unreachable(`HTTP ${response.status} without a readable answer`, error)
  }
}

function isEffect(value: unknown): value is Effect {
  return value === 'none' || value === 'done' || value === 'unknown'
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A name as the server accepts it, or null: one that it refuses would have every request refused. */
export function validName(text: string | null): string | null {
  const name = text?.trim() ?? ''
  return name.length <= 64 && /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name) ? name : null
}

/**
 * A random UUID. `crypto.randomUUID` exists in secure contexts only, and a page on the laboratory's network
 * usually comes by plain http.
 */
export function randomKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
