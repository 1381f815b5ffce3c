import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { GolemError, type HttpReply, messageOf } from '@golem/core'
import type { Gate } from './conversation.ts'

/** The largest reply body, in bytes. */
const MAX_BODY = 1024 * 1024

export interface HttpTarget {
  host: string
  port: number
  /** Base path, without a slash at its end. */
  path: string
  connectTimeoutMs: number
  /** From the request to the end of the reply. */
  replyTimeoutMs: number
  auth: { user: string; password: string } | null
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  path: string
  body?: string
}

/**
 * One request and its reply on a fresh TCP connection: then a refused connection is known to have had no
 * effect, which a kept-alive socket that dies at the wrong moment could not tell.
 *
 * @throws LINK_DOWN (not connected, nothing sent), LINK_LOST, REPLY_TIMEOUT, REPLY_MALFORMED, and what `gate` throws
 */
export async function exchange(target: HttpTarget, asked: HttpRequest, gate: Gate): Promise<HttpReply> {
  const { talk } = gate
  talk.throwIfOver()
  let socket: Socket | undefined
  const forget = talk.onOver(() => socket?.destroy())
  try {
    socket = openSocket(target)
    await talk.orOver(connected(socket, target, asked))
    // What has arrived in the same moment is heard first, the end of another connection to this board too.
    await talk.orOver(setImmediate())
    if (socket.destroyed) {
      throw new GolemError(
        'LINK_DOWN',
        `${inWords(target, asked)} was not sent: the connection ended at once.`,
      )
    }
    return await talk.orOver(ask(socket, target, asked, gate))
  } finally {
    forget()
    socket?.destroy()
  }
}

function openSocket({ host, port, connectTimeoutMs }: HttpTarget): Socket {
  const socket = connect({
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    noDelay: true,
    // Node gives each address of a name 250 ms by default, less than a board behind a VPN may need.
    autoSelectFamilyAttemptTimeout: Math.max(250, Math.floor(connectTimeoutMs / 2)),
  })
  // Errors are taken where they are waited for; one that comes when nobody waits any more is no news.
  socket.on('error', () => socket.destroy())
  return socket
}

function connected(socket: Socket, target: HttpTarget, asked: HttpRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const down = (why: string, cause?: unknown): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(new GolemError('LINK_DOWN', `${inWords(target, asked)} was not sent: ${why}.`, { cause }))
    }
    const timer = setTimeout(() => {
      down(`no connection within ${target.connectTimeoutMs} ms`)
    }, target.connectTimeoutMs)
    socket.once('error', (error) => down(messageOf(error), error))
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function ask(socket: Socket, target: HttpTarget, asked: HttpRequest, gate: Gate): Promise<HttpReply> {
  const { method, body } = asked
  const what = inWords(target, asked)
  // From here to the socket nothing waits: the bytes go out in this turn of the event loop.
  gate.pass()
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const fail = (
      code: 'LINK_LOST' | 'REPLY_TIMEOUT' | 'REPLY_MALFORMED',
      why: string,
      cause?: unknown,
    ): void => {
      clearTimeout(timer)
      socket.destroy()
      const after = `after ${Math.round(performance.now() - startedAt)} ms`
      reject(new GolemError(code, `${what}: ${why} (${after}).`, { cause }))
    }
    const timer = setTimeout(() => {
      fail('REPLY_TIMEOUT', 'no complete reply in time')
    }, target.replyTimeoutMs)
    const sent = request({
      method,
      host: target.host,
      port: target.port,
      path: `${target.path}${asked.path}`,
      headers: headersFor(target, asked),
      createConnection: () => socket,
    })
    sent.on('error', (error) => {
      const garbage = 'code' in error && String(error.code).startsWith('HPE_')
      if (garbage) fail('REPLY_MALFORMED', `the reply is not HTTP: ${messageOf(error)}`, error)
      else fail('LINK_LOST', `the connection was lost: ${messageOf(error)}`, error)
    })
    sent.once('response', (response) => {
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size > MAX_BODY) fail('REPLY_MALFORMED', `the reply is longer than ${MAX_BODY} bytes`)
        else parts.push(part)
      })
      const cut = (cause?: unknown): void => {
        fail('LINK_LOST', `the reply was cut off after ${size} bytes of its body`, cause)
      }
      response.on('error', cut)
      response.once('end', () => {
        if (!response.complete) return cut()
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') })
      })
    })
    sent.end(body)
  })
}

function headersFor({ auth }: HttpTarget, { method, body }: HttpRequest): Record<string, string | number> {
  const headers: Record<string, string | number> = { connection: 'close' }
  if (method === 'POST') headers['content-length'] = Buffer.byteLength(body ?? '')
  if (body !== undefined) {
    headers['content-type'] = body.startsWith('{') ? 'application/json' : 'text/plain'
  }
  if (auth) {
    headers['authorization'] =
      `Basic ${Buffer.from(`${auth.user}:${auth.password}`, 'utf8').toString('base64')}`
  }
  return headers
}

function inWords({ host, port, path }: HttpTarget, asked: HttpRequest): string {
  const body = asked.body === undefined ? '' : ` with ${asked.body}`
  return `${asked.method} http://${host}:${port}${path}${asked.path}${body}`
}
