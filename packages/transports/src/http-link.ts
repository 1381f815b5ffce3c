import {
  type Address,
  asGolemError,
  type ErrorCode,
  GolemError,
  type HttpDriver,
  type HttpIo,
  nameOf,
} from '@golem/core'
import type { Gate } from './conversation.ts'
import { EventSource } from './event-source.ts'
import { exchangeChannel } from './exchange-channel.ts'
import { exchange, type HttpTarget } from './http-exchange.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import { Turns } from './turns.ts'

type HttpAddress = Extract<Address, { kind: 'http' }>

/** The events of one instrument. */
interface Events {
  listen: () => void
  /** The connection that told events has broken since the board was identified. */
  isBroken: () => boolean
  /** The same; it is taken care of then. */
  takeBroken: () => boolean
  /** What was wrong with an event is told to the next poll. */
  throwTrouble: () => void
}

/**
 * A board that speaks HTTP: one exchange at a time, each on a TCP connection of its own. Beside them one connection is
 * kept open for the board's events, where a driver wants them; instruments of one board share it.
 */
export class HttpLink implements Link {
  readonly #guard: () => void
  readonly #turns: Turns
  readonly #eventSources = new Map<string, EventSource>()

  constructor(options: LinkOptions & { endpoint: HttpAddress }) {
    this.#guard = options.guard
    this.#turns = new Turns(nameOf({ ...options.endpoint, path: '' }))
  }

  attach({ driver, endpoint, auth = null, onReadings }: AttachOptions): Channel {
    if (driver.transport !== 'http' || endpoint.kind !== 'http') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}" on an HTTP link: write an http:// address and a model that speaks HTTP.`,
      )
    }
    const target: HttpTarget = { ...endpoint, ...driver.link, auth }
    const events = driver.events && this.#eventsOf(target, driver.events, onReadings)
    return exchangeChannel<HttpIo>({
      driver,
      where: nameOf(endpoint),
      turns: this.#turns,
      guard: this.#guard,
      ioFor: (gate) => ioFor(target, events && gate.talk.priority !== 'stop' ? guarded(gate, events) : gate),
      ...(events
        ? {
            prepare: async (talk, state) => {
              // Who answers there now may be another board.
              if (events.takeBroken()) state.standing = 'unknown'
              if (talk.priority === 'poll') events.throwTrouble()
              // A board that has not been identified is not asked for its events.
              if (state.standing === 'ready') events.listen()
            },
          }
        : {}),
    })
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#turns.close(reason)
    for (const source of this.#eventSources.values()) source.close()
  }

  #eventsOf(
    target: HttpTarget,
    { path, silenceMs, onEvent, onEnd }: NonNullable<HttpDriver['events']>,
    onReadings: AttachOptions['onReadings'],
  ): Events {
    const key = JSON.stringify([target.path, path, target.auth])
    const source =
      this.#eventSources.get(key) ??
      new EventSource({ ...target, path: `${target.path}${path}`, silenceMs }, this.#guard)
    this.#eventSources.set(key, source)
    let trouble: GolemError | undefined
    let broken = false
    const listener = {
      onEvent: (event: { type: string; data: string }): void => {
        try {
          const readings = onEvent(event)
          if (readings) onReadings?.(readings)
        } catch (error) {
          trouble = asGolemError(error)
        }
      },
      onEnd: (_why: string, isBroken: boolean): void => {
        broken ||= isBroken
        onEnd()
      },
    }
    return {
      listen: () => source.listen(listener),
      isBroken: () => broken,
      takeBroken: () => {
        const wasBroken = broken
        broken = false
        return wasBroken
      },
      throwTrouble: () => {
        const told = trouble
        trouble = undefined
        if (told) throw told
      },
    }
  }
}

/** Nothing of a conversation goes to a board that may be another one since it began. */
function guarded(gate: Gate, events: Events): Gate {
  return {
    talk: gate.talk,
    pass: () => {
      if (events.isBroken()) {
        throw new GolemError(
          'LINK_DOWN',
          'It was not sent: the board has just ended its events, and has to be identified again.',
        )
      }
      gate.pass()
    },
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
