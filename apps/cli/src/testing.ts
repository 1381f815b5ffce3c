import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runCli } from './cli.ts'
import type { Context } from './context.ts'

/** What a run of the command line said and ended with. */
export interface CliRun {
  code: number
  out: string
  err: string
}

/** Runs a command line in this process. Nothing of the environment gets in but what is given. */
export async function runForTest(argv: readonly string[], given: Partial<Context> = {}): Promise<CliRun> {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(argv, {
    env: {},
    cwd: '/',
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    interactive: false,
    confirm: () => Promise.resolve(false),
    ask: () => Promise.resolve(''),
    signal: new AbortController().signal,
    ...given,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** A request that a stand-in for the web process received. */
export interface SeenRequest {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: unknown
}

/** A stand-in for the web process: answers by what the test gives it, and remembers what it was asked. */
export class StandInServer {
  readonly seen: SeenRequest[] = []
  /** Stays what it was when the server is closed. */
  url = ''
  readonly #server: Server
  /** By `METHOD /path` without query; a function may answer anything, also by cutting the connection. */
  readonly routes: Record<string, unknown>

  constructor(routes: Record<string, unknown>) {
    this.routes = routes
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** @param port - default: one that is free */
  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const path = (request.url ?? '').split('?')[0] ?? ''
    const seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    }
    this.seen.push(seen)
    const route = this.routes[`${seen.method} ${path}`]
    if (typeof route === 'function') {
      ;(route as (response: ServerResponse, seen: SeenRequest) => void)(response, seen)
    } else if (route === undefined) {
      sendJson(response, 404, { code: 'NOT_FOUND', detail: `${path} is not there.`, effect: 'none' })
    } else sendJson(response, 200, route)
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
