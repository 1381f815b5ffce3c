import { type Address, type ErrorCode, GolemError, type HttpDriver, type HttpIo } from '@golem/core'
import {
  type ChannelState,
  conclude,
  conversationGate,
  type Gate,
  introduce,
  introductionGate,
} from './conversation.ts'
import { exchange, type HttpTarget } from './http-exchange.ts'
import { type AttachOptions, type Channel, type Link, type LinkOptions, nameOf } from './link.ts'
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
    const state: ChannelState = { driver, standing: 'unknown' }
    const turns = this.#turns
    const guard = this.#guard
    return {
      driver,
      run: (priority, conversation, options) =>
        turns.take(priority, state, async (talk) => {
          const forget = talk.onOver(() => {
            state.standing = 'unknown'
          })
          if (priority !== 'stop' && state.standing !== 'ready') {
            await introduce(state, ioFor(target, introductionGate(talk, guard)), nameOf(endpoint), talk)
          }
          try {
            const io = ioFor(target, conversationGate(talk, guard, options?.beforeSend))
            return await (conversation as (io: HttpIo) => ReturnType<typeof conversation>)(io)
          } catch (error) {
            throw conclude(state, talk, error)
          } finally {
            forget()
          }
        }),
    }
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
