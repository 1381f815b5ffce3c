import type { ServerResponse } from 'node:http'
import type { Outlet, PushHub, Wish } from './hub.ts'
import { asEvent } from './protocol.ts'

/** How soon a client that was cut off should come again, in ms. */
const RETRY_MS = 1_000

/** One client at an event stream (text/event-stream of the HTML standard). */
export class EventStreamClient implements Outlet {
  readonly kind = 'stream'
  readonly #response: ServerResponse

  /** @param response - nothing of it has been sent; it is this client's from now on */
  constructor(response: ServerResponse, hub: PushHub, wish: Wish) {
    this.#response = response
    response.on('error', () => undefined)
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A proxy (nginx) is not to gather the events.
      'x-accel-buffering': 'no',
    })
    response.write(`retry: ${RETRY_MS}\n\n`)
    const seat = hub.join(this, wish)
    response.on('close', () => seat.leave())
  }

  form(document: Buffer, cursor: string): Buffer {
    return asEvent(document, cursor)
  }

  send(content: Buffer, sent: () => void): void {
    // An error means that the connection has ended, which is told by its close.
    this.#response.write(content, () => sent())
  }

  gap(ms: number): void {
    this.#response.write(`event: gap\ndata: {"ms":${ms}}\n\n`)
  }

  beat(): boolean {
    // Of a client that reads nothing the hub knows by the state that is on its way.
    if (!this.#response.writableNeedDrain) this.#response.write(': still here\n\n')
    return true
  }

  end(): void {
    this.#response.end()
  }

  cut(): void {
    this.#response.destroy()
  }
}
