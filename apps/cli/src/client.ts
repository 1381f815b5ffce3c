import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CommandRecord,
  type ErrorCode,
  ERRORS,
  type FleetDocument,
  type InstrumentDescription,
  type LogLevel,
  messageOf,
  type ReservationState,
  type SiteEvent,
  type StateDocument,
  type StopState,
  type TimelineDocument,
} from '@golem/core'
import { CliError, type ExitName, exitOf } from './exit-codes.ts'

/** How long one request may take when it does not itself wait for something, in ms. */
const REQUEST_TIMEOUT_MS = 10_000
/** Pauses before a request is sent again, in ms. A request with an effect carries an idempotency key. */
const RETRY_AFTER_MS = [200, 600, 1500]
/** The longest a single request waits for an outcome, in s; longer waits are made of several. */
const LONGEST_WAIT_S = 20

/** A request to the HTTP API, as far as it differs from a plain GET. */
interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  headers?: Record<string, string>
  timeoutMs?: number
  /** Sent again after a lost connection; only for what may be sent twice. */
  retry?: boolean
  /** Is shown the headers of the answer. */
  onHeaders?: (headers: Headers) => void
  /** The answer is no JSON. */
  text?: boolean
  /** What is to be said when nobody knows whether the request arrived. Absent: it has no effect. */
  unknownHint?: string
}

/** Which entries of the site's log; a filter that is undefined lets all through. */
export interface EventQuery {
  limit: number
  /** Those after this id, oldest first; without it the newest ones. */
  since?: string
  instrument?: string | undefined
  kind?: string | undefined
  level?: LogLevel | undefined
  run?: string | undefined
  text?: string | undefined
}

/** The body of a command request. */
export interface CommandRequest {
  parameter?: string
  value?: unknown
  action?: string
  arguments?: Record<string, unknown>
  validForMs?: number
}

/** The body of a request for a reservation; times are ISO 8601 UTC. */
export interface ReservationRequest {
  forMs?: number
  until?: string
  from?: string
  note?: string
  quietUntil?: string
  share?: string[]
  to?: string
  wait?: boolean
  onExpiry?: 'hold' | 'safe'
}

/** The site's HTTP API. Every failure is a CliError with the right exit code. */
export class ApiClient {
  readonly url: string
  readonly #token: string | null
  readonly #user: string | null
  readonly #signal: AbortSignal

  /**
   * @param options - `url` of the web process without trailing slash; `token` or null; `user`: who asks, where the site
   *   has no tokens; `signal`: ends whatever is under way
   */
  constructor(options: { url: string; token: string | null; user?: string | null; signal: AbortSignal }) {
    this.#user = options.user ?? null
    this.url = options.url
    this.#token = options.token
    this.#signal = options.signal
  }

  instruments(): Promise<InstrumentDescription[]> {
    return this.request('/api/instruments', { retry: true })
  }

  /** @param since - a cursor of an earlier answer: only what changed */
  state(since?: string): Promise<StateDocument> {
    const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`
    return this.request(`/api/state${query}`, { retry: since === undefined })
  }

  fleet(): Promise<FleetDocument> {
    return this.request('/api/fleet', { retry: true })
  }

  /** @returns `cursor`: where to go on, also when nothing was found; '' when the log is empty */
  async events(query: EventQuery): Promise<{ events: SiteEvent[]; cursor: string }> {
    const given = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
    let cursor = ''
    const events = await this.request<SiteEvent[]>(`/api/events?${given.toString()}`, {
      retry: true,
      onHeaders: (headers) => (cursor = headers.get('golem-cursor') ?? ''),
    })
    return { events, cursor }
  }

  /** What is archived of the log and what is not yet, after a place: oldest first. */
  timeline(query: Omit<EventQuery, 'since'> & { after: string }): Promise<TimelineDocument> {
    const given = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
    return this.request(`/api/timeline?${given.toString()}`, { retry: true })
  }

  /** Writes a note; not repeated by itself: it would stand there twice. */
  note(body: Readonly<Record<string, string | undefined>>): Promise<SiteEvent> {
    return this.request('/api/notes', { method: 'POST', body })
  }

  stop(instrument: string | undefined, reason: string): Promise<StopState> {
    const path =
      instrument === undefined ? '/api/stop' : `/api/instruments/${encodeURIComponent(instrument)}/stop`
    return this.request(path, {
      method: 'POST',
      body: { reason },
      retry: true,
      // A stop is urgent: rather try again soon than wait long for one answer.
      timeoutMs: 3000,
      unknownHint: 'Whether the stop arrived is NOT known: repeat it, or switch off at the bench.',
    })
  }

  release(instrument: string | undefined): Promise<StopState> {
    return this.request('/api/stop/release', {
      method: 'POST',
      body: instrument === undefined ? {} : { instrument },
      retry: true,
      unknownHint: 'Whether the stop was released is not known: see `golem status`.',
    })
  }

  reservation(instrument: string): Promise<ReservationState> {
    return this.request(reservationPath(instrument), { retry: true })
  }

  /** Reserves, renews, shares, hands over, books or waits in line. */
  reserve(instrument: string, request: ReservationRequest): Promise<ReservationState> {
    return this.request(reservationPath(instrument), {
      method: 'PUT',
      body: request,
      unknownHint: 'Whether it was reserved is not known: see `golem reserve --show`.',
    })
  }

  /** Gives back, cancels a booking or leaves the line. */
  giveBack(
    instrument: string,
    query: { booking?: string; waiting?: 'true'; reason?: string },
  ): Promise<ReservationState> {
    const parameters = new URLSearchParams(query).toString()
    return this.request(`${reservationPath(instrument)}${parameters === '' ? '' : `?${parameters}`}`, {
      method: 'DELETE',
      unknownHint: 'Whether it was given back is not known: see `golem reserve --show`.',
    })
  }

  /**
   * Submits a command and waits for its outcome. The request carries an idempotency key, so that sending
   * it again after a lost connection never makes a second command.
   *
   * @param waitS - how long to wait for the outcome, in s; 0: do not wait
   * @returns the ledger record as it then is
   */
  async command(instrument: string, request: CommandRequest, waitS: number): Promise<CommandRecord> {
    const deadline = performance.now() + waitS * 1000
    const firstWaitS = Math.min(waitS, LONGEST_WAIT_S)
    let record = await this.request<CommandRecord>(
      `/api/instruments/${encodeURIComponent(instrument)}/commands`,
      {
        method: 'POST',
        body: request,
        headers: {
          'idempotency-key': randomUUID(),
          ...(firstWaitS > 0 ? { prefer: `wait=${Math.ceil(firstWaitS)}` } : {}),
        },
        timeoutMs: REQUEST_TIMEOUT_MS + firstWaitS * 1000,
        retry: true,
        unknownHint: 'Whether the command was carried out is not known: look before you repeat it.',
      },
    )
    while (record.state !== 'ended' && performance.now() < deadline) {
      await this.#pause(Math.min(250, Math.max(0, deadline - performance.now())))
      record = await this.request(`/api/commands/${encodeURIComponent(record.id)}`, {
        retry: true,
        unknownHint: `The command ${record.id} was handed over, but how it ended is not known: look before you repeat it.`,
      })
    }
    return record
  }

  /** The numbers of a result that is too long for the ledger (`resultItems`). */
  result(id: string): Promise<number[]> {
    return this.request(`/api/commands/${encodeURIComponent(id)}/result`, { retry: true })
  }

  /**
   * One request.
   *
   * @param path - with its query
   * @returns the JSON document, or with `text` the text as it came
   */
  async request<T>(path: string, options: RequestOptions): Promise<T> {
    let mayHaveArrived = false
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once<T>(path, options)
      } catch (error) {
        if (error instanceof CliError || this.#signal.aborted)
          throw this.#giveUp(error, mayHaveArrived, options)
        mayHaveArrived ||= !neverConnected(error)
        const pauseMs = RETRY_AFTER_MS[attempt]
        if (!options.retry || pauseMs === undefined) throw this.#giveUp(error, mayHaveArrived, options)
        await this.#pause(pauseMs)
      }
    }
  }

  /**
   * A long answer, to be read as it comes: it may take as long as it does not fall silent for minutes. Whoever reads meets
   * the error of a connection that breaks.
   *
   * @throws CliError when there is none
   */
  async open(path: string): Promise<Response> {
    try {
      const response = await this.#send(path, {}, this.#signal)
      if (response.ok) return response
      const text = await response.text()
      const about = { url: this.url, method: 'GET', path, status: response.status }
      throw problemError({ ...about, document: parseJson(text), text })
    } catch (error) {
      throw this.#giveUp(error, !neverConnected(error), {})
    }
  }

  async #once<T>(path: string, options: RequestOptions): Promise<T> {
    const { method = 'GET', timeoutMs = REQUEST_TIMEOUT_MS } = options
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)])
    const response = await this.#send(path, options, signal)
    options.onHeaders?.(response.headers)
    const text = await response.text()
    if (response.ok && options.text) return text as T
    const document = parseJson(text)
    if (response.ok && document !== undefined) return document as T
    throw problemError({ url: this.url, method, path, status: response.status, document, text })
  }

  #send(
    path: string,
    { method = 'GET', body, headers }: RequestOptions,
    signal: AbortSignal,
  ): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(this.#user === null ? {} : { 'x-golem-user': encodeURIComponent(this.#user) }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal,
    })
  }

  #giveUp(error: unknown, mayHaveArrived: boolean, options: RequestOptions): CliError {
    if (error instanceof CliError) return error
    if (this.#signal.aborted) {
      const message =
        options.unknownHint === undefined ? 'Interrupted.' : `Interrupted. ${options.unknownHint}`
      return new CliError(options.unknownHint === undefined ? 'refused' : 'unknown', message, {
        cause: error,
      })
    }
    const why = `No answer from ${this.url} (${reasonOf(error)}).`
    if (mayHaveArrived && options.unknownHint !== undefined) {
      return new CliError('unknown', `${why} ${options.unknownHint}`, { cause: error })
    }
    const hint = mayHaveArrived
      ? 'It is there but does not answer; see its log.'
      : 'Is golem running there (`golem up`, or `golem start-app`)? Another address is given with --url or GOLEM_URL.'
    return new CliError('refused', `${why} Nothing was done. ${hint}`, { cause: error })
  }

  async #pause(ms: number): Promise<void> {
    // Ended early by Ctrl-C; the next request then sees the signal.
    await sleep(ms, undefined, { signal: this.#signal }).catch(() => undefined)
  }
}

function reservationPath(instrument: string): string {
  return `/api/instruments/${encodeURIComponent(instrument)}/reservation`
}

/** Did the request fail before a connection stood, so that nothing of it can have arrived? */
function neverConnected(error: unknown): boolean {
  const codes = [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
  ]
  return codes.includes(codeOf(error))
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'it took too long'
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nobody listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name of the host is not known'
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection was lost'
    default:
      return codeOf(error) || messageOf(error)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: the caller says so with the beginning of the text.
    return undefined
  }
}

/** Turns a problem document (RFC 9457), or an answer that is none, into the error the command ends with. */
function problemError(answer: {
  url: string
  method: string
  path: string
  status: number
  document: unknown
  text: string
}): CliError {
  const problem = (
    typeof answer.document === 'object' && answer.document !== null ? answer.document : {}
  ) as {
    code?: unknown
    detail?: unknown
    title?: unknown
    field?: unknown
    effect?: unknown
    command?: unknown
  }
  const details = { status: answer.status, ...problem }
  if (typeof problem.code === 'string' && Object.hasOwn(ERRORS, problem.code)) {
    const code = problem.code as ErrorCode
    const sentence = [problem.detail, problem.title].find((text) => typeof text === 'string') ?? code
    const hint = HINTS[code] === undefined ? '' : ` ${HINTS[code]}`
    return new CliError(exitOfProblem(code, problem.effect), `${sentence}${hint}`, { details })
  }
  const began = answer.text.slice(0, 120).replaceAll(/\s+/g, ' ')
  const exit: ExitName = answer.method !== 'GET' && answer.status >= 500 ? 'unknown' : 'refused'
  return new CliError(
    exit,
    `${answer.url}${answer.path} answered ${answer.status} with something that is not golem's: "${began}". Is this the address of golem?`,
    { details },
  )
}

/** A problem that says of itself that its effect is not known is never reported as "nothing was done". */
function exitOfProblem(code: ErrorCode, effect: unknown): ExitName {
  const exit = exitOf(code)
  return exit === 'refused' && effect === 'unknown' ? 'unknown' : exit
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  NOT_AUTHENTICATED: 'Give your token with --token-file FILE or in GOLEM_TOKEN.',
  NOT_ALLOWED: 'Ask the one who keeps site.yaml for a token with another role.',
  UNKNOWN_INSTRUMENT: '`golem list` shows those there are.',
  INSTRUMENT_RESERVED: '`golem reserve INSTRUMENT --wait` waits in line.',
  INTERLOCKED: '`golem interlocks` shows how they stand.',
  STOPPED: '`golem release` lifts the stop.',
  HANDOVER_UNKNOWN: 'Look before you repeat it.',
}
