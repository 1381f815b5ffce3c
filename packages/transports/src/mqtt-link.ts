import {
  type Address,
  asGolemError,
  type ErrorCode,
  fullTopic,
  GolemError,
  type MqttIo,
  nameOf,
} from '@golem/core'
import type { ChannelState, Gate } from './conversation.ts'
import { exchangeChannel } from './exchange-channel.ts'
import type { AttachOptions, Channel, Link, LinkOptions } from './link.ts'
import { Broker } from './mqtt-broker.ts'
import { MqttChannel } from './mqtt-channel.ts'
import { type Talk, Turns } from './turns.ts'

type MqttAddress = Extract<Address, { kind: 'mqtt' }>

/** The pause between tries to reach a broker: the first, and the longest, in ms. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5000

interface Attached {
  channel: MqttChannel
  turns: Turns
  /** The connection it was introduced on. */
  known: Broker | undefined
  /** Why the broker gives no messages of it. */
  refused: GolemError | undefined
}

/**
 * A broker and the devices behind it: one connection for all of them. Devices do not wait for each other, since each
 * has topics of its own. Once somebody has needed the connection, it is kept up until the link is closed.
 */
export class MqttLink implements Link {
  readonly #options: LinkOptions & { endpoint: MqttAddress }
  readonly #where: string
  readonly #attached: Attached[] = []
  #auth: AttachOptions['auth'] = null
  #broker: Broker | undefined
  #opening: Promise<Broker> | undefined
  #failure: GolemError | undefined
  #pauseMs = FIRST_PAUSE_MS
  #retry: NodeJS.Timeout | undefined
  #told = true
  #closed = false

  constructor(options: LinkOptions & { endpoint: MqttAddress }) {
    this.#options = options
    this.#where = nameOf({ ...options.endpoint, topic: '' })
  }

  attach({ driver, endpoint, auth = null, onReadings }: AttachOptions): Channel {
    if (driver.transport !== 'mqtt' || endpoint.kind !== 'mqtt') {
      throw new GolemError(
        'CONFIG_INVALID',
        `${nameOf(endpoint)} does not fit a model of transport "${driver.transport}" behind an MQTT broker: write an mqtt:// address and a model that speaks MQTT.`,
      )
    }
    if (this.#attached.length === 0) this.#auth = auth
    else if (this.#auth?.user !== auth?.user || this.#auth?.password !== auth?.password) {
      throw new GolemError(
        'CONFIG_INVALID',
        `Two instruments at ${this.#where} have different "auth": a broker has one connection, so write the same in both.`,
      )
    }
    const where = nameOf(endpoint)
    const channel = new MqttChannel(driver, endpoint.topic, where, onReadings)
    const turns = new Turns(where)
    const attached: Attached = { channel, turns, known: undefined, refused: undefined }
    this.#attached.push(attached)
    return exchangeChannel<MqttIo>({
      driver,
      where,
      turns,
      guard: this.#options.guard,
      ioFor: (gate) => this.#ioFor(channel, gate),
      prepare: (talk, state) => this.#prepare(attached, talk, state),
    })
  }

  async close(reason: ErrorCode = 'INTERRUPTED'): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    for (const { turns } of this.#attached) turns.close(reason)
    await this.#opening?.catch(() => undefined)
    await this.#broker?.close()
  }

  /** Connects and subscribes, and looks whether the device is there. */
  async #prepare(attached: Attached, talk: Talk, state: ChannelState): Promise<void> {
    const { channel } = attached
    const broker = await this.#connected()
    if (talk.priority === 'stop') return
    if (attached.refused) await this.#subscribe(attached, broker)
    if (attached.refused) throw attached.refused
    if (attached.known !== broker) state.standing = 'unknown'
    attached.known = broker
    if (talk.priority === 'poll') channel.checkHeard()
    else channel.checkThere()
  }

  async #connected(): Promise<Broker> {
    if (this.#broker?.isUp) return this.#broker
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #open(): Promise<Broker> {
    clearTimeout(this.#retry)
    try {
      const { host, port, tls } = this.#options.endpoint
      const broker = await Broker.open({
        host,
        port,
        tls,
        auth: this.#auth ?? null,
        where: this.#where,
        guard: () => {
          this.#checkOpen()
          this.#options.guard()
        },
        onMessage: (topic, payload, retained) => {
          for (const { channel } of this.#attached) channel.take(topic, payload, retained)
        },
        onLost: (why) => this.#onLost(why),
      })
      this.#broker = broker
      this.#checkOpen()
      await Promise.all(this.#attached.map((attached) => this.#subscribe(attached, broker)))
      if (!broker.isUp)
        throw this.#failure ?? new GolemError('LINK_DOWN', `The broker ${this.#where} is gone.`)
      this.#failure = undefined
      this.#pauseMs = FIRST_PAUSE_MS
      if (!this.#told) this.#options.onConnection?.(true, `The broker ${this.#where} is back.`)
      this.#told = true
      return broker
    } catch (error) {
      this.#failure = asGolemError(error)
      this.#tryLater()
      throw this.#failure
    }
  }

  /** Asks for the messages of one device. What the broker refuses concerns that one only. */
  async #subscribe(attached: Attached, broker: Broker): Promise<void> {
    try {
      await broker.subscribe(attached.channel.filters)
      attached.channel.listening()
      attached.refused = undefined
    } catch (error) {
      attached.refused = asGolemError(error)
    }
  }

  #onLost(why: string): void {
    const message = `The connection to the broker ${this.#where} was lost: ${why}.`
    this.#broker = undefined
    for (const { channel } of this.#attached) channel.lost(new GolemError('LINK_LOST', message))
    if (this.#told) this.#options.onConnection?.(false, message)
    this.#told = false
    this.#failure = new GolemError('LINK_DOWN', message)
    this.#tryLater()
  }

  /** Messages come by themselves, so the connection is made again without being asked for. */
  #tryLater(): void {
    if (this.#closed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      // What went wrong is kept for the next poll.
      this.#connected().catch(() => undefined)
    }, this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
  }

  #checkOpen(): void {
    if (this.#closed) throw new GolemError('WORKER_STOPPING', `The link to ${this.#where} is closed.`)
  }

  #ioFor(channel: MqttChannel, { talk, pass }: Gate): MqttIo {
    const { replyTimeoutMs } = channel.driver.link
    return {
      publish: async (topic, payload, { qos = 1, retain = false } = {}) => {
        talk.throwIfOver()
        const broker = this.#broker
        if (!broker) throw new GolemError('LINK_DOWN', `The broker ${this.#where} is not connected.`)
        channel.publishing()
        const publication = {
          topic: fullTopic(channel.base, topic),
          payload,
          qos,
          retain,
          timeoutMs: replyTimeoutMs,
          onTaken: () => channel.taken(),
        }
        await talk.orOver(broker.publish(publication, pass))
      },
      latest: (topic) => channel.latest(topic),
      expect: async (topic, { timeoutMs = replyTimeoutMs, accept = () => true } = {}) => {
        talk.throwIfOver()
        return talk.orOver(channel.expect(topic, timeoutMs, accept))
      },
      sleep: (ms) => talk.sleep(ms),
    }
  }
}
