import { type Address, type ErrorCode, GolemError, type HttpDriver, type HttpIo, nameOf } from '@golem/core'
import type { Gate } from './conversation.ts'
import { exchangeChannel } from './exchange-channel.ts'
import { exchange, type HttpTarget } from './http-exchange.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import { Turns } from './turns.ts'

type HttpAddress = Extract<Address, { kind: 'http' }>

/** A board that speaks HTTP: one exchange at a time, each on a TCP connection of its own. */
export class HttpLink implements Link {
  readonly #guard: () => void
  readonly #turns: Turns

  constructor(options: LinkOptions & { endpoint: HttpAddress }) {
    this.#guard = options.guard
    this.#turns = new Turns(nameOf({ ...options.endpoint, path: '' }))
  }

  attach({ driver, endpoint, auth }: AttachOptions): Channel {
    if (driver.transport !== 'http' || endpoint.kind !== 'http') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}" on an HTTP link: write an http:// address and a model that speaks HTTP.`,
      )
    }
    const target: HttpTarget = { ...endpoint, ...driver.link, auth: auth ?? null }
    return exchangeChannel({
      driver,
      where: nameOf(endpoint),
      turns: this.#turns,
      guard: this.#guard,
      ioFor: (gate) => ioFor(target, gate),
    })
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#turns.close(reason)
  }
}

function ioFor(target: HttpTarget & HttpDriver['link'], gate: Gate): HttpIo {
  return {
    get: (path) => exchange(target, { method: 'GET', path }, gate),
    post: (path, body) =>
      exchange(target, { method: 'POST', path, ...(body === undefined ? {} : { body }) }, gate),
    sleep: (ms) => gate.talk.sleep(ms),
  }
}
