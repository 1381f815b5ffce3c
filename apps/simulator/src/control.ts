import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { asGolemError, GolemError, messageOf } from '@golem/core'
import type { Logger } from 'pino'
import type { SimulatedDevice } from './device.ts'
import { parseFault } from './faults.ts'
import type { Stand } from './stand.ts'

export interface ControlOptions {
  /** 0: a free one */
  port: number
  device: (name: string) => SimulatedDevice
  devices: () => SimulatedDevice[]
  stand: Stand
  log: Logger
}

export interface ControlServer {
  readonly address: string
  close(): Promise<void>
}

const MAX_BODY = 16 * 1024

/**
 * A small HTTP server on 127.0.0.1 by which a person or another process plays with the devices:
 * `GET /devices`, `GET /stand`, and of one device `GET|DELETE .../counters`, `GET .../requests`,
 * `GET|PUT|DELETE .../fault`, `POST .../unplug`, `POST .../replug`.
 */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const server = http.createServer((request, response) => {
    answer(request, options)
      .then((body) => reply(response, 200, body))
      .catch((thrown: unknown) => {
        const error = asGolemError(thrown)
        if (error.code === 'INTERNAL') options.log.error(error)
        reply(response, error.status, { code: error.code, message: error.message, field: error.field })
      })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options.port, '127.0.0.1', () => resolve())
    })
  } catch (error) {
    throw new GolemError(
      'CONFIG_INVALID',
      `The simulator's control server can't listen on 127.0.0.1:${options.port}: ${messageOf(error)}. ` +
        'Free that port or give it another one.',
      { cause: error },
    )
  }
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function reply(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body, null, 1)
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(`${text}\n`)
}

async function answer(request: http.IncomingMessage, options: ControlOptions): Promise<unknown> {
  refuseBrowsers(request)
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const asked = `${request.method ?? ''} ${path}`
  if (asked === 'GET /devices') return options.devices().map(summary)
  if (asked === 'GET /stand') return options.stand.state()
  const [, name, what] = /^\/devices\/([^/]+)\/([a-z]+)$/.exec(path) ?? []
  if (name !== undefined)
    return onDevice(options.device(name), `${request.method ?? ''} ${what ?? ''}`, request)
  throw notFound(asked)
}

async function onDevice(
  device: SimulatedDevice,
  asked: string,
  request: http.IncomingMessage,
): Promise<unknown> {
  switch (asked) {
    case 'GET counters':
      return device.counters()
    case 'DELETE counters':
      device.resetCounters()
      return device.counters()
    case 'GET requests':
      return device.requests()
    case 'GET fault':
      return device.fault()
    case 'PUT fault':
      await device.setFault(parseFault(await readJson(request)))
      return device.fault()
    case 'DELETE fault':
      await device.setFault(null)
      return device.fault()
    case 'POST unplug':
      await device.unplug()
      return summary(device)
    case 'POST replug':
      await device.replug()
      return summary(device)
    default:
      throw notFound(asked)
  }
}

function summary(device: SimulatedDevice): unknown {
  const { name, kind, address } = device
  return { name, kind, address, fault: device.fault(), state: device.state() }
}

function notFound(asked: string): GolemError {
  return new GolemError(
    'NOT_FOUND',
    `The simulator does not know ${asked.slice(0, 80)}. It knows GET /devices, GET /stand and, below ` +
      '/devices/NAME, GET and DELETE counters, GET requests, GET, PUT and DELETE fault, POST unplug and POST replug.',
  )
}

/** A web page elsewhere must not play with the devices through somebody's browser. */
function refuseBrowsers(request: http.IncomingMessage): void {
  const { host = '', origin } = request.headers
  const local = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)
  if (origin === undefined && local) return
  throw new GolemError('NOT_ALLOWED', 'The simulator is not controlled from web pages of other origins.')
}

async function readJson(request: http.IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of request as AsyncIterable<Buffer>) {
    text += piece.toString()
    if (text.length > MAX_BODY) {
      throw new GolemError('BODY_TOO_LARGE', `A fault takes at most ${MAX_BODY} bytes.`)
    }
  }
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new GolemError('INVALID_REQUEST', `The body is not JSON: ${messageOf(error)}.`, { cause: error })
  }
}
