import type { StateDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientOptions, WebSocket } from 'ws'
import { SUBPROTOCOL } from './protocol.ts'

/** A message of the server. */
export interface Message {
  type: string
  [member: string]: unknown
}

export type StateMessage = Message & StateDocument

/** A test, or the `after` of a whole file. */
export interface Ending {
  after: (end: () => void | Promise<void>) => void
}

/** A client of the socket that keeps what has come. */
export class TestSocket {
  readonly socket: WebSocket
  /** What has come and was not taken. */
  readonly messages: Message[] = []
  /** How it was closed. */
  closed: { code: number; reason: string } | null = null

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.messages.push(JSON.parse((data as Buffer).toString()) as Message))
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) }
    })
    socket.on('error', () => undefined)
  }

  /** @param path - from `/ws` on */
  static async to(
    t: Ending,
    address: string,
    path = '/ws',
    options: ClientOptions = {},
  ): Promise<TestSocket> {
    const socket = new WebSocket(`ws://${address}${path}`, SUBPROTOCOL, options)
    const client = new TestSocket(socket)
    t.after(() => socket.terminate())
    await once(socket, 'open')
    return client
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message))
  }

  /** The next message of this type; those before it are thrown away. */
  async next<T extends Message = Message>(
    type: string,
    wanted: (message: T) => boolean = () => true,
  ): Promise<T> {
    return until(`a message "${type}" has come`, () => {
      for (;;) {
        const message = this.messages.shift()
        if (!message) return undefined
        if (message.type === type && wanted(message as T)) return message as T
      }
    })
  }

  state(wanted: (message: StateMessage) => boolean = () => true): Promise<StateMessage> {
    return this.next('state', wanted)
  }

  /** The code it is closed with. */
  async end(): Promise<number> {
    return (await until('the socket is closed', () => this.closed ?? undefined)).code
  }
}

/** Waits for a condition, as long as a busy machine may take. */
export async function until<T>(what: string, check: () => T | undefined): Promise<T> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(5)) {
    const found = check()
    if (found !== undefined) return found
  }
  return assert.fail(`not within 30 s: ${what}`)
}
