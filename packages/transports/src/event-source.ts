import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { messageOf } from '@golem/core'
import { createParser } from 'eventsource-parser'

/** The pause before a connection is tried again: the first, and the longest, in ms. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000
/** An event is not longer, in bytes: a board that sends without end must not fill the memory. */
const MAX_EVENT = 1024 * 1024

export interface EventSourceTarget {
  host: string
  port: number
  /** With the base path. */
  path: string
  auth: { user: string; password: string } | null
  /** After so much silence the connection is taken to be dead, in ms. */
  silenceMs: number
}

export interface EventSourceListener {
  onEvent: (event: { type: string; data: string }) => void
  /**
   * The connection has ended, or could not be opened; it is tried again.
   *
   * @param broken - who answers at the address now may be another board; not when the board has only said that it has
   *   no events, or this end closed the connection
   */
  onEnd: (why: string, broken: boolean) => void
}

/**
 * A connection to a server of events (`text/event-stream`) that is kept open: it is opened again, after a growing pause,
 * whenever it ends or is silent for too long.
 */
export class EventSource {
  readonly #target: EventSourceTarget
  readonly #guard: () => void
  readonly #listeners = new Set<EventSourceListener>()
  #request: ClientRequest | undefined
  #again: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  #pauseMs = FIRST_PAUSE_MS
  /** This end has closed the connection. */
  #isOpenedAnew = false
  #closed = false

  /** @param guard - called directly before the request goes out; when it throws, it does not, and is tried again later */
  constructor(target: EventSourceTarget, guard: () => void) {
    this.#target = target
    this.#guard = guard
  }

  /**
   * Tells events from now on. The connection is opened for the first one, and anew for others: a server tells all its
   * states at the beginning only.
   */
  listen(listener: EventSourceListener): void {
    if (this.#listeners.has(listener) || this.#closed) return
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#open()
    else this.#openAnew()
  }

  #openAnew(): void {
    this.#isOpenedAnew = true
    this.#request?.destroy()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#again)
    clearTimeout(this.#silence)
    this.#request?.destroy()
    this.#listeners.clear()
  }

  #open(): void {
    if (this.#closed) return
    this.#isOpenedAnew = false
    const { host, port, path, auth } = this.#target
    try {
      this.#guard()
    } catch (error) {
      this.#later(messageOf(error), false)
      return
    }
    const sent = request({
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      path,
      agent: false,
      headers: { accept: 'text/event-stream', 'cache-control': 'no-store' },
      ...(auth ? { auth: `${auth.user}:${auth.password}` } : {}),
    })
    this.#request = sent
    let over = false
    const end = (why: string, broken = true): void => {
      if (over) return
      over = true
      sent.destroy()
      this.#later(why, broken)
    }
    this.#watch(end)
    sent.on('error', (error) => end(messageOf(error)))
    // Node tells the end of the response a turn later: by then something may have been sent to another board.
    sent.on('socket', (socket) => socket.once('end', () => end('the board ended it')))
    sent.on('close', () => end('the connection was closed'))
    sent.on('response', (response) => {
      response.on('error', (error) => end(messageOf(error)))
      const type = response.headers['content-type'] ?? ''
      if (response.statusCode !== 200 || !type.startsWith('text/event-stream')) {
        end(`HTTP ${response.statusCode} ${type}, no events`, false)
        return
      }
      response.on('end', () => end('the board ended it'))
      this.#read(response, end)
    })
    sent.end()
  }

  #read(response: IncomingMessage, end: (why: string) => void): void {
    let sinceEvent = 0
    const parser = createParser({
      onEvent: ({ event = 'message', data }) => {
        sinceEvent = 0
        this.#pauseMs = FIRST_PAUSE_MS
        for (const listener of this.#listeners) listener.onEvent({ type: event, data })
      },
    })
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      if (this.#closed) return
      this.#watch(end)
      sinceEvent += text.length
      parser.feed(text)
      if (sinceEvent > MAX_EVENT) end(`an event of more than ${MAX_EVENT} bytes`)
    })
  }

  /** Ends the connection when nothing comes any more. */
  #watch(end: (why: string) => void): void {
    const { silenceMs } = this.#target
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => end(`nothing for ${silenceMs} ms`), silenceMs)
  }

  #later(why: string, broken: boolean): void {
    clearTimeout(this.#silence)
    if (this.#closed) return
    const isBroken = broken && !this.#isOpenedAnew
    for (const listener of this.#listeners) listener.onEnd(why, isBroken)
    this.#again = setTimeout(() => this.#open(), this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }
}
