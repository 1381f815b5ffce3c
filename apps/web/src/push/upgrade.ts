import { GolemError } from '@golem/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { MAX_MESSAGE, SUBPROTOCOL } from './protocol.ts'

interface Upgrade {
  socket: Socket
  head: Buffer
}

/**
 * Lets requests with `Upgrade` go through the routes like all others, so that whoever may not come in, or asks for what is not
 * there, gets the same answer as everywhere, before anything is upgraded.
 */
export class Upgrades {
  readonly #pending = new WeakMap<IncomingMessage, Upgrade>()
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE,
    handleProtocols: () => SUBPROTOCOL,
  })

  constructor(app: FastifyInstance) {
    app.server.on('upgrade', (request, socket: Socket, head) => {
      socket.on('error', () => socket.destroy())
      // Node has let go of the connection: what follows the head is not read as HTTP any more.
      if (hasBody(request)) {
        socket.end('HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return
      }
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      response.on('finish', () => {
        response.detachSocket(socket)
        socket.end()
      })
      this.#pending.set(request, { socket, head })
      app.routing(request, response)
    })
  }

  /** @throws INVALID_REQUEST unless the request asks for a WebSocket in a way that can be met */
  check({ raw }: FastifyRequest): void {
    const { headers } = raw
    if (!this.#pending.has(raw) || headers.upgrade?.toLowerCase() !== 'websocket') {
      throw new GolemError(
        'INVALID_REQUEST',
        'This address speaks WebSocket only; poll /api/state, or follow /api/state/stream.',
        {
          field: 'header.upgrade',
          details: { status: 426 },
        },
      )
    }
    const offered = headers['sec-websocket-protocol']
    if (offered !== undefined && !offered.split(',').some((name) => name.trim() === SUBPROTOCOL)) {
      throw new GolemError('INVALID_REQUEST', `The subprotocol spoken here is ${SUBPROTOCOL}.`, {
        field: 'header.sec-websocket-protocol',
      })
    }
  }

  /** Answers 101. What is wrong with the handshake itself is answered by the library. @param opened - gets the socket */
  accept({ raw }: FastifyRequest, reply: FastifyReply, opened: (socket: WebSocket) => void): void {
    const upgrade = this.#pending.get(raw)
    if (!upgrade) throw new GolemError('INTERNAL', 'accept was called before check')
    this.#pending.delete(raw)
    reply.hijack()
    reply.raw.detachSocket(upgrade.socket)
    this.#server.handleUpgrade(raw, upgrade.socket, upgrade.head, opened)
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
