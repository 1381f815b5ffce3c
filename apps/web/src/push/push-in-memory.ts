import type { StateDocument } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClientOptions, WebSocket } from 'ws'
import { open } from '../app-in-memory.ts'
import type { InMemoryClient } from '../in-memory-site.ts'
import type { PushLimits } from './hub.ts'
import { SUBPROTOCOL } from './protocol.ts'

/** A message of the server. */
export interface Message {
  type: string
  [member: string]: unknown
}

export type StateMessage = Message & StateDocument

interface Ending {
  after: (end: () => void | Promise<void>) => void
}

/** The application before an in-memory site, at a port. `address`: of the port, e.g. `127.0.0.1:4711`. */
export async function openPort(
  t: Ending,
  web = {},
  push: PushLimits = {},
): Promise<{ app: FastifyInstance; client: InMemoryClient; address: string }> {
  const { app, client } = await open(t, web, {}, push)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, client, address: `127.0.0.1:${(app.server.address() as AddressInfo).port}` }
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

/** How a request to upgrade is refused. */
export async function refusal(
  address: string,
  path = '/ws',
  options: ClientOptions = {},
  protocol: string | string[] = SUBPROTOCOL,
): Promise<{ status: number; code: unknown; field: unknown }> {
  const socket = new WebSocket(`ws://${address}${path}`, protocol, options)
  const response = await new Promise<{ statusCode?: number; text: string }>((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate()
      reject(new Error('It was let in.'))
    })
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_request, answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ statusCode: answer.statusCode ?? 0, text }))
    })
  })
  const { code, field } = JSON.parse(response.text) as { code?: unknown; field?: unknown }
  return { status: response.statusCode ?? 0, code, field }
}

/** Waits for a condition, as long as a busy machine may take. */
export async function until<T>(what: string, check: () => T | undefined): Promise<T> {
  for (const end = performance.now() + 30_000; performance.now() < end; await sleep(5)) {
    const found = check()
    if (found !== undefined) return found
  }
  return assert.fail(`not within 30 s: ${what}`)
}
