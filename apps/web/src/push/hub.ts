import { GolemError } from '@golem/core'
import type { SiteView } from '@golem/queue'
import type { StateDocuments } from '../state-document.ts'
import { CLOSE, type Farewell } from './protocol.ts'

/** Something that shows one client the state: a socket or an event stream. */
export interface Outlet {
  readonly kind: 'socket' | 'stream'
  /** A document of the state in the form of this kind. */
  form(document: Buffer, cursor: string): Buffer
  /** Sends what `form` has made. @param sent - to be called when the bytes have left this process */
  send(content: Buffer, sent: () => void): void
  /** Tells that states were left out for so long, because the client took the last one slowly. */
  gap(ms: number): void
  /** A sign of life. @returns false when the client gives none */
  beat(): boolean
  /** Ends it in words. */
  end(farewell: Farewell): void
  /** Ends it at once. */
  cut(): void
}

/** What a client asks for. */
export interface Wish {
  /** Its cursor; without one it gets everything first. */
  since?: string | undefined
  /** States are gathered for so long, in ms; 0: each at once. */
  every?: number | undefined
}

/** A client that is served. */
export interface Seat {
  /** The client has gone. */
  leave(): void
}

interface Client {
  readonly outlet: Outlet
  readonly every: number
  /** Of the state that was sent last. */
  cursor: string | undefined
  /** Since when a state is on its way to it, on the monotonic clock; null: none is. */
  busySince: number | null
  /** The state has moved while one was on its way. */
  isBehind: boolean
  /** It gets no state before this time. */
  nextAt: number
  /** It has been told to go. */
  isLeaving: boolean
}

export interface PushLimits {
  /** How many sockets and streams are served at once. */
  maxClients?: number
  /** How often each client gets a sign of life, in ms. */
  heartbeatMs?: number
  /** A client that has not taken a state for so long is sent away, in ms. */
  stalledMs?: number
}

export interface HubOptions extends PushLimits {
  states: StateDocuments
  view: SiteView
}

/** States follow each other at this distance at least, in ms; the first after a quiet time goes out at once. */
const SPACING_MS = 20
/** On a busy site with many clients: sending takes one part of the time, the rest is for everything else. */
const SENDING_SHARE = 1 / 5
/** A state that took longer than this to be taken, while the next ones were left out, is told as a gap, in ms. */
const GAP_MS = 1_000
/** How long clients have to say goodbye when the process is ended, in ms. */
const FAREWELL_MS = 2_500
/** How many different forms of one state are kept; more clients at different cursors get one each. */
const MAX_FORMS = 64

/** Figures since the start of the process. */
export interface PushFigures {
  readonly messages: { socket: number; stream: number }
  gaps: number
  /** Clients that were sent away because they read too slowly or gave no sign of life. */
  dropped: number
}

/**
 * Shows all clients of this process each state as it comes.
 *
 * Nothing is kept for a client but its cursor. One state at a time is on its way to each; what happens meanwhile is in the next one, which is
 * made from the cursor, once for all clients that stand at the same. So a slow client costs no memory, and none waits for another.
 */
export class PushHub {
  readonly heartbeatMs: number
  readonly figures: PushFigures = { messages: { socket: 0, stream: 0 }, gaps: 0, dropped: 0 }
  readonly #states: StateDocuments
  readonly #clients = new Set<Client>()
  readonly #maxClients: number
  readonly #stalledMs: number
  readonly #unsubscribe: readonly (() => void)[]
  readonly #heart: NodeJS.Timeout
  /** Of the state as it is now, by kind and the cursor it starts from. */
  readonly #forms = new Map<string, { body: Buffer; content: Buffer }>()
  #formsOf = ''
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Infinity
  #flushesAt = 0
  #closing: Promise<void> | undefined
  #whenEmpty: () => void = () => undefined

  constructor({ states, view, maxClients = 10_000, heartbeatMs = 15_000, stalledMs = 30_000 }: HubOptions) {
    this.#states = states
    this.#maxClients = maxClients
    this.#stalledMs = stalledMs
    this.heartbeatMs = heartbeatMs
    const wake = (): void => this.#wake(this.#flushesAt)
    this.#unsubscribe = [view.onChange(wake), states.onMove(wake)]
    this.#heart = setInterval(() => this.#beat(), heartbeatMs)
    this.#heart.unref()
  }

  /** How many are served. @param kind - of one kind only */
  count(kind: Outlet['kind']): number {
    let count = 0
    for (const { outlet } of this.#clients) if (outlet.kind === kind) count += 1
    return count
  }

  /** @throws TOO_MANY_REQUESTS when no more clients are served; WORKER_STOPPING when the process is being ended */
  checkRoom(): void {
    if (this.#closing)
      throw new GolemError('WORKER_STOPPING', 'This web process is being ended. Connect again.')
    if (this.#clients.size < this.#maxClients) return
    throw new GolemError(
      'TOO_MANY_REQUESTS',
      `As many clients follow the state here as are served at once, ${this.#maxClients}. Poll /api/state, or try again later.`,
    )
  }

  /** Serves a client from now on: the state at once, and each one that follows. */
  join(outlet: Outlet, { since, every = 0 }: Wish): Seat {
    const client: Client = {
      outlet,
      every,
      cursor: since,
      busySince: null,
      isBehind: false,
      nextAt: -Infinity,
      isLeaving: false,
    }
    this.#clients.add(client)
    this.#send(client)
    return {
      leave: () => {
        this.#clients.delete(client)
        if (this.#clients.size === 0) this.#whenEmpty()
      },
    }
  }

  /** Says goodbye to all clients and waits a moment for them to go. No more are served. */
  close(): Promise<void> {
    this.#closing ??= this.#goodbye()
    return this.#closing
  }

  async #goodbye(): Promise<void> {
    clearInterval(this.#heart)
    clearTimeout(this.#timer)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    if (this.#clients.size === 0) return
    const gone = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
    for (const { outlet } of this.#clients) outlet.end(CLOSE.going)
    const late = setTimeout(() => {
      for (const { outlet } of this.#clients) outlet.cut()
    }, FAREWELL_MS)
    await gone
    clearTimeout(late)
  }

  /** Looks at all clients at this time, on the monotonic clock, or earlier. */
  #wake(at: number): void {
    if (this.#clients.size === 0 || this.#closing || at >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = at
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, at - performance.now()))
  }

  #flush(): void {
    const begun = performance.now()
    const { cursor } = this.#states
    // Looking may have brought the state up to date; what moves from here on is for the next time.
    this.#sleep()
    let soonest = Infinity
    for (const client of this.#clients) {
      if (client.cursor === cursor) continue
      if (client.busySince !== null) client.isBehind = true
      else if (client.nextAt > begun) soonest = Math.min(soonest, client.nextAt)
      else this.#send(client)
    }
    const now = performance.now()
    this.#flushesAt = now + Math.max(SPACING_MS, (now - begun) * (1 / SENDING_SHARE - 1))
    if (this.#wakesAt < Infinity) soonest = this.#flushesAt
    this.#sleep()
    if (soonest < Infinity) this.#wake(Math.max(soonest, this.#flushesAt))
  }

  #sleep(): void {
    clearTimeout(this.#timer)
    this.#wakesAt = Infinity
  }

  #send(client: Client): void {
    const { outlet } = client
    if (client.isLeaving) return
    const { body, cursor } = this.#states.answer(client.cursor)
    // Another process was ahead of this one: nothing is known here that the client does not know.
    if (body === null || (cursor === client.cursor && client.nextAt > -Infinity)) return
    const content = this.#form(client, body, cursor)
    const now = performance.now()
    client.cursor = cursor
    client.busySince = now
    client.isBehind = false
    client.nextAt = now + client.every
    this.figures.messages[outlet.kind] += 1
    outlet.send(content, () => this.#sent(client))
  }

  #form({ outlet, cursor: since = '' }: Client, body: Buffer, cursor: string): Buffer {
    if (this.#formsOf !== cursor) {
      this.#formsOf = cursor
      this.#forms.clear()
    }
    const key = `${outlet.kind} ${since}`
    const ready = this.#forms.get(key)
    // Another body of the same state has a later `at`.
    if (ready?.body === body) return ready.content
    const content = outlet.form(body, cursor)
    if (ready || this.#forms.size < MAX_FORMS) this.#forms.set(key, { body, content })
    return content
  }

  #sent(client: Client): void {
    const tookMs = performance.now() - (client.busySince ?? Infinity)
    client.busySince = null
    if (!client.isBehind || !this.#clients.has(client)) return
    if (tookMs > GAP_MS) {
      this.figures.gaps += 1
      client.outlet.gap(Math.round(tookMs))
    }
    this.#wake(Math.max(client.nextAt, this.#flushesAt))
  }

  #beat(): void {
    const now = performance.now()
    for (const client of this.#clients) {
      const { outlet, busySince, isLeaving } = client
      if (isLeaving) continue
      const isAlive = outlet.beat()
      if (isAlive && (busySince === null || now - busySince < this.#stalledMs)) continue
      this.figures.dropped += 1
      client.isLeaving = true
      if (busySince === null) {
        outlet.cut()
        continue
      }
      // It may read on yet, and then learns why.
      outlet.end(CLOSE.slow)
      setTimeout(() => outlet.cut(), FAREWELL_MS).unref()
    }
  }
}
