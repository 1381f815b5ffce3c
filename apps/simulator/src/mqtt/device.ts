import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { GolemError } from '@golem/core'
import type { MqttClient } from 'mqtt'
import { DEFAULT_GARBAGE, FaultScript, msOf, type WireFault } from '../wire/faults.ts'
import { messageKey, publishPacket } from './packets.ts'

/** A message as a device publishes it. */
export interface Saying {
  topic: string
  payload: string
  retain: boolean
  qos: 0 | 1
}

/** A device that is played by a table of its own, as the models in YAML have one. */
export interface PlayedMqttDevice {
  readonly topics: readonly string[]
  readonly will: Saying | null
  greeting(): Saying[]
  receive(topic: string, payload: string): Saying[]
  readonly talks: { readonly everyMs: number; next(): Saying[] } | null
  /** Power off and on: what was set is gone. */
  reset(): void
}

/** A message that came to the device. */
export interface HeardMessage {
  /** As the wire calls the request that brought it. */
  key: string
  /** By the monotonic clock, in ms. */
  at: number
  /** It was carried out. */
  passed: boolean
}

/** How long it is before a device whose connection has ended comes again, in ms. */
const COME_AGAIN_MS = 100
/** How many messages are kept. */
const KEPT = 20_000

/**
 * A device behind a broker: a client of its own with a last will. What goes wrong with it has the words of a wire's
 * faults; a request is a message that comes to it, an answer what it publishes then.
 *
 * - `delay`, `late`: what it publishes comes later, at the latest when the fault is over
 * - `silence`: it carries out what it is asked, and says nothing
 * - `drop`: a message does not reach it; what it would say by itself is not said
 * - `duplicate`: each message is published twice
 * - `garbage`: stray bytes before, inside or instead of what its messages say
 * - `cut`: it loses its connection without a good-bye, so that the broker tells its last will, and comes again
 * - `offline`: the same, and it does not come again before the fault is over
 * - `stuck`: it says what it said the last time to the same message, and does nothing
 * - `wrongIdentity`: another device has its topics, which knows none of these messages
 * - `reboot`: it starts anew with the settings it has after power-up
 */
export class MqttDevice {
  readonly #played: PlayedMqttDevice
  readonly #client: MqttClient
  readonly #heard: HeardMessage[] = []
  readonly #said = new Map<string, Saying[]>()
  #closed = false
  #script = new FaultScript()
  /** Ends all waiting of what is late: the fault is over. */
  #hurry = new AbortController()
  /** What it publishes leaves in the order of the messages it belongs to. */
  #sent: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #onGreeted: () => void = () => undefined
  /** It is kept from the broker. */
  #away = false
  readonly #broken: (error: unknown) => void

  private constructor(played: PlayedMqttDevice, client: MqttClient, broken: (error: unknown) => void) {
    this.#played = played
    this.#client = client
    this.#broken = broken
    client.on('message', (topic, payload) => this.#take(topic, payload.toString('utf8')))
    client.on('error', broken)
    const { talks } = played
    if (talks)
      this.#timer = setInterval(() => this.#answer(Buffer.alloc(0), () => talks.next()), talks.everyMs)
  }

  /**
   * Connects a device to a broker on this machine. Resolves when it has said that it is there.
   *
   * @param broken - told of what goes wrong in the simulation itself
   */
  static async start(
    played: PlayedMqttDevice,
    port: number,
    broken: (error: unknown) => void,
  ): Promise<MqttDevice> {
    const { connect } = await import('mqtt')
    const { will } = played
    const client = connect({
      host: '127.0.0.1',
      port,
      protocolVersion: 4,
      clientId: `device-${randomBytes(8).toString('hex')}`,
      clean: true,
      // Subscriptions are its own business: they come before what it says of itself.
      resubscribe: false,
      reconnectPeriod: COME_AGAIN_MS,
      ...(will ? { will: { ...will, payload: Buffer.from(will.payload) } } : {}),
    })
    const device = new MqttDevice(played, client, broken)
    await new Promise<void>((resolve, reject) => {
      device.#onGreeted = resolve
      client.once('error', reject)
      client.on('connect', () => {
        client.off('error', reject)
        device.#greet().catch((error: unknown) => {
          // It was cut off in the middle; it greets again when it is back.
          if (client.connected) broken(error)
        })
      })
    })
    return device
  }

  /** It is kept from the broker. */
  get isAway(): boolean {
    return this.#away
  }

  /** Messages that came to it, oldest first. */
  get heard(): readonly HeardMessage[] {
    return this.#heard
  }

  /**
   * The faults from now on; none: all is well again. Resolves when it is really away, or there again.
   *
   * @param seed - of chance
   * @throws INVALID_REQUEST for one that a device can't have
   */
  async setFaults(faults: readonly WireFault[], seed = 1): Promise<void> {
    const unfit = faults.find(({ kind }) =>
      ['jitter', 'terminator', 'halfOpen', 'drip', 'refuse'].includes(kind),
    )
    if (unfit) {
      throw new GolemError(
        'INVALID_REQUEST',
        `A device behind a broker can't have the fault "${unfit.kind}".`,
        {
          field: '/kind',
        },
      )
    }
    const away = faults.some(({ kind }) => kind === 'offline')
    this.#script = new FaultScript(faults, seed)
    this.#hurry.abort()
    this.#hurry = new AbortController()
    if (away === this.#away) return
    this.#away = away
    this.#client.options.reconnectPeriod = away ? 0 : COME_AGAIN_MS
    const done = new Promise<void>((resolve) => {
      if (away) this.#client.once('close', resolve)
      else this.#onGreeted = resolve
    })
    if (away) this.#loseConnection()
    else this.#client.reconnect()
    await done
  }

  /** Power off and on. */
  reboot(): void {
    this.#played.reset()
    this.#loseConnection()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closed = true
    this.#hurry.abort()
    await this.#client.endAsync(true)
  }

  async #greet(): Promise<void> {
    const { topics } = this.#played
    if (topics.length > 0) await this.#client.subscribeAsync([...topics], { qos: 0 })
    await this.#publish(this.#played.greeting())
    this.#onGreeted()
  }

  /** Without a good-bye: the broker tells the last will. */
  #loseConnection(): void {
    this.#client.stream.destroy()
  }

  #take(topic: string, payload: string): void {
    const heard: HeardMessage = { key: messageKey(topic, payload), at: performance.now(), passed: false }
    this.#heard.push(heard)
    if (this.#heard.length > KEPT) this.#heard.splice(0, KEPT / 10)
    this.#answer(publishPacket(topic, payload), (fault) => {
      if (fault === 'stuck') return this.#said.get(heard.key) ?? []
      heard.passed = true
      const said = this.#played.receive(topic, payload)
      if (fault === undefined) this.#said.set(heard.key, said)
      return said
    })
  }

  /** @param make - does what is asked, and makes the answer */
  #answer(request: Buffer, make: (fault: WireFault['kind'] | undefined) => readonly Saying[]): void {
    const fault = this.#script.take(request) ?? undefined
    switch (fault?.kind) {
      case 'drop':
      case 'wrongIdentity':
        return
      case 'reboot':
        this.reboot()
        return
      case 'cut':
        make('cut')
        this.#loseConnection()
        return
      default: {
        const said = make(fault?.kind)
        if (fault?.kind !== 'silence') this.#say(said, fault)
      }
    }
  }

  #say(said: readonly Saying[], fault: WireFault | undefined): void {
    const waits = fault?.kind === 'late' || fault?.kind === 'delay'
    const dueAt = performance.now() + (waits ? msOf(fault) : 0)
    const { signal } = this.#hurry
    this.#sent = this.#sent.then(async () => {
      const left = dueAt - performance.now()
      try {
        if (left > 0) await sleep(left, undefined, { signal })
      } catch (error) {
        if (!signal.aborted) throw error
      }
      for (const each of said) {
        const spoilt = fault?.kind === 'garbage' ? { ...each, payload: spoil(each.payload, fault) } : each
        await this.#publish(fault?.kind === 'duplicate' ? [spoilt, spoilt] : [spoilt])
      }
    })
  }

  async #publish(said: readonly Saying[]): Promise<void> {
    for (const { topic, payload, retain, qos } of said) {
      // Without a connection a device loses what it has to say.
      if (!this.#client.connected || this.#closed) return
      await new Promise<void>((resolve) => {
        this.#client.once('close', resolve)
        // What the broker keeps is acknowledged before the next one goes out: aedes stores it first, and drops what has
        // been overtaken meanwhile.
        this.#client.publish(
          topic,
          Buffer.from(payload, 'utf8'),
          { retain, qos: retain ? 1 : qos },
          (error) => {
            this.#client.off('close', resolve)
            if (error && this.#client.connected) this.#broken(error)
            resolve()
          },
        )
      })
    }
  }
}

function spoil(payload: string, { where = 'before', bytes = DEFAULT_GARBAGE }: WireFault): string {
  const half = Math.ceil(payload.length / 2)
  if (where === 'instead') return bytes
  return where === 'before' ? bytes + payload : payload.slice(0, half) + bytes + payload.slice(half)
}
