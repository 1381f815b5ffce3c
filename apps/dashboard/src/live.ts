import type { StateDocument } from '@golem/core'

/** As `apps/web/src/push/protocol.ts`. */
const SUBPROTOCOL = 'golem.v1'
/** States are gathered for so long by the server: more often than this nobody looks, in ms. */
const EVERY_MS = 100
/** After this silence the server is asked whether it is there, and after as long again it is given up, in ms. */
const SILENCE_MS = 2000
const CHECK_MS = 500
/** The first pause before the socket is tried again, and the longest, in ms. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A socket that held for so long was a good one: the next pause is a short one again, in ms. */
const HEALTHY_MS = 30_000

/** The part of a browser's WebSocket that is used. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'onmessage' | 'onclose'>

export interface LiveOptions {
  /** Where the page was loaded from; `ws` is below it. */
  base: string
  /** A ticket for somebody who has a token; null: none is needed. It may throw. */
  ticket: () => Promise<string | null>
  /** The state that is known. */
  cursor: () => string | null
  onState: (state: StateDocument) => void
  /** The socket has begun or ceased to show the state. */
  onChange: (isLive: boolean) => void
  open?: (url: string, protocol: string) => Socket
  /** Of the monotonic clock, in ms. */
  now?: () => number
  random?: () => number
}

/**
 * Shows the state as it comes, through a socket. Where it can't be had (a proxy in between, a server that is being started anew),
 * it is tried again later and later; whoever uses this polls meanwhile.
 */
export class Live {
  readonly #options: Required<LiveOptions>
  #socket: Socket | null = null
  /** Counts the sockets: what an older one still says is not heard. */
  #turn = 0
  #isLive = false
  #failures = 0
  #nextTryAt = 0
  #liveSince = 0
  #heardAt = 0
  #asked = false
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(options: LiveOptions) {
    this.#options = {
      open: (url, protocol) => new WebSocket(url, protocol),
      now: () => performance.now(),
      random: Math.random,
      ...options,
    }
  }

  /** Whether the state is shown by the socket now, so that nobody need ask for it. */
  get isLive(): boolean {
    return this.#isLive
  }

  /** Opens the socket, unless there is one or it is too early to try again. To be called now and then. */
  want(): void {
    if (this.#socket !== null || this.#options.now() < this.#nextTryAt) return
    this.#turn += 1
    // Nobody else tries until this has come to an end.
    this.#nextTryAt = Infinity
    void this.#open(this.#turn)
  }

  /** Ends it; `want` opens it again at once. */
  close(): void {
    this.#end()
    this.#failures = 0
    this.#nextTryAt = 0
  }

  async #open(turn: number): Promise<void> {
    const { base, ticket, cursor, open } = this.#options
    try {
      const pass = await ticket()
      if (turn !== this.#turn) return
      const url = new URL('ws', base)
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
      url.searchParams.set('every', String(EVERY_MS))
      const since = cursor()
      if (since !== null) url.searchParams.set('since', since)
      if (pass !== null) url.searchParams.set('ticket', pass)
      const socket = open(url.href, SUBPROTOCOL)
      this.#socket = socket
      this.#heardAt = this.#options.now()
      this.#timer = setInterval(() => this.#check(), CHECK_MS)
      socket.onmessage = ({ data }) => {
        if (turn === this.#turn) this.#hear(data)
      }
      socket.onclose = () => {
        if (turn === this.#turn) this.#failed()
      }
    } catch {
      // No ticket, or a browser that may not open sockets: polling goes on, and the next try comes.
      if (turn === this.#turn) this.#failed()
    }
  }

  #hear(data: unknown): void {
    this.#heardAt = this.#options.now()
    this.#asked = false
    let message: { type?: unknown }
    try {
      message = JSON.parse(String(data)) as { type?: unknown }
    } catch {
      // Not golem at the other end.
      this.#failed()
      return
    }
    if (message.type === 'hello' && !this.#isLive) {
      this.#isLive = true
      this.#liveSince = this.#heardAt
      this.#options.onChange(true)
    }
    if (message.type === 'state') this.#options.onState(message as StateDocument)
  }

  /** A connection may be dead without anybody having said so. */
  #check(): void {
    const silence = this.#options.now() - this.#heardAt
    if (silence > 2 * SILENCE_MS) this.#failed()
    else if (silence > SILENCE_MS && this.#isLive && !this.#asked) {
      this.#asked = true
      this.#socket?.send('{"type":"ping"}')
    }
  }

  #failed(): void {
    const now = this.#options.now()
    if (this.#isLive && now - this.#liveSince > HEALTHY_MS) this.#failures = 0
    // Full jitter: pages that were cut off together do not come back together.
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#nextTryAt = now + most * this.#options.random()
    this.#end()
  }

  #end(): void {
    this.#turn += 1
    clearInterval(this.#timer)
    this.#socket?.close()
    this.#socket = null
    this.#asked = false
    if (!this.#isLive) return
    this.#isLive = false
    this.#options.onChange(false)
  }
}
