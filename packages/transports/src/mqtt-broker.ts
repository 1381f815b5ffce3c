import { randomBytes } from 'node:crypto'
import { Socket } from 'node:net'
import { GolemError, messageOf } from '@golem/core'
import type { MqttClient } from 'mqtt'

/** How long connecting and subscribing may take, in ms. */
const CONNECT_TIMEOUT_MS = 3000
/** How often a quiet broker is asked whether it is still there; one that does not answer is lost after 1.5 times that, in s. */
const KEEP_ALIVE_S = 5
/** How long a good-bye may take, in ms. */
const CLOSE_TIMEOUT_MS = 200

export interface BrokerOptions {
  host: string
  port: number
  tls: boolean
  auth: { user: string; password: string } | null
  /** The broker's address, for messages. */
  where: string
  /** Called directly before the connection is opened; throws when this process may not. */
  guard: () => void
  onMessage: (topic: string, payload: Buffer, retained: boolean) => void
  /** Told once when an open connection ends other than by `close`. */
  onLost: (why: string) => void
}

export interface Publication {
  topic: string
  payload: string
  qos: 0 | 1 | 2
  retain: boolean
  /** How long the broker has for its acknowledgement, in ms. */
  timeoutMs: number
  /** Called when it has come, before any message that comes after it. */
  onTaken: () => void
}

/**
 * One connection to an MQTT broker (3.1.1), with a clean session of its own. It is used up when it is lost: with it goes
 * all that the broker has not acknowledged, so that nothing is ever published a second time. A new one is opened then.
 */
export class Broker {
  readonly #client: MqttClient
  readonly #where: string
  readonly #onLost: (why: string) => void
  /** Those who wait for an answer of the broker. */
  readonly #waiting = new Set<(error: GolemError) => void>()
  #ended = false

  /**
   * Connects.
   *
   * @throws LINK_DOWN; what `guard` throws
   */
  static async open(options: BrokerOptions): Promise<Broker> {
    // Loaded when needed: processes without MQTT instruments do without it.
    const { connect } = await import('mqtt')
    const { host, port, tls, auth, where } = options
    options.guard()
    const client = connect({
      protocol: tls ? 'mqtts' : 'mqtt',
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port,
      protocolVersion: 4,
      clientId: `golem-${randomBytes(8).toString('hex')}`,
      clean: true,
      keepalive: KEEP_ALIVE_S,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Each connection is opened by golem itself, and what was not sent or not acknowledged is not sent later.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      ...(auth ? { username: auth.user, password: auth.password } : {}),
    })
    // Without it the second of two messages waits until the broker's system acknowledges the first, for up to 40 ms.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true)
    let why = 'the connection was closed'
    return new Promise<Broker>((resolve, reject) => {
      const down = (): void => {
        client.end(true)
        reject(new GolemError('LINK_DOWN', `The broker ${where} can't be reached: ${why}.`))
      }
      // Stays for as long as the client lives: an error nobody listens for would end the process.
      client.on('error', (error) => {
        why = inWords(error)
        if (!client.connected) down()
      })
      client.once('close', down)
      client.once('connect', () => {
        client.off('close', down)
        resolve(new Broker(client, options, () => why))
      })
    })
  }

  private constructor(client: MqttClient, { where, onMessage, onLost }: BrokerOptions, why: () => string) {
    this.#client = client
    this.#where = where
    client.on('message', (topic, payload, { retain }) => {
      if (!this.#ended) onMessage(topic, payload, retain)
    })
    this.#onLost = onLost
    client.once('close', () => this.#lose(why()))
  }

  get isUp(): boolean {
    return !this.#ended && this.#client.connected
  }

  /**
   * Asks for messages. QoS 0 is enough: a connection loses nothing, and what comes while there is none is old when
   * there is one again. With QoS 1 a broker holds messages back until the ones before are acknowledged, and drops what
   * does not fit into its queue, the newest first.
   *
   * @throws LINK_DOWN when the broker does not allow it or does not answer
   */
  subscribe(filters: readonly string[]): Promise<void> {
    const failed = (why: string): GolemError =>
      new GolemError(
        'LINK_DOWN',
        `The broker ${this.#where} gives no messages of ${filters.join(', ')}: ${why}.`,
      )
    return this.#answer(failed('it does not answer'), CONNECT_TIMEOUT_MS, (resolve, reject) => {
      this.#client.subscribe([...filters], { qos: 0 }, (error, granted) => {
        const refused = (granted ?? []).filter(({ qos }) => qos > 2).map(({ topic }) => topic)
        if (error) reject(failed(messageOf(error)))
        else if (refused.length > 0) reject(failed(`it refuses ${refused.join(', ')}`))
        else resolve()
      })
    })
  }

  /**
   * Publishes, once. The bytes go to the operating system in this turn of the event loop, right after `pass`.
   *
   * @param pass - called directly before; when it throws, nothing is sent
   * @throws LINK_DOWN (nothing sent); LINK_LOST, REPLY_TIMEOUT (then the connection is given up, for the broker is frozen
   *   or gone)
   */
  async publish(
    { topic, payload, qos, retain, timeoutMs, onTaken }: Publication,
    pass: () => void,
  ): Promise<void> {
    if (!this.isUp) throw new GolemError('LINK_DOWN', `The broker ${this.#where} is not connected.`)
    pass()
    const late = new GolemError(
      'REPLY_TIMEOUT',
      `The broker ${this.#where} has not acknowledged ${topic} within ${timeoutMs} ms.`,
    )
    try {
      await this.#answer(late, timeoutMs, (resolve, reject) => {
        this.#client.publish(topic, payload, { qos, retain }, (error) => {
          if (error) reject(new GolemError('LINK_LOST', `${topic} at ${this.#where}: ${messageOf(error)}.`))
          else {
            onTaken()
            resolve()
          }
        })
      })
    } catch (error) {
      if (error === late) this.#lose('it does not acknowledge')
      throw error
    }
  }

  /** Says good-bye and closes. */
  async close(): Promise<void> {
    if (this.#ended) return
    this.#end('it was closed')
    await new Promise<void>((closed) => {
      // What waits for an acknowledgement would keep it open.
      const timer = setTimeout(() => {
        this.#client.stream.destroy()
        closed()
      }, CLOSE_TIMEOUT_MS)
      this.#client.end(false, () => {
        clearTimeout(timer)
        closed()
      })
    })
  }

  /** The connection is used up, from this moment on. */
  #lose(why: string): void {
    if (this.#ended) return
    this.#end(why)
    // Drops what was not acknowledged.
    this.#client.end(true)
    this.#onLost(why)
  }

  #end(why: string): void {
    this.#ended = true
    const lost = new GolemError('LINK_LOST', `The connection to the broker ${this.#where} was lost: ${why}.`)
    for (const reject of this.#waiting) reject(lost)
  }

  /** Waits for an answer, not longer than the connection lasts. */
  #answer(
    late: GolemError,
    timeoutMs: number,
    ask: (resolve: () => void, reject: (error: GolemError) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: GolemError): void => {
        clearTimeout(timer)
        this.#waiting.delete(failed)
        reject(error)
      }
      const timer = setTimeout(() => failed(late), timeoutMs)
      this.#waiting.add(failed)
      ask(() => {
        clearTimeout(timer)
        this.#waiting.delete(failed)
        resolve()
      }, failed)
    })
  }
}

/** CONNACK codes that a person can do something about. Source: MQTT 3.1.1, table 3.1. */
const REFUSALS: Readonly<Record<number, string>> = {
  2: 'it does not take this client id',
  3: 'it says that it is not available',
  4: 'it does not take this user and password: check "auth" of the instrument in site.yaml',
  5: 'it asks for a user and password, or does not allow this one: check "auth" of the instrument in site.yaml',
}

function inWords(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  return (typeof code === 'number' ? REFUSALS[code] : undefined) ?? messageOf(error)
}
