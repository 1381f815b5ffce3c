import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import { open } from '../app-in-memory.ts'
import type { InMemoryClient } from '../in-memory-site.ts'
import type { PushLimits } from './hub.ts'
import { SUBPROTOCOL } from './protocol.ts'
import type { Ending } from './test-socket.ts'

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
